"""Several experiments together: the BCG trials as metafor has them, and honest answers from one, two or three."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabrique.stats.pooling import pool

# Colditz et al. 1994: log risk ratios of 13 trials of the BCG vaccine and their variances (metafor's dat.bcg).
TRIALS = [
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761), (180, 1361, 372, 1079),
    (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197),
    (5, 2493, 3, 2338), (27, 16886, 29, 17825),
]  # fmt: skip
BCG = [np.log(a / (a + b)) - np.log(c / (c + d)) for a, b, c, d in TRIALS]
BCG_VARIANCES = [1 / a - 1 / (a + b) + 1 / c - 1 / (c + d) for a, b, c, d in TRIALS]

experiments = st.lists(st.tuples(st.integers(-40, 40).map(lambda e: e / 8), st.floats(0.01, 4)), min_size=1, max_size=8)


def test_the_bcg_trials_are_pooled_as_by_metafor() -> None:
    found = pool(BCG, BCG_VARIANCES)
    assert (found.mu, found.se, found.tau2) == (
        pytest.approx(-0.7145, abs=5e-5),
        pytest.approx(0.1798, abs=5e-5),
        pytest.approx(0.3132, abs=5e-5),
    )
    assert found.q == pytest.approx(152.2330, abs=5e-5)
    assert (found.dl.mu, found.dl.tau2) == (pytest.approx(-0.7141, abs=5e-5), pytest.approx(0.3088, abs=5e-5))
    assert (found.interval.low, found.interval.high) == (pytest.approx(-1.1084, abs=5e-5), pytest.approx(-0.3206, abs=5e-5))
    assert found.i2 == pytest.approx(0.9212, abs=5e-5)
    assert found.prediction_interval.low < found.interval.low
    assert sum(found.weights) == pytest.approx(1)


def test_one_experiment_is_returned_as_it_is() -> None:
    found = pool([0.4], [0.04])
    assert (found.k, found.mu, found.se, found.tau2, found.prediction_interval) == (1, 0.4, 0.2, 0.0, None)
    assert found.interval.low == pytest.approx(0.4 - 0.2 * stats.norm.isf(0.025))


def test_two_experiments_give_a_wide_interval_and_no_prediction() -> None:
    found = pool([0.4, 0.6], [0.04, 0.04])
    assert found.prediction_interval is None
    assert found.interval.high - found.interval.low > 3


def test_effects_that_agree_by_chance_do_not_give_a_narrow_interval() -> None:
    found = pool([0.5, 0.5, 0.5], [0.04, 0.09, 0.01])
    assert found.tau2 == 0
    assert found.hartung_knapp.high == pytest.approx(found.hartung_knapp.low)
    assert found.interval.high - found.interval.low >= 2 * stats.norm.isf(0.025) * found.se


@given(experiments)
def test_the_summary_agrees_with_itself(given_effects) -> None:
    y, v = zip(*given_effects, strict=True)
    found = pool(y, v)
    assert min(y) - 1e-9 <= found.mu <= max(y) + 1e-9
    assert found.mu in found.interval
    assert 0 <= found.i2 < 1
    assert found.tau2 >= 0
    assert 0 <= found.p_value <= 1
    assert (found.p_value <= 0.05) == (0.0 not in found.interval)
    if found.prediction_interval:
        assert found.prediction_interval.low <= found.interval.low
    turned = pool([-e for e in y], v)
    assert turned.mu == pytest.approx(-found.mu, abs=1e-6)


@given(experiments, st.sampled_from([0.01, 100.0]))
def test_another_unit_changes_the_effects_alone(given_effects, unit) -> None:
    y, v = zip(*given_effects, strict=True)
    one, other = pool(y, v), pool([e * unit for e in y], [e * unit**2 for e in v])
    assert other.mu == pytest.approx(one.mu * unit, rel=1e-5, abs=1e-7 * unit)
    assert other.tau2 == pytest.approx(one.tau2 * unit**2, rel=1e-4, abs=1e-6 * unit**2)


def test_the_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(600):
        v = rng.uniform(0.02, 0.2, 5)
        held.append(0.3 in pool(rng.normal(0.3, np.sqrt(v + 0.05)), v).interval)
    assert np.mean(held) >= 0.93


@pytest.mark.parametrize(
    ("effects", "variances", "why"),
    [
        ([1, 2], [1], "2 effects for 1 variances"),
        ([], [], "There is no experiment to pool"),
        ([1], [0], "its variance positive"),
        ([float("nan")], [1], "Each effect must be a number"),
    ],
)
def test_impossible_experiments_are_refused_in_a_sentence(effects, variances, why) -> None:
    with pytest.raises(ValueError, match=why):
        pool(effects, variances)
