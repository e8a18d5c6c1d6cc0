"""Several questions asked at once: p-values adjusted so that the false answers among them stay rare.

Each function takes p-values in any order and returns the adjusted ones in the same order: reject where it is at most alpha.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def bonferroni(p_values: ArrayLike) -> Floats:
    """Chance of any false answer at most alpha, whatever the dependence; Holm's is never worse."""
    p = _checked(p_values)
    return np.minimum(p * p.size, 1.0)


def holm(p_values: ArrayLike) -> Floats:
    """Chance of any false answer at most alpha, whatever the dependence (Holm 1979): for secondary metrics."""
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    return _back(np.minimum(raised, 1.0), order)


def hochberg(p_values: ArrayLike) -> Floats:
    """Chance of any false answer at most alpha for independent or positively dependent tests (Hochberg 1988)."""
    p = _checked(p_values)
    return _step_up(p, np.arange(1, p.size + 1, dtype=np.float64))


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Expected share of false answers among those told at most alpha (Benjamini and Hochberg 1995): for subgroups."""
    p = _checked(p_values)
    return _step_up(p, p.size / np.arange(p.size, 0, -1))


def benjamini_yekutieli(p_values: ArrayLike) -> Floats:
    """The same whatever the dependence (Benjamini and Yekutieli 2001)."""
    p = _checked(p_values)
    return _step_up(p, p.size * (1 / np.arange(1, p.size + 1)).sum() / np.arange(p.size, 0, -1))


def _step_up(p: Floats, factors: Floats) -> Floats:
    """From the largest down: each at most the one before, the largest taking the first factor."""
    order = np.argsort(-p, kind="stable")
    return _back(np.minimum(np.minimum.accumulate(p[order] * factors), 1.0), order)


def _back(adjusted: Floats, order: NDArray[np.intp]) -> Floats:
    result = np.empty_like(adjusted)
    result[order] = adjusted
    return result


def _checked(p_values: ArrayLike) -> Floats:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError("The p-values must be one list.")
    for value in p.tolist():
        if not 0 <= value <= 1:
            raise ValueError(f"A p-value of {value:g}: it must lie between 0 and 1.")
    return p
