"""A plan as form fields and back. Each field is named by its path in the document, so that nothing is lost between the two."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from fabrique.experiments.plan.canonical import normalised
from fabrique.experiments.plan.schema import SCHEMA
from fabrique.language import _, n_, slug_from
from fabrique.tables import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fabrique.experiments.plan.canonical import Document
    from fabrique.experiments.plan.sections import Fault

NUMBERS = frozenset(
    {"weight", "baseline", "mde_abs", "sd", "non_inferiority_margin", "alpha", "power", "phi", "cluster_size", "icc",
     "expected_per_day", "n_per_arm", "min_days", "n_star"}
)  # fmt: skip
TEXT_LISTS = frozenset({"levels", "subgroups", "covariates", "pilot_criteria", "practices"})
NUMBER_LISTS = frozenset({"marks", "baseline_levels", "information_fractions", "prior"})
PERCENTS = frozenset({"alpha", "power", "information_fractions", "baseline_levels"})
"""Written in percent on pages, as shares in files."""
SHARES_OF_BINARY = frozenset({"baseline", "mde_abs", "non_inferiority_margin"})
FLAGS = frozenset({"randomised"})
TOKEN = re.compile(r"([a-z_]+)|\[(\d{1,2})\]")
FIELD = re.compile(r"[a-z_]+(\[\d{1,2}\])?(\.[a-z_]+(\[\d{1,2}\])?)*")


@dataclass(frozen=True, slots=True)
class StepOfPlan:
    """One page of the wizard: which parts of the document it writes."""

    key: str
    label: str
    parts: tuple[str, ...]


STEPS = (
    StepOfPlan("hypothese", n_("Hypothesis"), ("title", "service", "owner", "coach", "legal_basis", "hypothesis", "decision")),
    StepOfPlan("comparaison", n_("Comparison"), ("design", "arms")),
    StepOfPlan("indicateurs", n_("Metrics"), ("metrics",)),
    StepOfPlan("taille", n_("Size and looks"), ("analysis", "sample")),
    StepOfPlan("relecture", n_("Check and submit"), ()),
)


def step_named(key: str) -> StepOfPlan | None:
    """The step of that key."""
    return next((one for one in STEPS if one.key == key), None)


def tokens(path: str) -> list[str | int]:
    """metrics.guardrails[0].key → metrics, guardrails, 0, key."""
    return [name or int(place) for name, place in TOKEN.findall(path)]


def value_at(document: Any, path: str) -> Any:
    """What stands at a path; None where nothing does."""
    for token in tokens(path):
        try:
            document = document[token]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def shown(document: Document, path: str) -> str:
    """A field's text."""
    value = value_at(document, path)
    if value is None:
        return ""
    if isinstance(value, list):
        joined = "\n" if last_of(path) in TEXT_LISTS else " ; "
        return joined.join(written(document, path, one) for one in value)
    if isinstance(value, bool):
        return "true" if value else ""
    return written(document, path, value)


def written(document: Document, path: str, value: Any) -> str:
    """One value: percents of shares, a decimal comma; a text as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if is_percent(document, path):
        value = round(value * 100, 10)
    text = format(Decimal(repr(float(value))), "f")
    return text.removesuffix(".0").replace(".", ",")


def last_of(path: str) -> str:
    """The key that a path ends with."""
    return next(str(one) for one in reversed(tokens(path)) if isinstance(one, str))


def is_percent(document: Document, path: str) -> bool:
    """Whether a field is written in percent."""
    key = last_of(path)
    if key in PERCENTS:
        return True
    if key not in SHARES_OF_BINARY:
        return False
    return bool(value_at(document, path[: path.rindex(".")] + ".type") == "binary")


def written_into(document: Document, form: Mapping[str, str], step: StepOfPlan) -> Document:
    """The document with a step's parts as the form tells them. What cannot be read stays as text, and its fault tells so."""
    made: Document = {"schema": SCHEMA, **deepcopy(document)}
    fields = {path: text for path, text in form.items() if FIELD.fullmatch(path) and str(tokens(path)[0]) in step.parts}
    typed = {path: text for path, text in fields.items() if path.endswith(".type")}
    for part in step.parts:
        made.pop(part, None)
    for path, text in {**typed, **fields}.items():
        put(made, path, text.strip())
    for path in fields:
        if value_at(made, path) not in (None, ""):
            put_value(made, path, read_field(made, path, str(value_at(made, path))))
    made = without_emptied(compacted(made), document)
    named(made)
    kept: Document = normalised(made)
    return kept


def put(document: Document, path: str, value: Any) -> None:
    """Set a value at a path, making tables and lists on the way."""
    put_value(document, path, value)


def put_value(document: Any, path: str, value: Any) -> None:
    """Set a value at a path, making tables and lists on the way."""
    names = tokens(path)
    for token, following in pairwise(names):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(token, int):
            while len(document) <= token:
                document.append({})
            document = document[token]
        else:
            document = document.setdefault(token, empty)
    last = names[-1]
    if isinstance(last, int):
        while len(document) <= last:
            document.append({})
    document[last] = value


def read_field(document: Document, path: str, text: str) -> Any:
    """A field's value, typed by its key."""
    key = last_of(path)
    if key in FLAGS:
        return text == "true"
    if key in TEXT_LISTS:
        return [line.strip() for line in text.splitlines() if line.strip()]
    if key in NUMBER_LISTS:
        parts = [part for part in re.split(r"\s*[;\n]\s*|\s+", text) if part]
        return [number(document, path, part) for part in parts]
    return number(document, path, text) if key in NUMBERS else text


def number(document: Document, path: str, text: str) -> Any:
    """A number as people write it; the text itself where it is none."""
    try:
        value = numbers.parse(text.removesuffix("%").strip())
    except numbers.NumberUnreadable:
        return text
    return round(value / 100, 12) if is_percent(document, path) else value


def without_emptied(made: Document, before: Document) -> Document:
    """Without the rows whose name somebody emptied: that is how a row is taken away. A row that never had a name stays."""
    had_name = {row["key"] for row in rows_of(before) if row.get("name") and row.get("key")}

    def kept(rows: Any) -> Any:
        if not isinstance(rows, list):
            return rows
        return [row for row in rows if not isinstance(row, dict) or row.get("name") or row.get("key") not in had_name]

    if "arms" in made:
        made["arms"] = kept(made["arms"])
    metrics = made.get("metrics")
    for group in ("secondary", "guardrails"):
        if isinstance(metrics, dict) and group in metrics:
            metrics[group] = kept(metrics[group])
    return made


def rows_of(document: Document) -> list[dict[str, Any]]:
    """Every arm and metric that is a row of a list."""
    found = document.get("metrics")
    metrics: dict[str, Any] = found if isinstance(found, dict) else {}
    groups = (document.get("arms"), metrics.get("secondary"), metrics.get("guardrails"))
    return [row for group in groups if isinstance(group, list) for row in group if isinstance(row, dict)]


def compacted(value: Any) -> Any:
    """Without rows that nobody filled: a row is empty when all that people write in it is."""
    if isinstance(value, dict):
        return {key: compacted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [compacted(one) for one in value if not isinstance(one, dict) or is_filled(one)]
    return value


CHOSEN = frozenset({"type", "better", "weight"})
"""Fields that have a value before anybody writes."""


def is_filled(row: Mapping[str, Any]) -> bool:
    """Whether somebody wrote something in a row."""
    return any(value not in (None, "", [], False) for key, value in row.items() if key not in CHOSEN)


def named(document: Document) -> None:
    """Give arms and metrics without a key one made of their name."""
    found = document.get("metrics")
    metrics: dict[str, Any] = found if isinstance(found, dict) else {}
    groups: list[Sequence[Any]] = [document.get("arms") or []]
    groups += [[metrics.get("primary") or {}], metrics.get("secondary") or [], metrics.get("guardrails") or []]
    for group in groups[:1]:
        give_keys(group)
    give_keys([row for group in groups[1:] for row in group])


def give_keys(rows: Sequence[Any]) -> None:
    """Make the keys that are lacking, or that another row has already."""
    seen: set[str] = set()
    for row in rows:
        if not isinstance(row, dict) or not row.get("name"):
            continue
        key = str(row.get("key") or "")
        if not key or key in seen:
            base = slug_from(str(row["name"])).replace("-", "_")
            key = next(one for one in (base, *(f"{base}_{place}" for place in range(2, 100))) if one not in seen)
        row["key"] = key
        seen.add(key)


FIELD_LABELS = {
    "title": n_("Title"),
    "owner": n_("Who runs it"),
    "legal_basis": n_("Legal basis of the data"),
    "hypothesis.if": n_("If…"),
    "hypothesis.then": n_("then…"),
    "hypothesis.because": n_("because…"),
    "hypothesis.direction": n_("Direction"),
    "decision.pilot_criteria": n_("Criteria of a pilot"),
    "design.kind": n_("How it is compared"),
    "design.unit": n_("What is drawn or counted"),
    "design.population": n_("Who takes part"),
    "design.start": n_("First day"),
    "design.planned_end": n_("Last day"),
    "design.cluster": n_("Cluster"),
    "arms": n_("Arms"),
    "weight": n_("Weight"),
    "name": n_("Name"),
    "key": n_("Name"),
    "type": n_("What one unit’s outcome is"),
    "better": n_("Better is"),
    "baseline": n_("Level today"),
    "mde_abs": n_("Smallest effect that matters"),
    "sd": n_("Standard deviation"),
    "levels": n_("Levels"),
    "marks": n_("Marks of the levels"),
    "baseline_levels": n_("Shares of the levels today"),
    "non_inferiority_margin": n_("Margin"),
    "sample.n_per_arm": n_("Units in each arm"),
    "sample.expected_per_day": n_("Units a day, all arms together"),
    "sample.min_days": n_("Days at least"),
    "analysis.looks": n_("When results are looked at"),
    "analysis.information_fractions": n_("Looks, in percent of the size"),
    "analysis.alpha": n_("Error that is allowed"),
    "analysis.power": n_("Power"),
}
"""What the wizard calls a key, by its path or by its last part."""
GROUP_LABELS = {
    "metrics.primary": n_("Primary metric"),
    "metrics.guardrails": n_("Guardrail"),
    "metrics.secondary": n_("Secondary metric"),
    "arms": n_("Arm"),
}


def fault_words(fault: Fault) -> str:
    """A fault as the wizard's own fields are called; the path where nobody named it."""
    label = FIELD_LABELS.get(fault.path) or FIELD_LABELS.get(last_of(fault.path))
    if label is None:
        return str(fault)
    bare, _dot, _last = fault.path.rpartition(".")
    group = GROUP_LABELS.get(re.sub(r"\[\d+\]$", "", bare))
    place = re.search(r"\[(\d+)\]$", bare)
    where = _(label)
    if group is not None:
        where = f"{_(group)}{f' {int(place[1]) + 1}' if place else ''}, {where}"
    return _("%(what)s: %(why)s", what=where, why=_(fault.message, **fault.values))


@dataclass(frozen=True, slots=True)
class PlanForm:
    """A plan as a page shows it: each field's text, and what is wrong with it."""

    document: Document
    faults: tuple[Fault, ...]

    def value(self, path: str) -> str:
        """A field's text."""
        return shown(self.document, path)

    def fault(self, path: str) -> Fault | None:
        """What is wrong with a field."""
        return next((one for one in self.faults if one.path == path), None)

    def rows(self, path: str, least: int, more: int = 0) -> range:
        """The rows of a list, at least so many, and more where somebody asked for one."""
        present = value_at(self.document, path)
        return range(max(least, len(present) if isinstance(present, list) else 0) + more)

    def words(self, fault: Fault) -> str:
        """A fault in the wizard's own words."""
        return fault_words(fault)

    def of_step(self, step: StepOfPlan) -> list[Fault]:
        """The faults of a step's own parts."""
        return [one for one in self.faults if one.path.split(".")[0].split("[")[0] in step.parts]

    def elsewhere(self) -> list[Fault]:
        """The faults that no step can mend."""
        parts = {part for step in STEPS for part in step.parts}
        return [one for one in self.faults if one.path.split(".")[0].split("[")[0] not in parts]
