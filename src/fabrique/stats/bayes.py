"""A second reading of a result: how likely is the treatment better, and what would choosing wrongly cost? It never decides alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special, stats

from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)
TAIL = 1e-15
"""What is left out of a law at each end."""
LEAST_PRIOR = 0.1
"""A smaller prior believes in nothing but 0 % and 100 %."""
ANGLE = 0.5
"""Parameters of a beta law below which its density is infinite at an end even in arcsines."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed of an effect, treatment against control, once the data are in.

    p_better: chance that the effect is positive. loss_treat: expected loss of choosing the treatment (it counts when the control
    is better, by how much); loss_ctrl: of choosing the control. interval: credible, as much left out at each end.
    """

    effect: float
    standard_deviation: float
    interval: Interval
    p_better: float
    loss_treat: float
    loss_ctrl: float


def beta_binomial(
    x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, prior: tuple[float, float] = (1.0, 1.0), alpha: float = 0.05
) -> Posterior:
    """Difference of two proportions, each with the same independent beta prior; no normal approximation, any sample size.

    Integrals of the two beta laws by Gauss and Legendre between their quantiles: about twelve digits (three where an arm has
    no success, or no failure, under a prior below Jeffreys' 0.5); equal to Evan Miller's closed sums for whole numbers.
    Raises ValueError on impossible counts, prior or alpha.
    """
    one, two = (_updated(x, n, prior) for x, n in ((x_treat, n_treat), (x_ctrl, n_ctrl)))
    _check_alpha(alpha)
    edges = _edges(one, two, 0.0)
    treat: Callable[[Floats], Floats] = lambda at: special.betainc(*one, at)  # noqa: E731
    ctrl: Callable[[Floats], Floats] = lambda at: special.betainc(*two, at)  # noqa: E731
    bounds = [_difference_quantile(one, two, share) for share in (alpha / 2, 1 - alpha / 2)]
    means = [a / (a + b) for a, b in (one, two)]
    spread = math.sqrt(sum(a * b / ((a + b) ** 2 * (a + b + 1)) for a, b in (one, two)))
    return Posterior(
        effect=means[0] - means[1],
        standard_deviation=spread,
        interval=Interval(bounds[0], bounds[1]),
        p_better=min(1.0, 1 - _below(one, two, 0.0)),
        # The mean of a positive part is the area under a chance: nothing is subtracted, so small losses keep their digits.
        loss_treat=_integral(lambda at: treat(at) * special.betaincc(*two, at), edges),
        loss_ctrl=_integral(lambda at: ctrl(at) * special.betaincc(*one, at), edges),
    )


def gaussian_effect(
    effect: float, standard_error: float, *, prior: tuple[float, float] | None = None, alpha: float = 0.05
) -> Posterior:
    """Normal posterior of any effect known by its estimate and standard error, with a normal prior (mean, variance) or none.

    Losses by the closed form of a normal's positive part; as GrowthBook. Raises ValueError for a standard error or a prior
    variance that is not positive.
    """
    _check_alpha(alpha)
    if not (0 < standard_error < math.inf and math.isfinite(effect)):
        raise ValueError(
            f"An effect of {effect:g} with a standard error of {standard_error:g}: the error must be positive and finite."
        )
    if prior is not None and not (prior[1] > 0 and math.isfinite(prior[0])):
        raise ValueError(f"A prior variance of {prior[1]:g}: it must be positive.")
    mean, deviation = effect, standard_error
    if prior is not None:
        precision = 1 / standard_error**2 + 1 / prior[1]
        mean = (effect / standard_error**2 + prior[0] / prior[1]) / precision
        deviation = precision**-0.5
    z, half = mean / deviation, float(stats.norm.isf(alpha / 2)) * deviation
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    losses = [max(deviation * (density - sign * z * float(special.ndtr(-sign * z))), 0.0) for sign in (1, -1)]
    return Posterior(mean, deviation, Interval(mean - half, mean + half), float(special.ndtr(z)), losses[0], losses[1])


def _difference_quantile(one: tuple[float, float], two: tuple[float, float], share: float) -> float:
    def lacking(gap: float) -> float:
        # A difference of two shares is never below -1 or above 1, whatever an integral's last digits say.
        return (_below(one, two, gap) if abs(gap) < 1 else float(gap > 0)) - share

    return float(optimize.brentq(lacking, -1.0, 1.0, xtol=1e-12, rtol=1e-12))


def _below(one: tuple[float, float], two: tuple[float, float], gap: float) -> float:
    """Chance that the first exceeds the second by at most the gap."""
    edges = _edges(one, two, gap)
    if min(two) < ANGLE:
        # The density has a spike at an end: integrate over its own quantiles, where it is flat.
        ranks = np.unique(np.r_[0.0, special.betainc(*two, edges), 1.0])
        total = _integral(lambda rank: _at_most(one, special.betaincinv(*two, rank) + gap), ranks)
    else:
        low, high = (float(special.betaincinv(*two, end)) for end in (TAIL, 1 - TAIL))
        angles = np.unique(np.arcsin(np.sqrt(np.clip(edges, low, high))))
        total = _integral(lambda angle: _angular_density(two, angle) * _at_most(one, np.sin(angle) ** 2 + gap), angles)
    return min(1.0, max(0.0, total))


def _angular_density(law: tuple[float, float], angle: Floats) -> Floats:
    """Density of the arcsine of a share's root, which has no spike down to Jeffreys' prior."""
    log_density = (2 * law[0] - 1) * np.log(np.sin(angle)) + (2 * law[1] - 1) * np.log(np.cos(angle))
    return np.asarray(2 * np.exp(log_density - special.betaln(*law)), dtype=np.float64)


def _at_most(law: tuple[float, float], at: Floats) -> Floats:
    return np.asarray(special.betainc(*law, np.clip(at, 0.0, 1.0)), dtype=np.float64)


def _edges(one: tuple[float, float], two: tuple[float, float], gap: float) -> Floats:
    """Where either law (the first moved by the gap) begins, rises, turns and ends, so that each piece between them is smooth."""
    ends = np.array([TAIL, 1e-5, 0.02, 0.5, 0.98, 1 - 1e-5, 1 - TAIL])
    return np.unique(np.clip(np.r_[special.betaincinv(*one, ends) - gap, special.betaincinv(*two, ends)], 0.0, 1.0))


def _integral(function: Callable[[Floats], Floats], edges: Floats) -> float:
    middles, halves = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    values = function(middles[:, None] + halves[:, None] * NODES)
    return float((values * WEIGHTS * halves[:, None]).sum())


def _updated(x: int, n: int, prior: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= x <= n:
        raise ValueError(f"{x:g} successes out of {n:g} trials: a count is neither negative nor above its total.")
    if not (min(prior) >= LEAST_PRIOR and max(prior) < math.inf):
        raise ValueError(f"A beta prior of {prior[0]:g} and {prior[1]:g}: both must be 0.1 at least.")
    return prior[0] + x, prior[1] + n - x


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}: it must lie between 0 and 1.")
