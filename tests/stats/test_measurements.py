"""Counts become levels with their weight and spread, or are refused with the period they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.stats.measurements import Form, means, proportions, rates, scores, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from fabrique.stats.measurements import Measurements

NAN, INF = np.nan, np.inf
COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=12)


def close(measured: object, expected: object) -> bool:
    return bool(np.allclose(measured, expected, rtol=1e-12, atol=0, equal_nan=True))  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 500)), min_size=1, max_size=20))
def test_a_proportion_is_what_was_counted_over_how_many(pairs: list[tuple[int, int]]) -> None:
    x = np.array([min(pair) for pair in pairs], dtype=float)
    n = np.array([max(pair) for pair in pairs], dtype=float)
    series = proportions(x, n)
    assert close(series.level, x / n)
    assert close(series.weight, n)
    whole = x.sum() / n.sum()
    assert series.spread == pytest.approx(np.sqrt(whole * (1 - whole)), abs=1e-12)
    assert (series.form, series.lowest, series.highest, len(series)) == (Form.PROPORTION, 0.0, 1.0, len(pairs))


def test_a_rate_is_events_over_exposure() -> None:
    series = rates([3, 12], [2, 4])
    assert close(series.level, [1.5, 3.0])
    assert close(series.weight, [2, 4])
    assert series.spread == pytest.approx(np.sqrt(15 / 6))
    assert (series.form, series.lowest, series.highest) == (Form.RATE, 0.0, INF)


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8), min_size=1, max_size=6))
def test_a_mean_has_the_standard_deviation_within_the_periods(samples: list[list[float]]) -> None:
    groups = [np.array(sample) for sample in samples]
    series = means([len(g) for g in groups], [g.sum() for g in groups], [(g**2).sum() for g in groups])
    assert np.allclose(series.level, [g.mean() for g in groups], rtol=1e-9, atol=1e-12)
    assert close(series.weight, [len(g) for g in groups])
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / sum(len(g) - 1 for g in groups)
    assert series.spread == pytest.approx(np.sqrt(within), rel=1e-6, abs=1e-3)
    assert (series.form, series.lowest, series.highest) == (Form.MEAN, -INF, INF)


def test_a_score_is_the_mean_mark_and_its_spread_that_of_one_answer() -> None:
    series = scores([[1, 0, 3], [0, 4, 0]], (0.0, 5.0, 10.0))
    assert close(series.level, [7.5, 5.0])
    assert close(series.weight, [4, 4])
    # Around their own means: 0 10 10 10 leave 75 over 3 freedoms, 5 5 5 5 nothing over 3.
    assert series.spread == pytest.approx(np.sqrt(75 / 6), rel=1e-12)
    # One answer a period has no spread of its own: that of all together.
    assert scores([[1, 0, 0], [0, 0, 1]], (0.0, 5.0, 10.0)).spread == pytest.approx(5.0, rel=1e-12)
    assert (series.form, series.lowest, series.highest) == (Form.SCORE, 0.0, 10.0)


def test_a_bare_value_is_its_own_level_and_tells_no_weight() -> None:
    series = values([3.5, NAN, -2.0])
    assert close(series.level, [3.5, NAN, -2.0])
    assert close(series.weight, [NAN, 0.0, NAN])
    assert np.isnan(series.spread)
    assert series.present.tolist() == [True, False, True]
    assert (series.form, series.lowest, series.highest) == (Form.VALUE, -INF, INF)


@pytest.mark.parametrize(
    "series",
    [
        proportions([0, 5, NAN, 3], [0, 10, 10, NAN]),
        rates([0, 5, NAN, 3], [0, 10, 10, NAN]),
        means([0, 10, NAN, 3], [0, 5, 3, NAN], [0, 5, 9, 9]),
        scores([[0, 0], [5, 5], [NAN, 3], [NAN, NAN]], (0.0, 1.0)),
    ],
    ids=lambda series: str(series.form),
)
def test_a_period_without_answers_or_half_told_is_missing(series: Measurements) -> None:
    assert close(series.level, [NAN, 0.5, NAN, NAN])
    assert close(series.weight, [0, 10, 0, 0])
    assert series.present.tolist() == [False, True, False, False]


@pytest.mark.parametrize("empty", [[], [0.0, 0.0], [NAN, NAN]], ids=["no-period", "zeros", "missing"])
@pytest.mark.parametrize("make", [proportions, rates, lambda n, x: means(n, x, x)], ids=["proportions", "rates", "means"])
def test_a_series_without_any_answer_has_neither_level_nor_spread(
    make: Callable[[list[float], list[float]], Measurements], empty: list[float]
) -> None:
    series = make(empty, empty)
    assert len(series) == len(empty)
    assert not series.present.any()
    assert np.isnan(series.spread)
    assert np.isnan(scores([[0.0, 0.0]], (0.0, 1.0)).spread)


@pytest.mark.parametrize(
    ("whole", "with_gaps"),
    [
        (proportions([50], [100]), proportions([50, NAN, 40, 0], [100, 100, NAN, 0])),
        (rates([50], [100]), rates([50, NAN, 40, 7], [100, 100, NAN, 0])),
        (means([4], [10], [30]), means([4, NAN, 5, 0], [10, 3, NAN, 0], [30, 9, 9, 0])),
        (scores([[1, 2]], (0.0, 1.0)), scores([[1, 2], [NAN, 40], [0, 0]], (0.0, 1.0))),
    ],
    ids=lambda series: str(series.form),
)
def test_a_missing_period_does_not_touch_the_spread_of_the_others(whole: Measurements, with_gaps: Measurements) -> None:
    assert with_gaps.spread == pytest.approx(whole.spread, rel=1e-12)


@given(COUNTS, st.data())
def test_an_impossible_count_is_refused_with_its_period(counts: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(counts) - 1))
    bad, reason = data.draw(st.sampled_from([(-1.0, "negative"), (INF, "infinite"), (-INF, "infinite")]))
    wrong = [float(count) for count in counts]
    wrong[place] = bad
    right = [1e6] * len(counts)
    for make in (
        lambda: proportions(wrong, right),
        lambda: proportions(right, wrong),
        lambda: rates(wrong, right),
        lambda: rates(right, wrong),
        lambda: means(wrong, right, right),
        lambda: means(right, right, wrong),
        lambda: scores([[1.0, one] for one in wrong], (0.0, 1.0)),
    ):
        with pytest.raises(ValueError, match=rf"^period {place}: .* is {reason} \(-?(1|inf)\)$"):
            make()


@pytest.mark.parametrize("bad", [INF, -INF])
def test_an_infinite_value_or_sum_is_refused_and_a_negative_one_is_not(bad: float) -> None:
    assert close(values([-1.0]).level, [-1.0])
    assert close(means([2], [-4], [8]).level, [-2.0])
    with pytest.raises(ValueError, match=r"^period 1: the value is infinite"):
        values([1.0, bad])
    with pytest.raises(ValueError, match=r"^period 1: the sum is infinite"):
        means([1, 1], [1, bad], [1, 1])


def test_the_first_of_several_faults_is_named() -> None:
    with pytest.raises(ValueError, match=r"^period 1: the numerator is above the denominator \(12\)$"):
        proportions([1, 12, 13], [10, 10, 10])
    with pytest.raises(ValueError, match=r"^period 1: the sum of squares is too small for the sum"):
        means([2, 2, 2], [2, 10, 10], [2, 49, 49])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: proportions([1, 2], [3]), "the columns differ in length: 2, 1"),
        (lambda: rates([1], [3, 4]), "the columns differ in length: 1, 2"),
        (lambda: means([1], [1], [1, 2]), "the columns differ in length: 1, 1, 2"),
        (lambda: scores([[1, 2, 3]], (0.0, 1.0)), "3 answer levels were given for 2 marks"),
    ],
)
def test_columns_that_do_not_fit_together_are_refused(make: Callable[[], Measurements], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make()
