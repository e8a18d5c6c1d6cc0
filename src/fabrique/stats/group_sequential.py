"""Looking at a trial before its end without fooling oneself: bounds for each look, their power, and the size they cost.

For plans with a planned sample size. Everything is two-sided and symmetric: a trial stops when |z| passes the bound of its look.
The joint law of the looks is that of a Brownian motion B seen at the information fractions t: z = B(t) / sqrt(t); its density among
the paths that crossed no bound yet is carried from look to look by quadrature (Armitage, McPherson & Rowe 1969).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import norm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Classic = Literal["obf", "pocock"]
Spending = Literal["obrien_fleming", "pocock", "power"]

FARTHEST = 30.0
"""A bound is never drawn beyond this many standard errors: the chance left out is below 1e-190."""
SPREAD = 20.0
"""Paths are followed this many standard deviations from their mean: tails as thin as an early look's 1e-60 keep their digits."""
LEAST_STEP = 1e-5
"""Information a look must add, as a fraction of the planned one; below it, it is the former look over again."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
PANEL = 3.0
"""Width of a panel of Gauss-Legendre nodes, in standard deviations of the shortest step beside it."""


@dataclass(frozen=True, slots=True)
class SpendingBounds:
    """One bound a look. information: fractions of what was planned; bounds_z: stop where |z| passes it (infinite: nothing left to
    spend); nominal_p: the same as a two-sided p-value; cumulative_alpha: error spent up to and including the look."""

    information: tuple[float, ...]
    cumulative_alpha: tuple[float, ...]
    bounds_z: tuple[float, ...]
    nominal_p: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Chance of crossing first at each look, above the upper bound and below the lower one."""

    upper: tuple[float, ...]
    lower: tuple[float, ...]

    @property
    def total(self) -> float:
        """Chance of crossing at all."""
        return math.fsum(self.upper) + math.fsum(self.lower)


def classic_bounds(kind: Classic, looks: int, alpha: float = 0.05) -> tuple[float, ...]:
    """Bounds on |z| for equally spaced looks: O'Brien & Fleming 1979 (C·sqrt(K/k)) or Pocock 1977 (C at every look).

    Raises ValueError for fewer than one look or an alpha outside ]0, 1[. Jennison & Turnbull 2000, tables 2.1 and 2.3.
    """
    _check_alpha(alpha)
    if looks < 1:
        msg = f"{looks} looks: a trial is looked at once at least."
        raise ValueError(msg)
    return _classic(kind, int(looks), float(alpha))


@lru_cache(maxsize=256)
def _classic(kind: Classic, looks: int, alpha: float) -> tuple[float, ...]:
    fractions = np.arange(1, looks + 1) / looks
    shape = 1 / np.sqrt(fractions) if kind == "obf" else np.ones(looks)

    def excess(constant: float) -> float:
        return crossing_probability(tuple(constant * shape), tuple(fractions), 0.0).total - alpha

    single = float(norm.isf(alpha / 2))
    # Bonferroni's constant crosses less than alpha, a single look's at least alpha.
    constant = single if looks == 1 else float(brentq(excess, single, float(norm.isf(alpha / 2 / looks)), xtol=1e-10))
    return tuple(float(b) for b in constant * shape)


def spending_bounds(
    information: Sequence[float],
    *,
    alpha: float = 0.05,
    spending: Spending = "obrien_fleming",
    phi: float = 2.0,
    planned: float | None = None,
    final: bool = False,
    separate: bool = False,
) -> SpendingBounds:
    """Bounds of the looks taken so far, by error spending (Lan & DeMets 1983), whatever their spacing.

    information: increasing fractions of the planned information; or raw amounts (people, answers) with `planned`, the amount planned.
    spending: the error spent at fraction t: "obrien_fleming" 4 - 4Φ(z(1-alpha/4) / sqrt(t)); "pocock" alpha·log(1 + (e-1)·t);
    "power" alpha·t^phi (Kim & DeMets 1987). final: the last of these looks is the trial's last (under-running): it spends all that
    is left. A look at or beyond fraction 1 (over-running) does so too, at its actual information; one after it has nothing left to
    spend, and an infinite bound. separate: two one-sided tests at alpha/2, each blind to the other, as ldbounds and Spotify do.
    Raises ValueError if a look adds no information to the former, or an option is out of range.
    """
    _check_alpha(alpha)
    if phi <= 0:
        msg = f"phi = {phi:g}: the exponent of a power spending must be positive."
        raise ValueError(msg)
    if planned is not None and not planned > 0:
        msg = f"a planned information of {planned:g}: it must be positive."
        raise ValueError(msg)
    scale = 1.0 if planned is None else float(planned)
    return _spend(_fractions(tuple(float(i) / scale for i in information)), alpha, spending, phi, final, separate)


@lru_cache(maxsize=512)
def _spend(
    fractions: tuple[float, ...], alpha: float, spending: Spending, phi: float, final: bool, separate: bool
) -> SpendingBounds:
    spent = [_spent(t, alpha, spending, phi) for t in fractions]
    if final:
        spent[-1] = alpha
    walk = _Walk(0.0, symmetric=not separate)
    bounds: list[float] = []
    before = 0.0
    for t, following, total in zip(fractions, (*fractions[1:], None), spent, strict=True):
        step = walk.step_to(t)
        # A look so early that its share underflows has the farthest bound; infinite is kept for when nothing is left.
        bounds.append(step.bound_for(max(total - before, 1e-300) if before < alpha else 0.0))
        before = total
        if following is not None:
            walk.keep(step, bounds[-1], following)
    return SpendingBounds(fractions, tuple(spent), tuple(bounds), tuple(float(2 * norm.sf(b)) for b in bounds))


def crossing_probability(bounds: Sequence[float], information: Sequence[float], drift: float) -> Crossing:
    """Chance of first crossing ±bounds at each look when z has mean drift·sqrt(t).

    bounds: on |z|, one a look, may be infinite; information: fractions of the planned information; drift: mean of z at fraction 1
    (effect over its standard error there). Raises ValueError where looks and bounds differ in number or information does not grow.
    """
    fractions = _fractions(tuple(float(t) for t in information))
    if len(bounds) != len(fractions):
        msg = f"{len(bounds)} bounds for {len(fractions)} looks: each look has one."
        raise ValueError(msg)
    if any(not b >= 0 for b in bounds):
        msg = "a bound is negative or missing: bounds are on |z|."
        raise ValueError(msg)
    return _cross(tuple(float(b) for b in bounds), fractions, float(drift))


@lru_cache(maxsize=512)
def _cross(bounds: tuple[float, ...], fractions: tuple[float, ...], drift: float) -> Crossing:
    walk = _Walk(drift, symmetric=True)
    upper, lower = [], []
    for t, following, bound in zip(fractions, (*fractions[1:], None), bounds, strict=True):
        step = walk.step_to(t)
        upper.append(step.above(bound))
        lower.append(step.below(bound))
        if following is not None:
            walk.keep(step, bound, following)
    return Crossing(tuple(upper), tuple(lower))


def power(bounds: Sequence[float], information: Sequence[float], drift: float) -> float:
    """Chance that the trial ends by crossing on the side of the effect; `drift` as in `crossing_probability`."""
    crossing = crossing_probability(bounds, information, drift)
    return min(math.fsum(crossing.upper if drift >= 0 else crossing.lower), 1.0)


def required_drift(bounds: Sequence[float], information: Sequence[float], power: float) -> float:
    """Mean that z must have at fraction 1 for the looks to find the effect with this power.

    Raises ValueError for a power outside ]0, 1[, or below what the bounds give with no effect at all.
    """
    if not 0 < power < 1:
        msg = f"a power of {power:g}: it lies between 0 and 1."
        raise ValueError(msg)
    looks, fractions = tuple(float(b) for b in bounds), tuple(float(t) for t in information)

    def lack(drift: float) -> float:
        return math.fsum(crossing_probability(looks, fractions, drift).upper) - power

    if lack(0.0) >= 0:
        msg = f"a power of {power:g}: these bounds reach it with no effect at all."
        raise ValueError(msg)
    # Any design has at least the power of its least demanding look taken alone, less the chance of stopping on the wrong side.
    farthest = min((b + float(norm.isf((1 - power) / 2))) / math.sqrt(t) for b, t in zip(looks, fractions, strict=True)) + 1
    if not math.isfinite(farthest):
        msg = "every bound is infinite: no effect can cross one."
        raise ValueError(msg)
    return float(brentq(lack, 0.0, farthest, xtol=1e-10))


def inflation(
    design: Classic | SpendingBounds, looks: int | None = None, *, alpha: float | None = None, power: float = 0.8
) -> float:
    """Largest sample size of a design with looks, over that of a single look at the end with the same error and power.

    design: "obf" or "pocock" with its number of equal `looks` (alpha 0.05 unless said), or the bounds of a spending plan up to its
    last look (alpha: what it spends in all). Jennison & Turnbull 2000, tables 2.2 and 2.4.
    """
    if isinstance(design, SpendingBounds):
        bounds, information = design.bounds_z, design.information
        level = design.cumulative_alpha[-1] if alpha is None else alpha
    elif looks is None:
        msg = f'"{design}" without its number of looks: say how many.'
        raise ValueError(msg)
    else:
        level = 0.05 if alpha is None else alpha
        bounds, information = classic_bounds(design, looks, level), tuple(k / looks for k in range(1, looks + 1))
    drift = required_drift(bounds, information, power)
    single = float(norm.isf(level / 2) + norm.ppf(power))
    return float(information[-1] * (drift / single) ** 2)


class _Walk:
    """The paths that crossed no bound so far: their density on nodes, at the last look."""

    def __init__(self, drift: float, *, symmetric: bool) -> None:
        self.drift = drift
        self.symmetric = symmetric
        self.time = 0.0
        self.nodes: Floats = np.zeros(1)
        self.mass: Floats = np.ones(1)

    def step_to(self, time: float) -> _Step:
        return _Step(self, time)

    def keep(self, step: _Step, bound: float, following: float) -> None:
        """Carry the density over the look at `step`, on nodes fine enough for the look that follows."""
        reach = min(bound, FARTHEST) * math.sqrt(step.time)
        centre = self.drift * step.time
        spread = SPREAD * math.sqrt(step.time)
        low, high = max(-reach, centre - spread), min(reach, centre + spread)
        if not self.symmetric:
            low = centre - spread
        finest = min(step.deviation, math.sqrt(following - step.time))
        nodes, weights = _grid(low, max(high, low), finest)
        scaled = (nodes[:, None] - (self.nodes + step.shift)[None, :]) / step.deviation
        density = np.exp(-0.5 * scaled * scaled) @ self.mass
        self.nodes, self.mass = nodes, weights * density / (step.deviation * math.sqrt(2 * math.pi))
        self.time = step.time


class _Step:
    """From the last look to the next: where its paths go, before a bound is drawn there."""

    def __init__(self, walk: _Walk, time: float) -> None:
        self.walk = walk
        self.time = time
        self.deviation = math.sqrt(time - walk.time)
        self.shift = walk.drift * (time - walk.time)

    def above(self, bound: float) -> float:
        places = (self.walk.nodes + self.shift - bound * math.sqrt(self.time)) / self.deviation
        return float(self.walk.mass @ ndtr(places))

    def below(self, bound: float) -> float:
        places = (-bound * math.sqrt(self.time) - self.walk.nodes - self.shift) / self.deviation
        return float(self.walk.mass @ ndtr(places))

    def bound_for(self, spend: float) -> float:
        """The bound on |z| that exactly `spend` of the paths cross here, half of it on each side."""
        if spend <= 0:
            return math.inf
        high = min(float(norm.isf(spend / 2)), FARTHEST)
        bound = high
        low = 0.0
        root = math.sqrt(self.time) / self.deviation
        # The logarithm of the tail is concave: Newton's steps from the right never pass the solution. Where the tail underflows,
        # halve the interval.
        for _ in range(100):
            places = root * bound - (self.walk.nodes + self.shift) / self.deviation
            tail = float(self.walk.mass @ ndtr(-places))
            slope = float(self.walk.mass @ np.exp(-0.5 * places * places)) * root / math.sqrt(2 * math.pi)
            if tail > spend / 2:
                low = bound
            else:
                high = bound
            move = math.log(2 * tail / spend) * tail / slope if tail > 0 and slope > 0 else math.nan
            trial = bound + move
            if not low <= trial <= high:
                trial = (low + high) / 2
            if abs(trial - bound) < 1e-11:  # noqa: PLR2004 - far below what a z is ever printed to
                return trial
            bound = trial
        return bound


def _grid(low: float, high: float, deviation: float) -> tuple[Floats, Floats]:
    """Composite Gauss-Legendre nodes and weights whose panels are no wider than what varies there."""
    panels = max(2, math.ceil((high - low) / (PANEL * deviation)))
    edges = np.linspace(low, high, panels + 1)
    half = (high - low) / panels / 2
    nodes = (edges[:-1, None] + half * (NODES + 1)[None, :]).ravel()
    return nodes, np.tile(WEIGHTS * half, panels)


def _spent(fraction: float, alpha: float, spending: Spending, phi: float) -> float:
    if fraction >= 1:
        return alpha
    match spending:
        case "obrien_fleming":
            return float(4 * norm.sf(norm.isf(alpha / 4) / math.sqrt(fraction)))
        case "pocock":
            return alpha * math.log1p((math.e - 1) * fraction)
        case "power":
            return float(alpha * fraction**phi)


def _fractions(fractions: tuple[float, ...]) -> tuple[float, ...]:
    if not fractions:
        msg = "no look was given: bounds need one at least."
        raise ValueError(msg)
    before = 0.0
    for look, fraction in enumerate(fractions, start=1):
        if not (math.isfinite(fraction) and fraction > 0):
            msg = f"look {look} has an information of {fraction:g}: it must be positive."
            raise ValueError(msg)
        if fraction - before < LEAST_STEP and look > 1:
            msg = f"look {look} adds no information to look {look - 1}: it cannot be tested apart."
            raise ValueError(msg)
        before = fraction
    # 0.1 added ten times is a full trial, not one that lacks its last digit.
    return tuple(1.0 if abs(f - 1) < 1e-9 else f for f in fractions)  # noqa: PLR2004


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        msg = f"an alpha of {alpha:g}: it lies between 0 and 1."
        raise ValueError(msg)
