"""How well do changes found agree with those that people marked? F1 (margin 5) and covering, as in the Turing Change Point Dataset.

van den Burg & Williams 2020, “An evaluation of change point detection algorithms”: 0 is always a change point; precision counts marks of
anybody, recall is the mean over people.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MARGIN = 5


def f1(marks: list[list[int]], found: Iterable[int]) -> float:
    """The harmonic mean of precision and recall."""
    people = [{0, *one} for one in marks]
    claimed = {0, *found}
    precision = len(matched(set().union(*people), claimed)) / len(claimed)
    recall = sum(len(matched(one, claimed)) / len(one) for one in people) / len(people)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def matched(true: set[int], claimed: set[int]) -> set[int]:
    """The true points that a claim of their own lies near."""
    left, hits = set(claimed), set()
    for point in sorted(true):
        near = min((abs(point - claim), claim) for claim in left) if left else None
        if near is not None and near[0] <= MARGIN:
            hits.add(point)
            left.remove(near[1])
    return hits


def covering(marks: list[list[int]], found: Iterable[int], size: int) -> float:
    """How well each person's stretches are covered by those found, weighted by length, averaged over people."""
    ours = stretches(found, size)
    scores = []
    for one in marks:
        score = 0.0
        for begin, end in stretches(one, size):
            overlaps = (
                max(0, min(end, e) - max(begin, b)) / (max(end, e) - min(begin, b)) for b, e in ours if e > begin and b < end
            )
            score += (end - begin) * max(overlaps)
        scores.append(score / size)
    return sum(scores) / len(scores)


def stretches(points: Iterable[int], size: int) -> list[tuple[int, int]]:
    """The pieces between change points."""
    return list(pairwise([0, *sorted({point for point in points if 0 < point < size}), size]))
