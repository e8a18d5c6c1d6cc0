"""Whether the figures can be trusted at all: who was counted where, what is missing, which days are covered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabrique.experiments.analysis.result import Health
from fabrique.experiments.analysis.summaries import exposures, summaries
from fabrique.experiments.plan.reading import EXPOSURE
from fabrique.experiments.plan.schema import SERIES_KINDS, Kind, Outcome
from fabrique.language import n_
from fabrique.stats.sample_ratio import SampleRatio, check_sample_ratio

if TYPE_CHECKING:
    from datetime import date

    from fabrique.experiments.data.rows import Data
    from fabrique.experiments.plan.schema import Plan

NOTE_LABELS = {
    "exposed_zero_weight": n_("An arm that was to receive nobody received somebody."),
    "sample_ratio": n_("The arms’ sizes are not those of the draw: something sorts people."),
    "empty_arm": n_("An arm has nobody yet."),
    "missing_differs": n_(
        "Outcomes are missing more often in one arm than in another: the comparison may be biased by who was lost."
    ),
    "more_outcomes_than_units": n_("There are more outcomes than units that an arm received: one of the two counts is wrong."),
    "surveys_overlap": n_("The survey “before” does not end before the survey “after” begins: they cannot be compared."),
    "days_missing": n_("Some days in between have no figure."),
    "undated": n_("The units carry no dates: days cannot be checked."),
    "no_data": n_("There are no figures yet."),
}
DRAWN = frozenset({Kind.AB})
"""Kinds whose arms' sizes lots decided unit by unit."""


def health_of(plan: Plan, data: Data) -> Health:
    """The checks that come before any effect is shown."""
    counted_by, counts = units_by_arm(plan, data)
    weights = {arm.key: arm.weight for arm in plan.arms}
    days = data.days
    ratio = sample_ratio(plan, counts)
    span = (days[-1] - days[0]).days + 1 if days else 0
    mismatch = bool(ratio and ratio.mismatch)
    exposed = any(counts.get(arm.key, 0) > 0 for arm in plan.arms if arm.weight == 0)
    notes = []
    if not data:
        notes.append("no_data")
    if exposed:
        notes.append("exposed_zero_weight")
    elif mismatch:
        notes.append("sample_ratio")
    if data and plan.design.kind not in SERIES_KINDS and any(counts.get(a.key, 0) == 0 for a in plan.arms if a.weight > 0):
        notes.append("empty_arm")
    if data.units and not days:
        notes.append("undated")
    missing = missing_shares(plan, data, counts)
    notes += loss_notes(plan, data, counts)
    if plan.design.kind is Kind.BEFORE_AFTER and overlap(plan, data):
        notes.append("surveys_overlap")
    gaps = span - len(days)
    if gaps:
        notes.append("days_missing")
    return Health(
        counts={arm.key: counts.get(arm.key, 0.0) for arm in plan.arms},
        weights=weights,
        counted_by=counted_by,
        sample_ratio_p=ratio.p_value if ratio else None,
        sample_ratio_mismatch=mismatch or exposed,
        exposed_zero_weight=exposed,
        missing=missing,
        first_day=iso(days[0]) if days else None,
        last_day=iso(days[-1]) if days else None,
        days=span,
        min_days=plan.sample.min_weeks_in_days,
        gaps=gaps,
        notes=tuple(notes),
    )


def iso(day: date) -> str:
    """The day as text."""
    return day.isoformat()


def units_by_arm(plan: Plan, data: Data) -> tuple[str, dict[str, float]]:
    """How many units each arm received: by its exposure where that was counted, else by the primary metric."""
    received = exposures(data)
    if received:
        return EXPOSURE, received
    found = summaries(plan, data, plan.primary)
    return plan.primary.key, {arm: one.n + one.unknown for arm, one in found.items()}


def sample_ratio(plan: Plan, counts: dict[str, float]) -> SampleRatio | None:
    """The test of the draw; None where lots did not decide sizes, or nobody was counted."""
    if plan.design.kind not in DRAWN or sum(counts.values()) < 1:
        return None
    sizes = [round(counts.get(arm.key, 0.0)) for arm in plan.arms]
    return check_sample_ratio(sizes, [arm.weight for arm in plan.arms])


def loss_notes(plan: Plan, data: Data, counts: dict[str, float]) -> list[str]:
    """Whether outcomes are missing more in one arm than in another, or are more than the units that came."""
    found = summaries(plan, data, plan.primary)
    pairs = [(one.n, counts.get(arm, 0.0)) for arm, one in found.items() if counts.get(arm, 0.0) > 0]
    if plan.primary.type is Outcome.RATE or len(pairs) < 2:  # noqa: PLR2004 - nothing to compare
        return []
    if any(known > received for known, received in pairs):
        return ["more_outcomes_than_units"]
    known, received = sum(one for one, _all in pairs), sum(one for _known, one in pairs)
    if known in {0.0, received}:
        return []
    expected = known / received
    chi2 = sum((one - every * expected) ** 2 / (every * expected * (1 - expected)) for one, every in pairs)
    from scipy.special import chdtrc  # noqa: PLC0415

    return ["missing_differs"] if chdtrc(len(pairs) - 1, chi2) < ALARM else []


ALARM = 0.001
"""As for the arms' sizes: rare enough to be a fault rather than chance."""


def overlap(plan: Plan, data: Data) -> bool:
    """Whether the survey called before is not wholly before the one called after."""
    rows = [(row.arm, row.day) for row in data.counts] + [(row.arm, row.day) for row in data.units if row.day is not None]
    before = [day for arm, day in rows if arm == plan.control.key]
    after = [day for arm, day in rows if arm != plan.control.key]
    return bool(before and after) and max(before) >= min(after)


def missing_shares(plan: Plan, data: Data, counts: dict[str, float]) -> dict[str, float]:
    """The share of each arm's units without a primary outcome."""
    found = summaries(plan, data, plan.primary)
    return {arm: max(0.0, 1 - found[arm].n / total) if total else 0.0 for arm, total in counts.items() if arm in found}
