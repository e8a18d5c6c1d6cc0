"""Control limits against figures worked by hand and against other computations; the four rules, point by point."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.stats.limits import (
    Assurance,
    Kind,
    Limits,
    Rule,
    Signal,
    assurance,
    control_limits,
    kind_of,
    screened_moving_range,
    signals,
)
from fabrique.stats.measurements import Measurements, means, proportions, rates, scores, values

NAN = np.nan
X = np.array([45, 52, 38, 60, 41, 55, 49, 30, 58, 47], dtype=float)
N = np.array([60, 70, 55, 80, 50, 75, 66, 52, 71, 64], dtype=float)


def near(one: object, other: object) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))  # type: ignore[arg-type]


def test_bare_values_have_the_limits_of_the_example_worked_by_hand() -> None:
    # Mean 118 / 10; moving ranges 2 1 4 2 1 3 2 3 3, their mean 21 / 9; limits 11.8 ± 2.66 × 21 / 9.
    limits = control_limits(values([10, 12, 11, 15, 13, 12, 9, 11, 14, 11]))
    assert near(limits.centre, [11.8] * 10)
    assert near(limits.upper, [11.8 + 2.66 * 21 / 9] * 10)
    assert near(limits.lower, [11.8 - 2.66 * 21 / 9] * 10)


def test_a_moving_range_far_above_the_others_is_left_out_once() -> None:
    # Ranges 1 1 1 1 20 1 1 1 1: mean 28/9 = 3.11; 20 is above 3.267 × 3.11 = 10.2 and is left out: 1.
    assert screened_moving_range(np.array([10, 11, 10, 11, 10, 30, 31, 30, 31, 30], dtype=float)) == pytest.approx(1.0)
    # Ranges 1 1 1 9: mean 3; 9 is below 9.8 and stays.
    assert screened_moving_range(np.array([10, 11, 10, 11, 20], dtype=float)) == pytest.approx(3.0)
    assert screened_moving_range(np.array([10.0])) == 0.0


def test_one_odd_value_among_equal_ones_is_the_only_one_outside() -> None:
    series = values([5.0] * 59 + [6.0])
    outside = [one.index for one in signals(series, control_limits(series), "higher") if one.rule is Rule.OUTSIDE]
    assert outside == [59]


def laney(level: np.ndarray, size: np.ndarray, one: float) -> tuple[float, np.ndarray]:
    """Centre and sigma of each point after Laney (2002); `one`: standard deviation of a single trial."""
    centre = (level * size).sum() / size.sum()
    sampling = one / np.sqrt(size)
    z = (level - centre) / sampling
    return centre, sampling * np.mean([abs(b - a) for a, b in pairwise(z)]) / 1.128


def check(series: Measurements, centre: float, sigma: np.ndarray, lowest: float = -np.inf, highest: float = np.inf) -> None:
    limits = control_limits(series)
    assert near(limits.centre, centre)
    assert near(limits.sigma, sigma)
    assert near(limits.lower, np.maximum(centre - 3 * sigma, lowest))
    assert near(limits.upper, np.minimum(centre + 3 * sigma, highest))


def test_proportions_have_laneys_p_prime_limits() -> None:
    whole = X.sum() / N.sum()
    check(proportions(X, N), *laney(X / N, N, np.sqrt(whole * (1 - whole))), 0.0, 1.0)


def test_rates_have_laneys_u_prime_limits() -> None:
    check(rates(X, N / 10), *laney(X / N * 10, N / 10, np.sqrt(10 * X.sum() / N.sum())), 0.0)


def within(groups: list[np.ndarray]) -> float:
    """Standard deviation of one answer around its own group's mean."""
    return float(np.sqrt(sum(((g - g.mean()) ** 2).sum() for g in groups) / sum(len(g) - 1 for g in groups)))


def test_scores_have_weighted_limits_around_the_mean_mark() -> None:
    rng = np.random.default_rng(3)
    counts = rng.multinomial(120, [0.1, 0.2, 0.7], size=10) + rng.integers(0, 40, (10, 3))
    marks = np.array([0.0, 5.0, 10.0])
    groups = [np.repeat(marks, row) for row in counts]
    size = counts.sum(axis=1)
    check(scores(counts, tuple(marks)), (counts @ marks).sum() / size.sum(), within(groups) / np.sqrt(size), 0.0, 10.0)


def test_means_have_weighted_limits_around_the_grand_mean() -> None:
    rng = np.random.default_rng(4)
    groups = [rng.normal(12, 3, size) for size in (8, 15, 9, 20, 11, 13, 8, 30, 12, 10)]
    size = np.array([len(g) for g in groups], dtype=float)
    series = means(size, [g.sum() for g in groups], [(g**2).sum() for g in groups])
    check(series, np.concatenate(groups).mean(), within(groups) / np.sqrt(size))


def test_weighted_limits_are_those_of_the_example_worked_by_hand() -> None:
    # Two periods: 1 2 3 and 4 4 8 8. Means 2 and 6, grand mean 30 / 7; squares within 2 + 16 over 2 + 3 freedoms.
    limits = control_limits(means([3, 4], [6, 24], [14, 160]))
    assert near(limits.centre, [30 / 7] * 2)
    assert near(limits.upper, [30 / 7 + 3 * np.sqrt(18 / 5 / 3), 30 / 7 + 3 * np.sqrt(18 / 5 / 4)])


def test_a_lone_point_has_the_limits_of_its_sampling() -> None:
    limits = control_limits(proportions([50], [100]))
    assert near([limits.lower[0], limits.upper[0]], [0.5 - 3 * 0.05, 0.5 + 3 * 0.05])
    assert near(control_limits(values([7.0])).upper, [7.0])


def test_limits_stay_where_a_share_or_a_mark_can_be() -> None:
    limits = control_limits(proportions([1, 0, 2, 0], [10, 10, 10, 10]))
    assert limits.lower.tolist() == [0.0] * 4
    assert (limits.upper <= 1).all()


def test_missing_periods_are_drawn_with_ordinary_limits_and_change_no_others() -> None:
    whole = control_limits(proportions(X, N))
    gaps = control_limits(proportions([*X[:5], NAN, 0, *X[5:]], [*N[:5], NAN, 0, *N[5:]]))
    assert near(np.delete(gaps.upper, [5, 6]), whole.upper)
    assert near(gaps.centre, whole.centre[0])
    assert gaps.sigma[5] == gaps.sigma[6] == pytest.approx(whole.sigma[0] * np.sqrt(N[0] / np.median(N)))
    assert near(control_limits(values([10, 12, NAN, 11])).upper, control_limits(values([10, 12, 11])).upper[0])


@pytest.mark.parametrize("series", [values([NAN, NAN]), proportions([0, 0], [0, 0]), values([])])
def test_a_series_without_values_has_no_limits_and_no_signals(series: Measurements) -> None:
    limits = control_limits(series)
    assert np.isnan(limits.centre).all()
    assert signals(series, limits, "higher") == []


def test_limits_begin_afresh_at_each_accepted_level() -> None:
    series = proportions([*X, *X / 2], [*N, *N])
    limits = control_limits(series, [10])
    for place, half in enumerate((proportions(X, N), proportions(X / 2, N))):
        alone = control_limits(half)
        piece = slice(10 * place, 10 * place + 10)
        assert near(limits.centre[piece], alone.centre)
        assert near(limits.upper[piece], alone.upper)
    assert near(control_limits(series, [0, 20, -3, 99]).upper, control_limits(series).upper)
    assert near(control_limits(series, [10, 10]).upper, limits.upper)


def drawn(points: list[float], better: str | None = "higher", centre: float | list[float] = 0.0) -> list[Signal]:
    """The signals of points around a level with a standard deviation of one."""
    middle = np.broadcast_to(np.asarray(centre, dtype=float), len(points)).copy()
    return signals(values(points), Limits(middle, middle - 3, middle + 3, np.ones(len(points))), better)


def by(rule: Rule, found: list[Signal]) -> dict[int, Kind]:
    return {one.index: one.kind for one in found if one.rule is rule}


def mirrored(points: list[float]) -> list[float]:
    return [-point for point in points]


CALM = [0.5, -0.5, 1.0, -1.0, 0.2, -0.2, 0.8, -0.7, 0.3, -0.4]
EXAMPLES = [
    (Rule.OUTSIDE, [0.5, -0.5, 3.1, -1.0, 0.2, -0.2, 3.01, -0.7, 3.0, -0.4], {2, 6}),
    (Rule.OUTSIDE, CALM, set()),
    (Rule.ONE_SIDE, [-0.5, 0.5, 0.1, 0.9, 0.3, 0.8, 0.2, 0.6, -0.1, 0.4], {1, 2, 3, 4, 5, 6, 7}),
    (Rule.ONE_SIDE, [0.5, 0.1, 0.9, 0.3, 0.8, 0.2, 0.6, 0.4, 0.7, 0.1], set(range(10))),
    (Rule.ONE_SIDE, [-0.5, 0.5, 0.1, 0.9, 0.3, 0.8, 0.2, -0.6, 0.1, 0.4], set()),
    (Rule.ONE_SIDE, [-0.5, 0.5, 0.1, 0.9, 0.0, 0.8, 0.2, 0.6, 0.1, -0.4], set()),
    (Rule.TREND, [0.5, -1.0, -0.8, -0.5, -0.1, 0.2, 0.6, 0.9, -0.2, 0.1], {1, 2, 3, 4, 5, 6, 7}),
    (Rule.TREND, [0.5, -1.0, -0.8, -0.5, -0.1, 0.2, 0.6, -0.9, -0.2, 0.1], set()),
    (Rule.TREND, [0.5, -1.0, -0.8, -0.5, -0.5, 0.2, 0.6, 0.9, 1.2, 0.1], set()),
    (Rule.NEAR_LIMIT, [0.5, -0.5, 2.5, 0.2, 2.2, -0.2, 0.8, -0.7, 2.1, -0.4], {2, 4}),
    (Rule.NEAR_LIMIT, [2.9, 2.1, 0.0, -1.0, 0.2, -0.2, 0.8, -0.7, 2.3, 2.4], {0, 1, 8, 9}),
    (Rule.NEAR_LIMIT, [0.5, 2.5, 0.0, -1.0, 2.2, -0.2, 0.8, 2.7, -2.7, -0.4], set()),
    (Rule.NEAR_LIMIT, [0.5, 2.5, 3.2, -1.0, 0.2, -0.2, 2.0, 2.0, 2.0, -0.4], set()),
]


@pytest.mark.parametrize(("rule", "points", "marked"), EXAMPLES)
@pytest.mark.parametrize("better", ["higher", "lower", None])
def test_every_point_of_a_pattern_is_marked_with_its_direction(
    rule: Rule, points: list[float], marked: set[int], better: str | None
) -> None:
    up, down = kind_of(up=True, better=better), kind_of(up=False, better=better)
    assert by(rule, drawn(points, better)) == dict.fromkeys(marked, up)
    assert by(rule, drawn(mirrored(points), better)) == dict.fromkeys(marked, down)


def test_a_rise_is_good_news_where_higher_is_better_and_bad_where_lower_is() -> None:
    assert [kind_of(up=True, better=better) for better in ("higher", "lower", None)] == [
        Kind.IMPROVEMENT,
        Kind.REGRESSION,
        Kind.NEUTRAL,
    ]
    assert [kind_of(up=False, better=better) for better in ("higher", "lower", None)] == [
        Kind.REGRESSION,
        Kind.IMPROVEMENT,
        Kind.NEUTRAL,
    ]


def test_calm_points_raise_nothing() -> None:
    assert drawn(CALM) == []


def test_a_pattern_does_not_cross_an_accepted_change_of_level() -> None:
    above = [0.5, 0.1, 0.9, 0.3, 0.8]
    points = [*above, *(5 + one for one in above)]
    assert by(Rule.ONE_SIDE, drawn(points, centre=[0.0] * 5 + [5.0] * 5)) == {}
    assert len(by(Rule.ONE_SIDE, drawn(points, centre=0.0))) == 10


def test_a_missing_period_neither_breaks_a_run_nor_is_marked() -> None:
    points = [0.5, 0.1, 0.9, NAN, 0.3, 0.8, 0.2, 0.6]
    assert set(by(Rule.ONE_SIDE, drawn(points))) == {0, 1, 2, 4, 5, 6, 7}


def test_signals_come_in_the_order_of_the_periods() -> None:
    found = drawn([3.5, 3.6, 3.7, 3.8, 3.9, 4.0, 4.1, -2.5, -2.5, 0.0])
    assert [one.index for one in found] == sorted(one.index for one in found)
    assert {one.rule for one in found if one.index == 0} == {Rule.OUTSIDE, Rule.ONE_SIDE, Rule.TREND}


@given(st.floats(-1e6, 1e6), st.integers(1, 30))
def test_a_value_that_never_varies_raises_nothing(value: float, size: int) -> None:
    series = values([value] * size)
    assert signals(series, control_limits(series), "higher") == []


@given(st.integers(0, 40), st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_a_share_that_never_varies_raises_nothing_whatever_the_answers(x: int, sizes: list[int]) -> None:
    n = np.array(sizes, dtype=float) * 40
    series = proportions(n * x / 40, n)
    assert signals(series, control_limits(series), "higher") == []


def ordinary(low: float, high: float) -> Limits:
    middle = np.full(3, (low + high) / 2)
    return Limits(middle, np.array([0.0, 0.0, low]), np.array([1.0, 1.0, high]), np.full(3, (high - low) / 6))


@pytest.mark.parametrize(
    ("target", "better", "expected"),
    [
        (0.3, "higher", Assurance.HITS),
        (0.4, "higher", Assurance.HITS),
        (0.5, "higher", Assurance.HIT_OR_MISS),
        (0.6, "higher", Assurance.HIT_OR_MISS),
        (0.7, "higher", Assurance.MISSES),
        (0.7, "lower", Assurance.HITS),
        (0.6, "lower", Assurance.HITS),
        (0.5, "lower", Assurance.HIT_OR_MISS),
        (0.4, "lower", Assurance.HIT_OR_MISS),
        (0.3, "lower", Assurance.MISSES),
    ],
)
def test_a_target_outside_the_latest_limits_is_always_or_never_met(target: float, better: str, expected: Assurance) -> None:
    assert assurance(ordinary(0.4, 0.6), target, better) is expected
