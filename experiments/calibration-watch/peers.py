"""The engines that ours is measured beside, each at its defaults."""

from __future__ import annotations

import warnings

import numpy as np
import ruptures
from otava.analysis import compute_change_points


def otava(values: np.ndarray) -> list[int]:
    """Apache Otava: E-divisive means with a t-test, its window and p-value as shipped."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = compute_change_points([float(value) for value in values], window_len=50, max_pvalue=0.001)
    except ValueError:  # its t-test refuses pieces without variance: it then says nothing
        return []
    points = found[0] if isinstance(found, tuple) else found
    return [point.index for point in points]


def pelt(values: np.ndarray) -> list[int]:
    """ruptures' PELT, squared error, a penalty of 2·log n times the variance of neighbours' differences."""
    scale = float(np.var(np.diff(values)) / 2) or 1.0
    engine = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(values)
    return engine.predict(pen=2 * np.log(len(values)) * scale)[:-1]
