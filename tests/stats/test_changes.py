"""What moved: rules that hold for every series, and the figures that the watch promises (small, fixed seeds)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.stats.changes import Detection, detect, replay
from fabrique.stats.engine import examine as engine
from fabrique.stats.limits import Kind
from fabrique.stats.measurements import Measurements, means, proportions, rates, scores, values

SEEDS = st.integers(0, 10_000)


def fall(seed: int, drop: float = 0.1, weeks: int = 80, at: int = 50, answers: int = 200) -> Measurements:
    """A share of 0.8 that falls once."""
    share = np.where(np.arange(weeks) < at, 0.8, 0.8 - drop)
    return proportions(np.random.default_rng(seed).binomial(answers, share), np.full(weeks, answers))


def dates(found: Detection) -> list[int]:
    return [change.index for change in found.changes]


@given(SEEDS)
def test_a_plain_fall_is_found_where_it_is_with_an_interval_that_holds_it(seed: int) -> None:
    (change,) = [one for one in detect(fall(seed, 0.2), "higher").changes if abs(one.effect) > 0.1]
    assert abs(change.index - 50) <= 1
    assert change.earliest <= 50 <= change.latest
    assert change.effect_low < change.effect < change.effect_high < 0


@given(SEEDS)
def test_the_direction_turns_with_the_metrics_and_nothing_else_does(seed: int) -> None:
    series = fall(seed)
    turned = {Kind.IMPROVEMENT: Kind.REGRESSION, Kind.REGRESSION: Kind.IMPROVEMENT, Kind.NEUTRAL: Kind.NEUTRAL}
    up, down = detect(series, "higher").changes, detect(series, "lower").changes
    assert [turned[one.direction] for one in up] == [one.direction for one in down]
    assert [(one.index, one.effect) for one in up] == [(one.index, one.effect) for one in down]


@given(SEEDS, st.floats(-1e4, 1e4))
def test_adding_a_constant_to_values_moves_levels_and_nothing_else(seed: int, constant: float) -> None:
    random = np.random.default_rng(seed)
    given_values = random.standard_normal(60) + np.where(np.arange(60) < 40, 0, 4)
    one, other = detect(values(given_values)), detect(values(given_values + constant))
    assert dates(one) == dates(other)
    assert [c.effect for c in one.changes] == pytest.approx([c.effect for c in other.changes], abs=1e-6)
    assert [c.before + constant for c in one.changes] == pytest.approx([c.before for c in other.changes], abs=1e-6)


@given(SEEDS)
def test_more_of_the_same_never_turns_a_clear_change_into_none(seed: int) -> None:
    for weeks in (60, 80, 120):
        assert any(abs(change.index - 50) <= 2 for change in detect(fall(seed, 0.2, weeks), "higher").changes)


def test_permuting_series_changes_nothing() -> None:
    random = np.random.default_rng(3)
    y = random.standard_normal((20, 60)) + np.where((np.arange(60) > 40) & (np.arange(20)[:, None] % 3 == 0), 3, 0)
    order = random.permutation(20)

    def found(rows: np.ndarray) -> list[int]:
        places, offsets = np.tile(np.arange(60.0), 20), np.arange(21) * 60
        counts, _room, _rows = engine.examine_many(rows.ravel(), np.ones(1200), places, offsets, False, 0.0)
        return counts.tolist()

    assert found(y[order]) == [found(y)[i] for i in order]


def test_many_series_at_once_tell_what_each_tells_alone_however_ragged() -> None:
    random = np.random.default_rng(4)
    rows = [random.standard_normal(size) + np.where(np.arange(size) >= size // 2, 4, 0) for size in (5, 40, 90, 41)]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    places = np.concatenate([np.arange(float(len(row))) for row in rows])
    y = np.concatenate(rows)
    counts, room, found = engine.examine_many(y, np.ones_like(y), places, offsets, False, 0.0)
    for i, row in enumerate(rows):
        alone = dates(detect(values(row)))
        assert [int(index) for index in found[room[i] : room[i] + counts[i], engine.INDEX]] == alone
    assert counts.tolist()[0] == 0


@pytest.mark.parametrize(
    "series",
    [
        rates(np.r_[np.full(30, 50.0), np.full(20, 90.0)] + np.tile([0, 5, -4, 3, -2], 10), np.full(50, 10.0)),
        means(np.full(50, 40), np.r_[np.full(30, 200.0), np.full(20, 320.0)] + np.tile([0, 6, -5, 3, -2], 10), np.full(50, 4e3)),
        scores(
            np.r_[np.tile([10, 20, 70], (30, 1)), np.tile([40, 30, 30], (20, 1))] + np.tile([[0], [1], [2]], (50, 3))[:50],
            (0, 5, 10),
        ),
        values(np.r_[np.full(30, 1.0), np.full(20, 9.0)] + np.tile([0, 0.5, -0.4, 0.3, -0.2], 10)),
    ],
    ids=["rate", "mean", "score", "value"],
)
def test_every_form_is_understood(series: Measurements) -> None:
    assert dates(detect(series)) == [30]


@pytest.mark.parametrize(
    ("series", "note"),
    [
        (values([1, 2, 3]), "too_short"),
        (values([5.0] * 40), "constant"),
        (values(np.arange(60) * 0.1 + np.random.default_rng(1).standard_normal(60) * 0.2), "drift"),
    ],
)
def test_what_cannot_be_said_is_told_instead(series: Measurements, note: str) -> None:
    found = detect(series)
    assert found.changes == ()
    assert note in found.notes


def test_a_drop_inside_a_rising_trend_is_a_drop() -> None:
    """It was once told from the end of one slope to the end of the next, as an improvement."""
    time = np.arange(100)
    for seed in range(8):
        level = 50 + time - np.where(time >= 60, 20, 0) + np.random.default_rng(seed).normal(0, 2, 100)
        (change,) = [one for one in detect(values(level), "higher").changes if abs(one.index - 60) <= 1]
        assert change.direction is Kind.REGRESSION
        assert change.effect == pytest.approx(-20, abs=3)


@pytest.mark.parametrize("at", [36, 40, 44])
def test_a_steps_size_is_told_without_the_season_that_it_stands_in(at: int) -> None:
    """Raw means before and after held the season too, unless the step fell a whole number of years in."""
    month = np.arange(60)
    held = 0
    for seed in range(25):
        season = 10 * np.sin(2 * np.pi * month / 12)
        level = 100 + season + np.where(month >= at, 6, 0) + np.random.default_rng(seed).normal(0, 2, 60)
        (change,) = detect(values(level), "higher", 12.0).changes
        assert change.effect == pytest.approx(6, abs=2.5)
        held += change.effect_low <= 6 <= change.effect_high
    assert held >= 23


def test_very_small_numbers_move_like_others() -> None:
    small = np.array([1, 2, 3] * 5 + [5, 6, 7] * 5) * 1e-300
    assert dates(detect(values(small))) == [15]


def test_a_change_plain_to_see_in_a_dozen_values_has_a_direction() -> None:
    """Autocorrelation, taken for high in so few, once made the interval of a jump of eight deviations hold zero."""
    random = np.random.default_rng(14)
    for _ in range(20):
        level = np.r_[random.normal(0, 1, 6), random.normal(12, 1, 6)]
        (change,) = detect(values(level), "higher").changes
        assert change.direction is Kind.IMPROVEMENT


def test_a_lone_outlier_gaps_and_empty_periods_are_no_changes() -> None:
    share = np.full(60, 0.8)
    share[30] = 0.4
    n = np.full(60, 200.0)
    n[[10, 11, 50]] = [0, np.nan, 1]
    x = np.where(np.isfinite(n), np.random.default_rng(5).binomial(np.nan_to_num(n).astype(int), share), np.nan)
    assert dates(detect(proportions(x, n))) == []


def test_from_always_to_not_always_is_a_change_with_an_interval() -> None:
    found = detect(proportions([100] * 30 + [90, 88, 91, 89, 92, 90], [100] * 36), "higher")
    (change,) = found.changes
    assert (change.index, change.before) == (30, 1.0)
    assert change.effect_low < change.effect < change.effect_high < 0


def test_a_yearly_season_is_taken_out_once_two_years_are_known() -> None:
    random = np.random.default_rng(6)
    share = 0.8 + 0.06 * np.sin(2 * np.pi * np.arange(160) / 52.1775)
    found = detect(proportions(random.binomial(400, share), np.full(160, 400)), "higher", 52.1775)
    assert found.changes == ()
    assert "season" in found.notes


def test_restless_levels_are_no_levels() -> None:
    level = np.tile(np.repeat([0.0, 5.0], 14), 12) + np.random.default_rng(7).standard_normal(336) * 0.3
    found = detect(values(level))
    assert (found.changes, "restless" in found.notes) == ((), True)


def test_a_replay_tells_when_one_would_have_known() -> None:
    replayed = replay(fall(8), "higher", begin=26)
    (seen,) = replayed.first_seen
    assert 51 <= seen <= 55
    assert replayed.detection == detect(fall(8), "higher")


def test_a_change_taken_back_is_told_as_withdrawn() -> None:
    level = np.r_[np.zeros(40), np.full(3, 2.6), np.zeros(40)] + np.random.default_rng(9).standard_normal(83) * 0.4
    replayed = replay(values(level), "higher", begin=30)
    assert replayed.detection.changes == () or len(replayed.detection.changes) == 2
    told = [seen.change.index for seen in replayed.withdrawn] + dates(replayed.detection)
    assert any(abs(index - 40) <= 1 for index in told)


def test_a_series_of_ten_million_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="10000000 periods; at most 1000000"):
        detect(values(np.zeros(10_000_000)))


def test_a_sure_week_is_not_judged_by_its_vague_neighbours() -> None:
    """Series of 20 to 2,000 answers once showed 0.67 false flags a year: precise values were put on the median of noisy ones."""
    random = np.random.default_rng(12)
    n = np.exp(random.uniform(np.log(20), np.log(2000), (200, 104))).astype(int)
    x = random.binomial(n, 0.8)
    assert sum(len(detect(proportions(a, b)).changes) for a, b in zip(x, n, strict=True)) <= 10


def test_one_far_week_is_not_yet_a_level_and_a_second_one_is() -> None:
    share = [0.8, 0.81, 0.79, 0.8, 0.78, 0.82] * 8
    one, two = [*share, 0.6], [*share, 0.6, 0.61]
    assert dates(detect(proportions(np.array(one) * 200, [200] * len(one)))) == []
    assert dates(detect(proportions(np.array(two) * 200, [200] * len(two)))) == [48]


def test_a_change_is_dated_as_well_in_a_long_series() -> None:
    level = np.random.default_rng(13).standard_normal(30_000) + np.where(np.arange(30_000) < 12_345, 0, 3)
    (index,) = dates(detect(values(level)))
    assert abs(index - 12_345) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("family", ["plain", "uneven", "overdispersed", "correlated"])
def test_where_nothing_moves_flags_are_as_rare_as_promised(family: str) -> None:
    """0.05 a series-year, with the room that 1,000 series leave to chance."""
    random = np.random.default_rng(10)
    shape = (1000, 130)
    n, share = np.full(shape, 200), np.full(shape, 0.8)
    match family:
        case "uneven":
            n = np.exp(random.uniform(np.log(20), np.log(2000), shape)).astype(int)
        case "overdispersed":
            share = random.beta(0.8 * 199, 0.2 * 199, shape)
        case "correlated":
            wander = random.standard_normal(shape)
            for week in range(1, shape[1]):
                wander[:, week] = 0.3 * wander[:, week - 1] + np.sqrt(1 - 0.09) * wander[:, week]
            share = np.clip(0.8 + 0.03 * wander, 0, 1)
    y = 2 * np.arcsin(np.sqrt((random.binomial(n, share) + 0.375) / (n + 0.75)))
    flagged, _look, _index = engine.replay_many(y, 1 / (n + 0.5), 26, True, 0.0)
    assert flagged.mean() / 2 <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("drop", "weeks"), [(0.10, 2), (0.05, 7), (0.03, 15)])
def test_a_fall_is_flagged_within_weeks(drop: float, weeks: int) -> None:
    share = np.where(np.arange(120) < 60, 0.8, 0.8 - drop)
    counts = np.random.default_rng(11).binomial(200, share, (600, 120))
    y = 2 * np.arcsin(np.sqrt((counts + 0.375) / 200.75))
    _flagged, look, _index = engine.replay_many(y, np.full_like(y, 1 / 200.5), 61, True, 0.0)
    assert np.median(np.where(look > 0, look - 60, 99)) <= weeks
