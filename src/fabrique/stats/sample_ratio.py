"""Did the arms receive the shares of people that were planned? If not, the result is invalid and its effects are hidden."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MISMATCH_BELOW = 0.001
"""p-value below which the arms' sizes are not what the plan's draw gives."""
FEW_EXPECTED = 5.0
"""Expected people in an arm below which several arms are compared exactly."""
MOST_TABLES = 50_000
DRAWS = 100_000


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Pearson's chi-square of the arms' sizes against their planned weights, over the arms of positive weight.

    p_exact: binomial for two arms; multinomial for more where an arm expects fewer than five people; None otherwise.
    exposed_zero_weight: someone saw an arm that nobody should have seen. mismatch: the result is invalid.
    """

    chi2: float
    df: int
    p_value: float
    p_exact: float | None
    exposed_zero_weight: bool
    mismatch: bool


def check_sample_ratio(counts: Sequence[int], weights: Sequence[float], *, seed: int = 0) -> SampleRatio:
    """Compare how many people each arm received with the weights planned, of any scale (0.5 and 0.5, or 1 and 1).

    An arm of weight 0 takes no degree of freedom, and is a mismatch by itself if anybody is in it (counting those degrees, as
    GrowthBook does, hides mismatches). p below 0.001 is a mismatch; the exact p-value decides wherever it is given.
    Nobody anywhere, or a single arm of positive weight: p = 1. Fabijan et al. 2019.
    Raises ValueError for a negative or fractional count, a negative weight, or no positive weight.
    """
    n, planned = _checked(counts, weights)
    used = planned > 0
    seen, share = n[used], planned[used] / planned[used].sum()
    expected = share * seen.sum()
    df = int(used.sum()) - 1
    whole = bool(df and seen.sum())
    chi2 = float(((seen - expected) ** 2 / expected).sum()) if whole else 0.0
    p_value = float(stats.chi2.sf(chi2, df)) if whole else 1.0
    p_exact = _exact(seen.astype(np.int64), share, seed) if df == 1 or (whole and expected.min() < FEW_EXPECTED) else None
    exposed = bool((n[~used] > 0).any())
    decisive = p_value if p_exact is None else p_exact
    return SampleRatio(chi2, df, p_value, p_exact, exposed, exposed or decisive < MISMATCH_BELOW)


def _exact(seen: NDArray[np.int64], share: Floats, seed: int) -> float:
    """Chance of sizes no likelier than these under the plan; all of them where they are few, else 100,000 draws."""
    total = int(seen.sum())
    if len(seen) == 2:  # noqa: PLR2004 - two arms are a binomial
        return float(stats.binomtest(int(seen[0]), total, float(share[0])).pvalue) if total else 1.0
    # Rounding must not tell equally likely sizes apart.
    limit = float(stats.multinomial.logpmf(seen, total, share)) + 1e-7
    ways = math.comb(total + len(seen) - 1, len(seen) - 1)
    if ways <= MOST_TABLES:
        chances = stats.multinomial.logpmf(_every_split(total, len(seen)), total, share)
        return min(1.0, float(np.exp(chances[chances <= limit]).sum()))
    draws = np.random.default_rng(seed).multinomial(total, share, size=DRAWS)
    return (int((stats.multinomial.logpmf(draws, total, share) <= limit).sum()) + 1) / (DRAWS + 1)


def _every_split(total: int, arms: int) -> NDArray[np.int64]:
    """Every way to place `total` people in so many arms: where the bars stand between the stars."""
    bars = np.array(list(combinations(range(total + arms - 1), arms - 1)), dtype=np.int64)
    edges = np.c_[np.full(len(bars), -1), bars, np.full(len(bars), total + arms - 1)]
    return np.asarray(np.diff(edges, axis=1) - 1, dtype=np.int64)


def _checked(counts: Sequence[int], weights: Sequence[float]) -> tuple[Floats, Floats]:
    n, planned = np.asarray(counts, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if n.shape != planned.shape or n.ndim != 1:
        raise ValueError(f"{n.size} counts for {planned.size} weights: each arm has one of each.")
    if not np.isfinite(n).all() or (n < 0).any() or (n != np.floor(n)).any():
        raise ValueError("The people of an arm must be a whole number, 0 or more.")
    if not np.isfinite(planned).all() or (planned < 0).any() or planned.sum() == 0:
        raise ValueError("Weights cannot be negative or missing, and one at least must be positive.")
    return n, planned
