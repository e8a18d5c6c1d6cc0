"""Many series, for ever: which changes may be told, so that the share of false ones among those told stays bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FALSE_SHARE = 0.10
"""At most this share of the changes told in a year is false, on average."""


def trusted(chances: ArrayLike, series: int, share: float = FALSE_SHARE) -> NDArray[np.bool_]:
    """Which of a year's changes may be told. One bool a change.

    chances: for each change, how many as clear one series would show in a year though nothing moved (`Evidence.chance`);
    series: how many are watched. Of the k clearest, `series × chance` of the k-th are expected by chance alone: the most are told for
    which that stays within `share` of k (Benjamini & Hochberg 1995, over series and a year). With few series nothing is held back;
    where nothing moves anywhere, any change at all is told in a year with probability `share` at most.
    Raises ValueError for a negative chance or no series.
    """
    given = np.atleast_1d(np.asarray(chances, dtype=np.float64))
    if (given < 0).any() or not np.isfinite(given).all():
        raise ValueError("a chance is a number from 0 up")
    if series < 1:
        raise ValueError("at least one series is watched")
    order = np.sort(given)
    expected = series * order
    allowed = np.flatnonzero(expected <= share * np.arange(1, len(order) + 1))
    if not len(allowed):
        return np.zeros(len(given), dtype=np.bool_)
    return np.asarray(given <= order[allowed[-1]])
