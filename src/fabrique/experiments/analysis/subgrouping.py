"""For whom it worked: exploratory, by tests of interaction answered for their number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fabrique.experiments.analysis.comparing import compare
from fabrique.experiments.analysis.result import Reading, Subgroup
from fabrique.experiments.analysis.summaries import summaries
from fabrique.stats.multiplicity import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.experiments.data.rows import Data
    from fabrique.experiments.plan.schema import Plan


def subgroups(plan: Plan, seen: Data, arm: str) -> tuple[Subgroup, ...]:
    """The primary effect in each value of each subgroup, with one interaction test a subgroup (Cochran's Q)."""
    found = [rows for name in plan.analysis.subgroups if (rows := one_column(plan, seen, arm, name))]
    tests = [rows[0].p_interaction for rows in found if rows[0].p_interaction is not None]
    adjusted = iter(benjamini_hochberg(tests)) if tests else iter(())
    told: list[Subgroup] = []
    for rows in found:
        p = float(next(adjusted)) if rows[0].p_interaction is not None else None
        told += [replace(row, p_interaction_adjusted=p) for row in rows]
    return tuple(told)


def one_column(plan: Plan, seen: Data, arm: str, name: str) -> list[Subgroup]:
    """Each value of one subgroup column."""
    segments = [row.segment for row in seen.counts] + [row.segment for row in seen.units]
    values = sorted({value for segment in segments for key, value in segment if key == name})
    readings: list[tuple[str, Reading]] = []
    for value in values:
        by_arm = summaries(plan, seen, plan.primary, ((name, value),))
        if arm in by_arm and plan.control.key in by_arm:
            reading = compare(plan, plan.primary, arm, by_arm[arm], by_arm[plan.control.key], plan.analysis.alpha)
            readings += [(value, reading)] if reading is not None else []
    p = interaction([reading for _value, reading in readings])
    return [Subgroup(name, value, reading, p, None) for value, reading in readings]


def interaction(readings: Sequence[Reading]) -> float | None:
    """p-value that the effect is the same in all (Cochran's Q over estimates where they are most nearly normal)."""
    known = [(one.link_estimate, one.link_error) for one in readings if one.link_estimate is not None and one.link_error]
    if len(known) < 2:  # noqa: PLR2004 - nothing to compare
        return None
    from scipy.special import chdtrc  # noqa: PLC0415

    weights = [1 / (error * error) for _estimate, error in known]
    estimates = [estimate for estimate, _error in known]
    pooled = sum(w * e for w, e in zip(weights, estimates, strict=True)) / sum(weights)
    q = sum(w * (e - pooled) ** 2 for w, e in zip(weights, estimates, strict=True))
    return float(chdtrc(len(known) - 1, q))
