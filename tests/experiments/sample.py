"""A sound plan and counts to bend, for the tests of experiments."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from fabrique.experiments.analysis.running import Context, analyse
from fabrique.experiments.data.reading import data_from, table_from_text
from fabrique.experiments.plan.canonical import plan_hash
from fabrique.experiments.plan.reading import plan_from

if TYPE_CHECKING:
    from fabrique.experiments.data.rows import Data

START = date(2026, 9, 7)
TODAY = date(2026, 11, 24)
DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "slug": "rappel",
    "title": "Un SMS rappelle le rendez-vous",
    "product": "produit",
    "owner": "Camille Rivière",
    "coach": "Noor Vasseur",
    "legal_basis": "comptages agrégés",
    "hypothesis": {"if": "un SMS rappelle", "then": "davantage viennent", "because": "on oublie", "direction": "hausse"},
    "design": {"kind": "ab", "unit": "personne", "population": "toutes", "start": START, "planned_end": date(2026, 11, 1)},
    "arms": [{"key": "temoin", "name": "Sans SMS", "weight": 1}, {"key": "sms", "name": "Avec SMS", "weight": 1}],
    "metrics": {
        "primary": {"key": "venus", "type": "binary", "better": "higher", "baseline": 0.6, "mde_abs": 0.08},
        "guardrails": [{"key": "satisfaits", "type": "binary", "better": "higher", "non_inferiority_margin": 0.05}],
    },
    "analysis": {"alpha": 0.05, "power": 0.8, "looks": "fixed"},
    "sample": {"n_per_arm": 600, "expected_per_day": 24, "min_days": 14},
}


def plan_document(**changes: Any) -> dict[str, Any]:
    """The plan with other values at those paths: metrics__primary__mde_abs=0.1; None takes the key away."""
    made = deepcopy(DOCUMENT)
    for path, value in changes.items():
        *names, last = path.split("__")
        place: Any = made
        for name in names:
            place = place[int(name)] if name.isdecimal() else place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[int(last) if last.isdecimal() else last] = value
    return made


def rows(*lines: str, header: str = "date,arm,metric,n,x") -> str:
    """A table of counts."""
    return "\n".join([header, *lines]) + "\n"


def counts(
    control: float = 0.6, treated: float = 0.7, *, days: int = 50, n: int = 12, satisfied: tuple[float, float] = (0.8, 0.82)
) -> str:
    """Daily counts with shares as told, spread evenly so that nothing is left to chance."""
    lines = []
    for arm, share, content in (("temoin", control, satisfied[0]), ("sms", treated, satisfied[1])):
        for metric, level in (("venus", share), ("satisfaits", content)):
            before = 0
            for day in range(days):
                total = round(level * n * (day + 1))
                lines.append(f"{START + timedelta(days=day)},{arm},{metric},{n},{total - before}")
                before = total
    return rows(*lines)


def data_of(text: str, document: dict[str, Any] | None = None, kind: str = "counts") -> Data:
    """The data of one table, without fault."""
    data, faults = data_from({kind: [table_from_text(f"{kind}.csv", text)]}, plan_from(document or DOCUMENT))
    assert not faults, [str(one) for one in faults]
    return data


def analysed(
    text: str, document: dict[str, Any] | None = None, *, kind: str = "counts", as_of: date = TODAY, **context: Any
) -> Any:
    """The analysis of one table."""
    document = document or DOCUMENT
    made = Context(as_of=as_of, plan_hash=plan_hash(document), **context)
    return analyse(plan_from(document), data_of(text, document, kind), made)
