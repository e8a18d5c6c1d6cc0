"""Looking as often as one likes: intervals and p-values that hold at every look at once, for trials without a planned size.

Wider than a single look's interval. Measured over 60 daily looks (5,000 simulated trials, two proportions, alpha 5 %, from 2 people a
day to 300): 0 to 3.5 % false positives, and 43 to 56 % power where a single look at the end has about 80 %. A plan that knows its size does
better with `group_sequential.spending_bounds`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fabrique.stats.interval import Interval

LEAST_N = 20
"""Both arms together. Below it, an estimated standard error is no guide: with one person a day in each arm, of whom half succeed, 5.6 %
of simulated trials crossed at some look when looks began at two people, and 51 % when a spread of zero was taken at its word."""


@dataclass(frozen=True, slots=True)
class ConfidenceSequence:
    """What one look says. halfwidth: of `interval` (infinite: too early to say anything); p_value: valid however many looks were
    taken (the smallest so far may be kept); rho: the mixing parameter, which says at which size the sequence is tightest."""

    halfwidth: float
    interval: Interval
    p_value: float
    rho: float


@dataclass(frozen=True, slots=True)
class MixtureSprt:
    """likelihood_ratio: of a difference drawn from N(0, tau²), over none; p_value: min(1, 1 / likelihood_ratio)."""

    likelihood_ratio: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimate and its standard error."""

    estimate: float
    standard_error: float


def mixing_rho(n_star: float, alpha: float = 0.05) -> float:
    """rho for which the sequence is tightest when both arms together hold n_star people. Waudby-Smith et al. 2023, equation 161."""
    _check(alpha)
    if not (math.isfinite(n_star) and n_star > 0):
        msg = f"n_star = {n_star:g}: the size at which the sequence is to be tightest must be positive."
        raise ValueError(msg)
    spent = -2 * math.log(alpha)
    return math.sqrt((spent + math.log(spent + 1)) / n_star)


def always_valid(
    estimate: float, standard_error: float, n: float, *, alpha: float = 0.05, n_star: float, least_n: float = LEAST_N
) -> ConfidenceSequence:
    """Asymptotic confidence sequence of an effect, at one look.

    estimate, standard_error: of the effect, from all data so far; n: people in both arms so far; n_star: the n at which the sequence
    is to be tightest (the size one expects; choose it before the start). Where nothing can be said yet (n below `least_n`, or every
    answer alike so far, a standard error of 0) the interval is the whole line and p = 1.
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2023 (arXiv 2103.06476v7), equations 9 and 155, in GrowthBook's parametrisation.
    Raises ValueError for a negative standard error or n, or an estimate that is not a number.
    """
    rho = mixing_rho(n_star, alpha)
    if not math.isfinite(estimate) or not math.isfinite(standard_error) or standard_error < 0:
        msg = f"an estimate of {estimate:g} with a standard error of {standard_error:g}: neither may be missing, nor an error negative."
        raise ValueError(msg)
    if not n >= 0:
        msg = f"{n:g} people: a number of people cannot be negative or missing."
        raise ValueError(msg)
    if standard_error == 0 or n == 0 or n < least_n:
        return ConfidenceSequence(math.inf, Interval(-math.inf, math.inf), 1.0, rho)
    informed = n * rho**2
    halfwidth = standard_error * math.sqrt((informed + 1) / informed * (math.log1p(informed) - 2 * math.log(alpha)))
    # In logarithms: e-values beyond 1e308 are ordinary in large trials.
    log_e = 0.5 * (estimate / standard_error) ** 2 * informed / (informed + 1) - 0.5 * math.log1p(informed)
    interval = Interval(estimate - halfwidth, estimate + halfwidth)
    return ConfidenceSequence(halfwidth, interval, math.exp(-max(log_e, 0.0)), rho)


def mixture_sprt(estimate: float, standard_error: float, *, tau: float) -> MixtureSprt:
    """Mixture sequential probability ratio test of no effect against effects drawn from N(0, tau²).

    estimate, tau: in the same unit; tau about the size of effect one hopes for. With a standard error of 0 nothing is known: ratio 1.
    Johari, Koomen, Pekelis & Walsh 2022, with the variance estimated apart in each arm.
    Raises ValueError for a tau that is not positive or a negative standard error. An astronomic ratio is given as infinite.
    """
    if not (math.isfinite(tau) and tau > 0):
        msg = f"tau = {tau:g}: the spread of the effects that are looked for must be positive."
        raise ValueError(msg)
    if not math.isfinite(estimate) or not math.isfinite(standard_error) or standard_error < 0:
        msg = f"an estimate of {estimate:g} with a standard error of {standard_error:g}: neither may be missing, nor an error negative."
        raise ValueError(msg)
    if standard_error == 0:
        return MixtureSprt(1.0, 1.0)
    variance = standard_error**2
    wide = variance + tau**2
    log_ratio = 0.5 * math.log(variance / wide) + 0.5 * (estimate / standard_error) ** 2 * tau**2 / wide
    ratio = math.exp(log_ratio) if log_ratio < 709 else math.inf  # noqa: PLR2004 - the largest power of e a float holds
    return MixtureSprt(ratio, math.exp(-max(log_ratio, 0.0)))


def relative_effect(treat: Effect, ctrl: Effect) -> Effect | None:
    """Lift of one level over another, (treat - ctrl) / ctrl, with its standard error by the delta method, as GrowthBook.

    None where the control's level is 0: no lift is defined.
    """
    if ctrl.estimate == 0:
        return None
    ratio = treat.estimate / ctrl.estimate
    spread = math.hypot(treat.standard_error, ratio * ctrl.standard_error) / abs(ctrl.estimate)
    return Effect(ratio - 1, spread)


def _check(alpha: float) -> None:
    if not 0 < alpha < 1:
        msg = f"an alpha of {alpha:g}: it lies between 0 and 1."
        raise ValueError(msg)
