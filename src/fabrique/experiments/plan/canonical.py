"""A document's canonical text: what is hashed when a plan is locked, and how two documents differ."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

Document = dict[str, Any]
"""A plan as TOML or JSON gives it."""
EXACT = 2**53
"""Up to here a double tells every whole number from its neighbours."""


def normalised(value: Any) -> Any:
    """The same value however it was written: dates as ISO text, whole numbers without decimals, never a negative zero.

    Empty texts, lists and tables are left out: a form's empty field and a key that is not there are the same plan.
    """
    if isinstance(value, dict):
        kept = {str(key): normalised(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one is not None and one != "" and one not in ([], {})}
    if isinstance(value, list | tuple):
        return [normalised(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return value


def canonical(document: Document) -> str:
    """Sorted keys, normalised values, no blanks."""
    return json.dumps(normalised(document), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plan_hash(document: Document) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that two documents tell differently; None where one does not tell it."""

    path: str
    old: Any
    new: Any


def differences(old: Document, new: Document) -> list[Difference]:
    """Every key whose value differs, in the order of paths."""
    before, after = flattened(normalised(old)), flattened(normalised(new))
    return [
        Difference(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def flattened(value: Any, path: str = "") -> dict[str, Any]:
    """Each leaf by its path: `metrics.guardrails[0].key`. Lists of plain values are leaves."""
    if isinstance(value, dict):
        pairs = [(f"{path}.{key}" if path else key, one) for key, one in value.items()]
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        pairs = [(f"{path}[{index}]", one) for index, one in enumerate(value)]
    else:
        return {path: value}
    return {key: leaf for name, one in pairs for key, leaf in flattened(one, name).items()}
