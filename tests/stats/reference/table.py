"""How a reference case is checked: its figures found, every expected key compared, nothing passed over."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Family = Callable[[dict[str, Any], "Resolver"], dict[str, Any]]

HERE = Path(__file__).parent
OWN = HERE / "vectors.json"


class Resolver:
    """Finds a data file that a case names, as it is written there ("data/x.csv (rows with y)")."""

    def __init__(self, vectors: Path) -> None:
        self.folder = vectors.resolve().parent

    def __call__(self, name: str) -> Path:
        """Beside the vectors, one folder up, in that folder's experiments, then the project's own copy."""
        match = re.search(r"\S+\.csv", name)
        assert match, f"{name!r} names no csv file"
        path = Path(match[0])
        up = self.folder.parent
        places = [self.folder / path, up / path, up / "data" / "experiments" / path.name, HERE / "data" / path.name]
        for place in places:
            if place.is_file():
                return place
        raise AssertionError(f"the data file {name!r} is in none of: {', '.join(str(place) for place in places)}")


def read_cases(vectors: Path) -> list[dict[str, Any]]:
    """The cases of a file of vectors."""
    return list(json.loads(vectors.read_text(encoding="utf-8"))["vectors"])


def check(case: Mapping[str, Any], families: Mapping[str, Family], resolver: Resolver) -> None:
    """Fails unless the family is known and each expected figure is found, within the case's tolerance."""
    family = families.get(case["family"])
    assert family is not None, f"family {case['family']!r} (case {case['id']}) is not in the table: {', '.join(sorted(families))}"
    faults = list(_faults(family(case["inputs"], resolver), case["expected"], case.get("tolerance", {}), ""))
    assert not faults, f"case {case['id']} of family {case['family']}:\n" + "\n".join(faults)


def _faults(got: Any, expected: Any, tolerance: Mapping[str, float], path: str):
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            yield f"{path or 'the whole'}: several figures were expected, {got!r} was given"
            return
        for key, value in expected.items():
            if key in got:
                yield from _faults(got[key], value, tolerance, f"{path}.{key}".lstrip("."))
            else:
                yield f"{path}.{key}".lstrip(".") + f": not a figure that the table gives ({', '.join(map(str, got))})"
    elif isinstance(expected, list):
        given = list(got) if hasattr(got, "__iter__") else got
        if not isinstance(given, list) or len(given) != len(expected):
            yield f"{path}: {len(expected)} figures were expected, {given!r} was given"
            return
        for place, (one, other) in enumerate(zip(given, expected, strict=True)):
            yield from _faults(one, other, tolerance, f"{path}[{place}]")
    elif not _same(got, expected, tolerance, path):
        yield f"{path}: {got!r} where {expected!r} was expected"


def _same(got: Any, expected: Any, tolerance: Mapping[str, float], path: str) -> bool:
    own = _own_tolerance(tolerance, path)
    exact = isinstance(expected, bool | str | None) or (isinstance(expected, int) and isinstance(got, int) and own is None)
    if exact or isinstance(got, bool | str | None):
        return type(got) is type(expected) and bool(got == expected)
    if math.isinf(expected):
        return bool(got == expected)
    allowed = max(tolerance.get("abs", 0.0), tolerance.get("rel", 0.0) * abs(expected)) if own is None else own
    # Never less than the last digits of a number written down.
    return bool(abs(got - expected) <= max(allowed, 1e-12 * abs(expected)))


def _own_tolerance(tolerance: Mapping[str, float], path: str) -> float | None:
    """What a case allows for one of its figures alone: "ceil" for n_ceil, "U" for U_treat, "p_boschloo" for p_boschloo_two_sided."""
    words = re.split(r"[.\[\]_]+", path)
    for name, allowed in tolerance.items():
        parts = name.split("_")
        if name not in {"abs", "rel"} and any(words[i : i + len(parts)] == parts for i in range(len(words))):
            return allowed
    return None
