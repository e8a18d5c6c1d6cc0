"""Did it work, when whole agencies or territories were drawn, or when people inside them resemble one another?

Few clusters carry the evidence, however many people answer in each: the analysis counts clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import t as student

from fabrique.stats.interval import Interval
from fabrique.stats.permutation import permutation_test, two_arms

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.intp]

Method = Literal["cluster-means-t", "cr1", "permutation"]

FEW_CLUSTERS = 40
"""Below it, in total, sandwich errors are too small: the clusters' means are compared instead."""
FEW_A_SIDE = 20
"""Below it, on one side, so too: CR1 crossed by chance in 7.8 % of simulated trials of 10 clusters against 40, 15.5 % of 6 against 60."""
LEAST_A_SIDE = 6
"""Below it, on either side, even a t of the clusters' means leans too much on the normal law: the arms are permuted."""


@dataclass(frozen=True, slots=True)
class ClusterComparison:
    """difference: treatment minus control, over people with "cr1" (or a permutation inside clusters), over clusters' means otherwise.

    interval: infinite where there are too few clusters for this alpha (`note` says so); standard_error, df: None where none can be
    estimated (a permutation needs neither); within: the arm was drawn inside clusters; icc: share of the spread that lies between
    clusters of an arm (one-way analysis of variance, may be negative; None where no cluster has two people or there is one cluster);
    design_effect: by how much people's variance is to be multiplied for it, 1 + (m - 1)·icc with m the size an average person sees.
    """

    difference: float
    interval: Interval
    p_value: float
    standard_error: float | None
    df: float | None
    method: Method
    clusters_treat: int
    clusters_ctrl: int
    n_treat: int
    n_ctrl: int
    within: bool
    icc: float | None
    design_effect: float | None
    note: str | None


def compare_clusters(
    y: ArrayLike, arm: ArrayLike, cluster: ArrayLike, *, alpha: float = 0.05, seed: int = 0
) -> ClusterComparison:
    """Difference between arms when people come in clusters. One entry a person: outcome, 0 or 1, the cluster's label.

    Whole clusters in an arm: fewer than 6 clusters on a side, exact permutation of the clusters' means; below 40 in all, or 20 on a
    side, Welch's t on them; beyond, least squares on people with CR1 errors and G - 2 degrees of freedom (Cameron & Miller 2015),
    fewer where few clusters carry the comparison. The arm drawn inside clusters (some hold both arms): CR1 likewise; with fewer than
    6 clusters, permutation of the arm inside each.
    Raises ValueError for lengths that differ, a missing outcome, or an arm with nobody in it.
    """
    if not 0 < alpha < 1:
        msg = f"an alpha of {alpha:g}: it lies between 0 and 1."
        raise ValueError(msg)
    outcome, treated, labels = _checked(y, arm, cluster)
    # Only differences matter; around the first of them, equal outcomes leave no dust of rounding.
    outcome -= outcome[0]
    count = int(labels.max()) + 1
    share = np.bincount(labels, weights=treated) / np.bincount(labels)
    within = bool(((share > 0) & (share < 1)).any())
    sides = (int((share > 0).sum()), int((share < 1).sum()))
    if within:
        found = (
            _cr1(outcome, treated, labels, alpha)
            if count >= LEAST_A_SIDE
            else _permuted_inside(outcome, treated, labels, alpha, seed)
        )
    elif min(sides) < LEAST_A_SIDE:
        found = _permuted(_means(outcome, labels), share == 1, alpha, seed)
    elif count < FEW_CLUSTERS or min(sides) < FEW_A_SIDE:
        found = _cluster_means_t(_means(outcome, labels), share == 1, alpha)
    else:
        found = _cr1(outcome, treated, labels, alpha)
    icc = intraclass_correlation(outcome, labels, None if within else treated)
    sizes = np.bincount(labels)
    effect = None if icc is None else 1 + (float((sizes**2).sum() / sizes.sum()) - 1) * max(icc, 0.0)
    n_treat = int(treated.sum())
    return ClusterComparison(
        difference=found.difference,
        interval=found.interval,
        p_value=found.p_value,
        standard_error=found.standard_error,
        df=found.df,
        method=found.method,
        clusters_treat=sides[0],
        clusters_ctrl=sides[1],
        n_treat=n_treat,
        n_ctrl=len(treated) - n_treat,
        within=within,
        icc=icc,
        design_effect=effect,
        note=found.note,
    )


def cluster_robust_error(y: ArrayLike, arm: ArrayLike, cluster: ArrayLike) -> float:
    """CR1 standard error of the difference of people's means: a sandwich by cluster, times G/(G-1) · (N-1)/(N-2).

    Raises ValueError with fewer than two clusters or three people.
    """
    outcome, treated, labels = _checked(y, arm, cluster)
    return _cr1_error(outcome, treated, labels)


def unclustered_error(y: ArrayLike, arm: ArrayLike) -> float:
    """HC2 standard error of the difference of means, blind to clusters: Welch's. Raises ValueError for an arm of one person."""
    outcome, treated, _ = _checked(y, arm, np.zeros(np.size(np.asarray(arm))))
    sides = outcome[treated], outcome[~treated]
    if min(len(side) for side in sides) < 2:  # noqa: PLR2004 - a spread needs two people
        msg = "an arm of one person: its spread cannot be estimated."
        raise ValueError(msg)
    return math.sqrt(sum(float(side.var(ddof=1)) / len(side) for side in sides))


def intraclass_correlation(y: ArrayLike, cluster: ArrayLike, arm: ArrayLike | None = None) -> float | None:
    """One-way analysis-of-variance estimate of the intra-class correlation; of clusters inside arms where `arm` is given.

    None where it cannot be estimated: one cluster an arm, or clusters of one person. 0 where nobody differs. Donner & Klar 2000.
    """
    outcome = np.asarray(y, dtype=np.float64).ravel()
    outcome = outcome - outcome[:1]
    labels = np.unique(np.asarray(cluster).ravel(), return_inverse=True)[1]
    group = np.zeros(len(outcome), dtype=np.intp) if arm is None else np.asarray(arm).ravel().astype(np.intp)
    sizes = np.bincount(labels).astype(np.float64)
    side = np.zeros(len(sizes), dtype=np.intp)
    side[labels] = group
    people = np.bincount(side, weights=sizes)
    groups = int((people > 0).sum())
    free_between, free_within = len(sizes) - groups, len(outcome) - len(sizes)
    if free_between < 1 or free_within < 1:
        return None
    centred = outcome - (np.bincount(group, weights=outcome) / np.maximum(people, 1))[group]
    means = np.bincount(labels, weights=centred) / sizes
    between = float((sizes * means**2).sum()) / free_between
    inside = float(((centred - means[labels]) ** 2).sum()) / free_within
    squares = np.bincount(side, weights=sizes**2)
    typical = float(sizes.sum() - (squares / np.maximum(people, 1)).sum()) / free_between
    total = between + (typical - 1) * inside
    return (between - inside) / total if total > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Found:
    difference: float
    interval: Interval
    p_value: float
    standard_error: float | None
    df: float | None
    method: Method
    note: str | None = None


def _cr1(outcome: Floats, treated: NDArray[np.bool_], labels: Labels, alpha: float) -> _Found:
    difference = float(outcome[treated].mean() - outcome[~treated].mean())
    return _student(difference, _cr1_error(outcome, treated, labels), _cr1_freedom(treated, labels), alpha, "cr1")


def _cr1_error(outcome: Floats, treated: NDArray[np.bool_], labels: Labels) -> float:
    count, people = int(labels.max()) + 1, len(outcome)
    if count < 2 or people < 3:  # noqa: PLR2004
        msg = f"{people} people in {count} cluster(s): a cluster-robust error needs two clusters and three people."
        raise ValueError(msg)
    fitted = np.where(treated, outcome[treated].mean(), outcome[~treated].mean())
    centred = treated - treated.mean()
    scores = np.bincount(labels, weights=centred * (outcome - fitted))
    meat = float((scores**2).sum()) * count / (count - 1) * (people - 1) / (people - 2)
    return math.sqrt(meat) / float((centred**2).sum())


def _cr1_freedom(treated: NDArray[np.bool_], labels: Labels) -> float:
    """G - 2, or fewer where a few clusters carry most of the comparison (Bell & McCaffrey 2002, for independent people)."""
    centred = treated - treated.mean()
    own = np.bincount(labels, weights=centred**2)
    level, slope = np.bincount(labels, weights=centred) / math.sqrt(len(treated)), own / math.sqrt(own.sum())
    # Trace and squared norm of diag(own) - level·level' - slope·slope', without writing down a matrix of clusters by clusters.
    trace = float((own - level**2 - slope**2).sum())
    norm = float((own * (own - 2 * level**2 - 2 * slope**2)).sum())
    norm += float((level**2).sum() ** 2 + (slope**2).sum() ** 2 + 2 * (level @ slope) ** 2)
    return max(1.0, min(float(len(own) - 2), trace**2 / norm if norm > 0 else 1.0))


def _cluster_means_t(means: Floats, treated: NDArray[np.bool_], alpha: float) -> _Found:
    difference, error, df = _welch(means[treated], means[~treated])
    return _student(difference, error, df, alpha, "cluster-means-t")


def _welch(treat: Floats, ctrl: Floats) -> tuple[float, float, float]:
    parts = float(treat.var(ddof=1)) / len(treat), float(ctrl.var(ddof=1)) / len(ctrl)
    total = sum(parts)
    # Satterthwaite's degrees of freedom; where nobody varies the error is 0 whatever they are.
    spread = parts[0] ** 2 / (len(treat) - 1) + parts[1] ** 2 / (len(ctrl) - 1)
    df = total**2 / spread if spread > 0 else float(len(treat) + len(ctrl) - 2)
    return float(treat.mean() - ctrl.mean()), math.sqrt(total), df


def _student(difference: float, error: float, df: float, alpha: float, method: Method) -> _Found:
    if error <= 1e-12 * abs(difference) or error == 0:
        p_value = 1.0 if difference == 0 else 0.0
    else:
        p_value = float(2 * student.sf(abs(difference) / error, df))
    reach = float(student.isf(alpha / 2, df)) * error
    return _Found(difference, Interval(difference - reach, difference + reach), p_value, error, df, method)


def _permuted(means: Floats, treated: NDArray[np.bool_], alpha: float, seed: int) -> _Found:
    result = permutation_test(means, treated, alpha=alpha, seed=seed)
    sides = means[treated], means[~treated]
    error = _welch(*sides)[1] if min(len(side) for side in sides) > 1 else None
    return _Found(result.difference, result.interval, result.p_value, error, None, "permutation", _note(result.interval, alpha))


def _permuted_inside(outcome: Floats, treated: NDArray[np.bool_], labels: Labels, alpha: float, seed: int) -> _Found:
    result = permutation_test(outcome, treated, alpha=alpha, seed=seed, strata=labels)
    enough = labels.max() > 0 and len(outcome) > 2  # noqa: PLR2004 - as `_cr1_error` needs
    error = _cr1_error(outcome, treated, labels) if enough else None
    return _Found(result.difference, result.interval, result.p_value, error, None, "permutation", _note(result.interval, alpha))


def _note(interval: Interval, alpha: float) -> str | None:
    if math.isfinite(interval.low) and math.isfinite(interval.high):
        return None
    return f"too few clusters: no arrangement of them could be rare enough to bound the effect at {1 - alpha:.0%}"


def _means(outcome: Floats, labels: Labels) -> Floats:
    return np.bincount(labels, weights=outcome) / np.bincount(labels)


def _checked(y: ArrayLike, arm: ArrayLike, cluster: ArrayLike) -> tuple[Floats, NDArray[np.bool_], Labels]:
    outcome, given, groups = np.array(y, dtype=np.float64).ravel(), np.asarray(arm).ravel(), np.asarray(cluster).ravel()
    if not len(outcome) == len(given) == len(groups):
        msg = f"{len(outcome)} outcomes, {len(given)} arms and {len(groups)} clusters: each person has one of each."
        raise ValueError(msg)
    outcome, treated = two_arms(outcome, given)
    return outcome, treated, np.unique(groups, return_inverse=True)[1]
