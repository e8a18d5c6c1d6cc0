"""Series in which nothing moves, and series that fall once: what the study draws from. Counts as a service would report them."""

from __future__ import annotations

import numpy as np

YEAR = 52.1775
"""Weeks."""
Counts = tuple[np.ndarray, np.ndarray]


def binomial(random: np.random.Generator, shape: tuple[int, int], share: float | np.ndarray = 0.8, answers: int = 200) -> Counts:
    """x of n, independent weeks."""
    return random.binomial(answers, np.broadcast_to(share, shape)).astype(float), np.full(shape, float(answers))


def beta_binomial(random: np.random.Generator, shape: tuple[int, int], correlation: float, answers: int = 200) -> Counts:
    """Weeks whose true share varies around 0.8 with that intra-class correlation."""
    total = 1 / correlation - 1
    return binomial(random, shape, random.beta(0.8 * total, 0.2 * total, shape), answers)


def autocorrelated(random: np.random.Generator, shape: tuple[int, int], correlation: float = 0.3) -> np.ndarray:
    """Normal values of variance 1 whose neighbours resemble one another."""
    values = random.standard_normal(shape)
    for week in range(1, shape[1]):
        values[:, week] = correlation * values[:, week - 1] + np.sqrt(1 - correlation**2) * values[:, week]
    return values


def uneven(random: np.random.Generator, shape: tuple[int, int]) -> Counts:
    """Weeks of 20 to 2,000 answers, in no order."""
    answers = np.exp(random.uniform(np.log(20), np.log(2000), shape)).astype(int)
    return random.binomial(answers, 0.8).astype(float), answers.astype(float)


def autocorrelated_share(random: np.random.Generator, shape: tuple[int, int], wander: float = 0.03) -> Counts:
    """Counts whose true share wanders by 3 points with autocorrelation 0.3."""
    return binomial(random, shape, np.clip(0.8 + wander * autocorrelated(random, shape), 0.01, 0.99))


def seasonal(random: np.random.Generator, shape: tuple[int, int]) -> Counts:
    """A yearly wave of ± 3 points."""
    phase = random.uniform(0, 2 * np.pi, (shape[0], 1))
    return binomial(random, shape, 0.8 + 0.03 * np.sin(2 * np.pi * np.arange(shape[1]) / YEAR + phase))


def holidays(random: np.random.Generator, shape: tuple[int, int]) -> Counts:
    """One week a year twelve points lower."""
    return binomial(random, shape, np.where(np.arange(shape[1]) % 52 == 51, 0.68, 0.8))


def falling(random: np.random.Generator, series: int, before: int, after: int, drop: float) -> Counts:
    """A share of 0.8 that falls once."""
    weeks = before + after
    return binomial(random, (series, weeks), np.where(np.arange(weeks) < before, 0.8, 0.8 - drop))
