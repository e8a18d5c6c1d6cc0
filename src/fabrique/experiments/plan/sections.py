"""Reads a document key by key and keeps every fault with its path, so that a person mends them all in one go."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from fabrique.language import _, n_

if TYPE_CHECKING:
    from collections.abc import Mapping

Member = TypeVar("Member", bound=StrEnum)
LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one key."""

    path: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.path}: {_(self.message, **self.values)}"


class Section:
    """One table of a document. Each getter returns the value, or a stand-in after noting the fault."""

    def __init__(self, value: object, path: str, faults: list[Fault]) -> None:
        self.path = path
        self.faults = faults
        self.known: set[str] = set()
        self.values: dict[str, Any] = {}
        if isinstance(value, dict):
            self.values = {str(key): one for key, one in value.items()}
        elif value is not None:
            faults.append(Fault(path, n_("a table was expected here")))

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def fault(self, key: str, message: str, /, **values: object) -> None:
        """Note a fault of a key."""
        self.faults.append(Fault(self.at(key) if key else self.path, message, values))

    def get(self, key: str, *, required: bool = False) -> Any:
        """The raw value; None where there is none. An empty text is none."""
        self.known.add(key)
        value = self.values.get(key)
        if isinstance(value, str) and not value.strip():
            value = None
        if value is None and required:
            self.fault(key, n_("missing"))
        return value

    def text(self, key: str, *, required: bool = True) -> str:
        """A text."""
        value = self.get(key, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(key, n_("a text was expected, between quotation marks"))
            return ""
        if len(value) > LONGEST_TEXT:
            self.fault(key, n_("longer than 4,000 characters"))
        return value.strip()

    def number(
        self,
        key: str,
        *,
        required: bool = False,
        low: float = -math.inf,
        high: float = math.inf,
        above: float = -math.inf,
        below: float = math.inf,
    ) -> float | None:
        """A number within bounds (`low` and `high` included, `above` and `below` not)."""
        value = self.get(key, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fault(key, n_("a number was expected"))
            return None
        if not (low <= value <= high and above < value < below):
            self.fault(key, *self.bounds(low, high, above, below))
            return None
        return float(value)

    @staticmethod
    def bounds(low: float, high: float, above: float, below: float) -> tuple[str]:
        """The sentence for a number outside its bounds."""
        least, most = max(low, above), min(high, below)
        if math.isinf(most):
            return (n_("must be positive") if above == 0 else n_("cannot be negative"),)
        if least == 0 and most == 1:
            return (n_("must lie between 0 and 100 % (0 and 1 in a file)"),)
        return (n_("out of range"),)

    def whole(self, key: str, *, required: bool = False, low: int = 0) -> int | None:
        """A whole number."""
        value = self.number(key, required=required, low=low)
        if value is not None and not value.is_integer():
            self.fault(key, n_("a whole number was expected"))
            return None
        return None if value is None else int(value)

    def day(self, key: str) -> date:
        """A date, as TOML writes it or as text."""
        value = self.get(key, required=True)
        if isinstance(value, datetime):
            value = value.date()
        if isinstance(value, date):
            return value
        if value is not None:
            try:
                return date.fromisoformat(str(value))
            except ValueError:
                self.fault(key, n_("a date was expected, such as 2026-11-24"))
        return date.min

    def choice(
        self, key: str, kind: type[Member], default: Member | None = None, *, aliases: Mapping[str, Member] | None = None
    ) -> Member:
        """A member of an enumeration, by its own name or by another that people write."""
        value = self.get(key, required=default is None)
        members = list(kind)
        if value is None:
            return default or members[0]
        if isinstance(value, str):
            plain = value.strip().lower().replace("-", "_").replace(" ", "_").replace("'", "").replace("’", "")
            found = (aliases or {}).get(plain) or next((one for one in members if one == plain), None)
            if found is not None:
                return found
        self.fault(key, n_("must be one of %(choices)s"), choices=", ".join(members))
        return default or members[0]

    def yes(self, key: str) -> bool:
        """true or false; false where nothing is said."""
        value = self.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.fault(key, n_("true or false was expected"))
        return False

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of numbers."""
        value = self.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or any(
            isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one) for one in value
        ):
            self.fault(key, n_("a list of numbers was expected"))
            return ()
        return tuple(float(one) for one in value)

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts."""
        value = self.get(key, required=required)
        if value is None:
            return ()
        if not isinstance(value, list) or any(not isinstance(one, str) for one in value):
            self.fault(key, n_("a list of texts was expected"))
            return ()
        kept = tuple(one.strip() for one in value if one.strip())
        if required and not kept:
            self.fault(key, n_("missing"))
        return kept

    def section(self, key: str, *, required: bool = True) -> Section:
        """A table inside this one."""
        value = self.get(key)
        if value is None and required and not self.values.get(key):
            value = {}  # its own keys will be missing, which says more
        return Section(value, self.at(key), self.faults)

    def sections(self, key: str) -> list[Section]:
        """A list of tables."""
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(key, n_("a list of tables was expected, each headed [[%(path)s]]"), path=self.at(key))
            return []
        return [Section(one, f"{self.at(key)}[{index}]", self.faults) for index, one in enumerate(value)]

    def finish(self) -> None:
        """Note every key that nobody asked for, with the one that was probably meant."""
        for key in self.values:
            if key in self.known:
                continue
            near = difflib.get_close_matches(key, self.known, 1)
            if near:
                self.fault(key, n_("unknown; did you mean %(near)s?"), near=near[0])
            else:
                self.fault(key, n_("unknown"))
