"""Is a rate worse by more than a margin? Exact, for guardrails that count events."""

from __future__ import annotations

from scipy.stats import binom


def exact_ratio_tests(
    events_treat: int, exposure_treat: float, events_ctrl: int, exposure_ctrl: float, *, ratio: float
) -> tuple[float, float]:
    """One-sided exact p-values (below, above) that the rate ratio, treatment over control, lies below, or above, `ratio`.

    Given the total of the events, those of the treatment are binomial (Przyborowski & Wilenski 1940); with no event at all both
    are 1. Raises ValueError for negative counts, exposures that are not positive, or a ratio that is not.
    """
    if events_treat < 0 or events_ctrl < 0 or exposure_treat <= 0 or exposure_ctrl <= 0:
        raise ValueError("Events cannot be negative, and exposures must be positive.")
    if ratio <= 0:
        raise ValueError(f"A ratio of {ratio:g}: rates are compared with a positive one.")
    total = events_treat + events_ctrl
    share = ratio * exposure_treat / (ratio * exposure_treat + exposure_ctrl)
    below = float(binom.cdf(events_treat, total, share))
    above = float(binom.sf(events_treat - 1, total, share))
    return below, above
