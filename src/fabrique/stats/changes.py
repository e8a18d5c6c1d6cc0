"""What moved? Sustained changes in one series or in many, each with its date, its size and how often chance would do as much.

Every form is brought to a scale where its sampling variance is known (Anscombe 1948 for counts); the series' own overdispersion,
autocorrelation and season are read from it (`engine/noise`, `engine/season`); then the series is cut into levels and slopes at the least
price (`engine/pieces`). One set of defaults for all; experiments/calibration-watch measures what they promise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from fabrique.stats.limits import Kind, kind_of
from fabrique.stats.measurements import Form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from fabrique.stats.measurements import Measurements

    Floats = NDArray[np.float64]

VERSION = "changes-3"
SHORTEST = 8
"""Fewer values than this are said to be not enough."""
LONGEST = 1_000_000
"""More periods than this are refused."""
NORMAL_95 = 1.959963984540054
STANDARD = 13.0
"""The price of a change where variance is known: strengths are told on this scale."""
CHANCE_AT_STANDARD = 0.08
"""False flags a series-year at that strength, looking every week: the worst family of experiments/calibration-watch."""
CHANCE_DECAY = 0.31
"""How fast they become rarer with strength, exp(-CHANCE_DECAY · (strength - STANDARD)): slower than in any family measured there."""
TOLERANCE = 4
"""Periods by which the date of one and the same change may move between two looks."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How clear a change is.

    ratio: twice the gain in log-likelihood; z: its square root; threshold: what it had to gain; chance: how many changes this clear
    a year of weekly looks at one series would show though nothing moved.
    """

    ratio: float
    z: float
    threshold: float
    chance: float


@dataclass(frozen=True, slots=True)
class Change:
    """One sustained change. Indices count the series' periods from 0, missing ones included.

    before and after are levels, without their season; where the series slopes, what it had come to just before and began at just after.
    """

    index: int
    earliest: int
    latest: int
    before: float
    after: float
    effect: float
    effect_low: float
    effect_high: float
    direction: Kind
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Detection:
    """What moved in one series, and what kept us from saying more."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    """Codes: too_short, constant, drift, autocorrelated, season, restless."""
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Seen:
    """A change as replays follow it: what is said of it last, and the look that showed it first."""

    change: Change
    first_seen: int


@dataclass(slots=True)
class Replayed:
    """What looks after every new period would have said."""

    detection: Detection
    first_seen: list[int] = field(default_factory=list)
    """For each change of the whole series, the index of the period after which it was first flagged."""
    withdrawn: list[Seen] = field(default_factory=list)
    """Changes that were flagged once and later taken back."""


def detect(series: Measurements, better: str | None = None, season: float = 0.0) -> Detection:
    """Changes in a series, oldest first.

    better: higher, lower or None, decides the direction's name; season: periods a year (or week) holds, 0 where none is known.
    Raises ValueError for more than LONGEST periods.
    """
    if len(series) > LONGEST:
        raise ValueError(f"the series has {len(series)} periods; at most {LONGEST} can be examined")
    seen = np.flatnonzero(series.present)
    if len(seen) < SHORTEST:
        return Detection((), ("too_short",))
    if np.ptp(series.level[seen]) == 0:
        return Detection((), ("constant",))
    from fabrique.stats.engine import examine as engine  # noqa: PLC0415 - compiled code takes a moment to load

    y, v, counted = stabilised(series, seen)
    rows, summary = engine.examine(y, v, seen.astype(np.float64), counted, season)
    variance, correlation, threshold, *_ = summary.tolist()
    noise = Noise(variance, correlation, threshold, counted, float(np.var(series.level[seen])))
    widened = np.ones(len(rows))
    if summary[engine.WAVES] and len(rows):
        level, widened = unseasonal(series, seen, rows[:, engine.INDEX].astype(np.int64), season)
        series = replace(series, level=level)
    changes = [
        describe(series, seen, noise, row.astype(np.int64), float(row[engine.GAIN]), better, float(wider))
        for row, wider in zip(rows, widened, strict=True)
    ]
    told = {
        "restless": summary[engine.RESTLESS],
        "season": summary[engine.WAVES],
        "drift": summary[engine.DRIFT],
        "autocorrelated": noise.correlation > 0.4,  # noqa: PLR2004 - worth telling: it includes a margin of up to 0.25
    }
    return Detection(tuple(changes), tuple(code for code, holds in told.items() if holds))


def stabilised(series: Measurements, seen: NDArray[np.intp]) -> tuple[Floats, Floats, bool]:
    """The values on a scale of known variance, that variance, and whether counts gave it (else it is only relative)."""
    level, weight = series.level[seen], series.weight[seen]
    match series.form:
        case Form.PROPORTION | Form.RATE:
            return *steadied(series.form, level, weight), True
        case Form.MEAN | Form.SCORE if np.isfinite(series.spread) and series.spread > 0:
            return (level - np.median(level)) / series.spread, 1 / weight, True
        case _:
            apart = level - np.median(level)
            apart = apart / np.abs(apart).max()  # squares of very small numbers would vanish
            return apart / np.std(apart), np.ones(len(level)), False


def unseasonal(series: Measurements, seen: NDArray[np.intp], starts: NDArray[np.int64], season: float) -> tuple[Floats, Floats]:
    """The levels less their season, and how much wider not knowing the season makes each change's interval.

    The season is fitted together with the pieces between changes (weighted least squares): a step must not pass for a part of it.
    """
    from fabrique.stats.engine.season import waves_tried  # noqa: PLC0415 - compiled code takes a moment to load

    time = seen.astype(np.float64)
    piece = np.searchsorted(starts, np.arange(len(seen)), side="right")
    columns = [np.where(piece == one, 1.0, 0.0) for one in range(len(starts) + 1)]
    columns += [
        np.where(piece == one, time - time.mean(), 0.0) for one in range(len(starts) + 1) if (piece == one).sum() > season
    ]
    turns = [2 * np.pi * k / season * time for k in range(1, waves_tried(season) + 1)]
    waves = np.column_stack([wave(turn) for turn in turns for wave in (np.cos, np.sin)])
    weight = np.sqrt(series.weight[seen] / series.weight[seen].mean()) if series.form is not Form.VALUE else np.ones(len(seen))
    design = np.column_stack([*columns, waves])
    fitted = np.linalg.lstsq(design * weight[:, None], series.level[seen] * weight, rcond=None)[0]
    level = series.level.copy()
    level[seen] -= waves @ fitted[len(columns) :]
    levels = np.column_stack(columns[: len(starts) + 1]) * weight[:, None]
    joint, alone = np.linalg.pinv(np.hstack([levels, waves * weight[:, None]])), np.linalg.pinv(levels)
    wider = [np.linalg.norm(joint[i + 1] - joint[i]) / np.linalg.norm(alone[i + 1] - alone[i]) for i in range(len(starts))]
    return level, np.array(wider)


def steadied(form: Form, level: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Shares or rates on a scale whose variance does not hang on their level, 0 and 1 included, and that variance. Anscombe 1948."""
    if form is Form.PROPORTION:
        share = np.clip((level * weight + 3 / 8) / (weight + 3 / 4), 0.0, 1.0)
        return 2 * np.arcsin(np.sqrt(share)), 1 / (weight + 0.5)
    return 2 * np.sqrt(level + 3 / (8 * weight)), 1 / weight


@dataclass(frozen=True, slots=True)
class Noise:
    """How a series varies by itself."""

    variance: float
    """In units of what sampling gives; for bare values, in units of the series' own variance."""
    correlation: float
    threshold: float
    counted: bool
    unit: float
    """The series' own variance, season and changes included."""

    def inflation(self, periods: int) -> float:
        """How much wider the variance of a mean over so many periods is than without autocorrelation (AR(1), exact)."""
        rho = self.correlation
        return (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**periods) / (periods * (1 - rho) ** 2)


def describe(
    series: Measurements,
    seen: NDArray[np.intp],
    noise: Noise,
    row: NDArray[np.int64],
    gain: float,
    better: str | None,
    wider: float,
) -> Change:
    """One change in the series' own unit, its interval `wider` times as wide. Levels are pooled by counts, as a person would."""
    middle, earliest, latest, _gain, first, end, left_kind, right_kind = row.tolist()
    before, wide_before = level_of(series, seen[first:middle], noise, at=-1 if left_kind else None)
    after, wide_after = level_of(series, seen[middle:end], noise, at=0 if right_kind else None)
    half = wider * NORMAL_95 * float(np.hypot(wide_before, wide_after))
    effect = after - before
    return Change(
        index=int(seen[middle]),
        earliest=int(seen[earliest]),
        latest=int(seen[latest]),
        before=before,
        after=after,
        effect=effect,
        effect_low=effect - half,
        effect_high=effect + half,
        # A slope that only bends has moved nothing yet.
        direction=kind_of(effect > 0, better) if abs(effect) > half else Kind.NEUTRAL,
        evidence=Evidence(gain, float(np.sqrt(max(gain, 0.0))), noise.threshold, chance(gain, noise.threshold)),
    )


def chance(gain: float, threshold: float) -> float:
    """How many changes of that gain one series shows in a year of weekly looks though nothing moved."""
    strength = STANDARD * gain / threshold
    return float(min(1.0, CHANCE_AT_STANDARD * np.exp(-CHANCE_DECAY * (strength - STANDARD))))


def level_of(series: Measurements, periods: NDArray[np.intp], noise: Noise, *, at: int | None) -> tuple[float, float]:
    """The level of some periods and its standard error; of a slope, that at its first (0) or last (-1) period."""
    level = series.level[periods]
    weight = series.weight[periods] if noise.counted else np.ones(len(periods))
    share = weight / weight.sum()
    middle = float(np.clip(share @ level, level.min(), level.max()))
    one = trial_variance(series, middle, float(weight.sum())) if noise.counted else noise.unit
    error = float(np.sqrt(noise.inflation(len(periods)) * noise.variance * (share**2 @ (one / weight))))
    if at is None:
        return middle, error
    time = periods - share @ periods
    slope = float((share * time) @ level / ((share * time) @ time))
    # The end of a fitted line is twice as uncertain as its middle.
    return float(np.clip(middle + slope * time[at], series.lowest, series.highest)), 2 * error


def trial_variance(series: Measurements, level: float, trials: float) -> float:
    """Variance of one trial at a level; never zero, so that 0 % and 100 % have an interval too (Agresti & Coull 1998)."""
    match series.form:
        case Form.PROPORTION:
            share = (level * trials + 1) / (trials + 2)
            return share * (1 - share)
        case Form.RATE:
            return level + 1 / trials
        case _:
            return series.spread**2


def replay(series: Measurements, better: str | None = None, season: float = 0.0, begin: int = SHORTEST) -> Replayed:
    """When would one have known? Looks after every new period from `begin` periods on, as the nightly run does."""
    known: list[Seen] = []
    detection = Detection((), ("too_short",))
    for size in range(max(begin, 1), len(series) + 1):
        detection = detect(series.first(size), better, season)
        known = [*followed(known, detection, size - 1)]
    if begin > len(series):
        detection = detect(series, better, season)
    stands = {seen.change.index: seen.first_seen for seen in known if seen.change in detection.changes}
    return Replayed(
        detection,
        [stands.get(change.index, len(series) - 1) for change in detection.changes],
        [seen for seen in known if seen.change not in detection.changes],
    )


def followed(known: Sequence[Seen], detection: Detection, look: int) -> Iterator[Seen]:
    """What was known, brought up to date with one look: each change keeps the look that showed it first."""
    left = list(known)
    for change in detection.changes:
        same = [one for one in left if is_same(one.change, change)]
        nearest = min(same, key=lambda one: abs(one.change.index - change.index), default=None)
        if nearest is not None:
            left.remove(nearest)
        yield Seen(change, nearest.first_seen if nearest else look)
    yield from left


def is_same(one: Change, other: Change) -> bool:
    """Whether two looks tell of one change: same way, dates near or plausible dates in common."""
    near = abs(one.index - other.index) <= TOLERANCE or (one.earliest <= other.latest and other.earliest <= one.latest)
    return near and (one.effect > 0) == (other.effect > 0)
