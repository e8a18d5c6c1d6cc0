"""When the figures were, or are, looked at, and the boundary of each look.

Without recorded looks the plan's own fractions are taken, each at the first day that reached it: a file and a page agree without a
diary. Where looks were recorded, they count, at the fractions that they had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fabrique.experiments.analysis.summaries import summaries
from fabrique.experiments.plan.schema import Looks, Spending
from fabrique.stats.group_sequential import SpendingBounds, spending_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from fabrique.experiments.data.rows import Data
    from fabrique.experiments.plan.schema import Plan

CLOSE_ENOUGH = 1e-9


@dataclass(frozen=True, slots=True)
class Planned:
    """One look to take: the last day it sees, the fraction of the planned information known then, its boundary."""

    number: int
    day: date
    n: float
    fraction: float
    alpha_spent: float
    nominal_p: float
    boundary_z: float | None
    final: bool
    recorded: bool = False


def information(plan: Plan, n_by_arm: dict[str, float]) -> float:
    """The share of the planned information that the arms hold: 1 where each has what the plan gives it.

    The variance of a difference falls with the harmonic mean of two arms' sizes; of several treatments the least advanced counts.
    """
    planned = planned_sizes(plan)
    if planned is None:
        return 0.0
    control = plan.control.key
    shares = [
        harmonic(n_by_arm.get(control, 0.0), n_by_arm.get(arm.key, 0.0)) / harmonic(planned[control], planned[arm.key])
        for arm in plan.treatments
    ]
    return min(shares, default=0.0)


def harmonic(first: float, second: float) -> float:
    """What two arms are worth together."""
    return first * second / (first + second) if first + second else 0.0


def planned_sizes(plan: Plan) -> dict[str, float] | None:
    """Units planned in each arm; `n_per_arm` is the mean over the arms that receive anybody."""
    if plan.sample.n_per_arm is None:
        return None
    used = [arm for arm in plan.arms if arm.weight > 0]
    total_weight = sum(arm.weight for arm in used)
    return {arm.key: plan.sample.n_per_arm * len(used) * arm.weight / total_weight for arm in used}


def sizes_by_day(plan: Plan, data: Data) -> list[tuple[date, dict[str, float]]]:
    """Each arm's units with a primary outcome at the end of each day, from the first."""
    rows: dict[date, dict[str, float]] = {}
    for day in data.days:
        rows[day] = {}
    for count in data.counts:
        if count.metric == plan.primary.key and count.day in rows:
            rows[count.day][count.arm] = rows[count.day].get(count.arm, 0.0) + count.n
    if not any(rows.values()):
        for unit in data.units:
            if unit.metric == plan.primary.key and unit.day is not None and unit.y is not None:
                rows[unit.day][unit.arm] = rows[unit.day].get(unit.arm, 0.0) + 1.0
    known: dict[str, float] = {}
    found = []
    for day in sorted(rows):
        known = {arm: known.get(arm, 0.0) + rows[day].get(arm, 0.0) for arm in known.keys() | rows[day].keys()}
        found.append((day, known))
    return found


def looks_for(plan: Plan, data: Data, recorded: Sequence[date], *, closed: bool, ended: bool = False) -> list[Planned]:
    """The looks that the data allow by now, in order. `ended`: the last recorded one was the plan's last, and spent everything."""
    sizes = sizes_by_day(plan, data)
    if not sizes:
        return undated(plan, data, closed=closed)
    days = days_to_look(plan, sizes, recorded, closed=closed and not ended)
    return bounded(plan, sizes, days, set(recorded), closed=closed, ended=ended)


def days_to_look(
    plan: Plan, sizes: Sequence[tuple[date, dict[str, float]]], recorded: Sequence[date], *, closed: bool
) -> list[date]:
    """The days that the plan lets one look at."""
    match plan.analysis.looks:
        case Looks.FIXED:
            return final_day(plan, sizes, closed=closed)
        case Looks.GROUP_SEQUENTIAL:
            return sequential_days(plan, sizes, recorded, closed=closed)
        case Looks.ALWAYS_VALID:
            return [sizes[-1][0]]


def undated(plan: Plan, data: Data, *, closed: bool) -> list[Planned]:
    """Units without dates: there is one look, at the end, or the moment the planned size is there."""
    n_by_arm = {arm: one.n for arm, one in summaries(plan, data, plan.primary).items()}
    fraction = information(plan, n_by_arm)
    if not n_by_arm or not (closed or fraction >= 1 - CLOSE_ENOUGH):
        return []
    alpha = plan.analysis.alpha
    return [Planned(1, plan.design.planned_end, sum(n_by_arm.values()), fraction, alpha, alpha, None, final=True)]


def final_day(plan: Plan, sizes: Sequence[tuple[date, dict[str, float]]], *, closed: bool) -> list[date]:
    """The one day of a fixed plan: when the planned size is there, or when the collection is over."""
    reached = sizes[-1][0] if information(plan, sizes[-1][1]) >= 1 - CLOSE_ENOUGH else None
    if reached is not None:
        return [reached]
    return [sizes[-1][0]] if closed else []


def sequential_days(
    plan: Plan, sizes: Sequence[tuple[date, dict[str, float]]], recorded: Sequence[date], *, closed: bool
) -> list[date]:
    """The days of a group-sequential plan's looks."""
    if recorded:
        days = sorted({max((day for day, _n in sizes if day <= one), default=sizes[0][0]) for one in recorded})
    else:
        days = []
        for wanted in plan.analysis.information_fractions:
            day = next((day for day, n in sizes if information(plan, n) >= wanted - CLOSE_ENOUGH), None)
            if day is not None and day not in days:
                days.append(day)
    if closed and (not days or information_on(plan, sizes, days[-1]) < 1 - CLOSE_ENOUGH) and sizes[-1][0] not in days:
        days.append(sizes[-1][0])
    return days


def information_on(plan: Plan, sizes: Sequence[tuple[date, dict[str, float]]], day: date) -> float:
    """The fraction known at the end of a day."""
    return information(plan, next(n for one, n in sizes if one == day))


def bounded(
    plan: Plan,
    sizes: Sequence[tuple[date, dict[str, float]]],
    days: Sequence[date],
    recorded: set[date],
    *,
    closed: bool,
    ended: bool = False,
) -> list[Planned]:
    """The looks of those days with their boundaries. A day that adds no information to the former is no look."""
    by_day = dict(sizes)
    floor = 0.0 if plan.analysis.looks is Looks.GROUP_SEQUENTIAL else -1.0
    kept: list[tuple[date, float]] = []
    for day in days:
        fraction = information(plan, by_day[day])
        if fraction > (kept[-1][1] if kept else floor) + CLOSE_ENOUGH:
            kept.append((day, fraction))
    if not kept:
        return []
    last_is_final = ended or kept[-1][1] >= 1 - CLOSE_ENOUGH or (closed and kept[-1][0] == sizes[-1][0])
    bounds = boundaries(plan, tuple(fraction for _day, fraction in kept), final=last_is_final)
    return [
        Planned(
            number=place + 1,
            day=day,
            n=sum(by_day[day].values()),
            fraction=fraction,
            alpha_spent=bounds.cumulative_alpha[place] if bounds else plan.analysis.alpha,
            nominal_p=bounds.nominal_p[place] if bounds else plan.analysis.alpha / max(1, len(plan.treatments)),
            boundary_z=bounds.bounds_z[place] if bounds else None,
            final=last_is_final and place == len(kept) - 1,
            recorded=day in recorded,
        )
        for place, (day, fraction) in enumerate(kept)
    ]


def boundaries(plan: Plan, fractions: tuple[float, ...], *, final: bool) -> SpendingBounds | None:
    """Lan and DeMets's boundaries at the fractions that were met; None for a plan without interim looks.

    Several treatments share the error equally.
    """
    if plan.analysis.looks is not Looks.GROUP_SEQUENTIAL:
        return None
    return spending_bounds(
        fractions,
        alpha=plan.analysis.alpha / max(1, len(plan.treatments)),
        spending=SPENDING[plan.analysis.spending],
        phi=plan.analysis.phi,
        final=final,
    )


SPENDING: dict[Spending, Literal["obrien_fleming", "pocock", "power"]] = {
    Spending.OBRIEN_FLEMING: "obrien_fleming",
    Spending.POCOCK: "pocock",
    Spending.POWER: "power",
}


def next_fraction(plan: Plan, taken: Sequence[Planned]) -> float | None:
    """The fraction at which the next look is due."""
    if plan.analysis.looks is not Looks.GROUP_SEQUENTIAL or (taken and taken[-1].final):
        return None
    reached = taken[-1].fraction if taken else 0.0
    return next((one for one in plan.analysis.information_fractions if one > reached + CLOSE_ENOUGH), None)
