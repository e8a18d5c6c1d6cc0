"""Which changes may be told: the share of false ones stays bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.stats.portfolio import FALSE_SHARE, trusted

CHANCES = st.lists(st.floats(0, 1), max_size=30)


@given(CHANCES, st.integers(1, 2000))
def test_what_is_told_expects_few_false_ones(chances: list[float], series: int) -> None:
    told = trusted(chances, series)
    if told.any():
        assert series * max(np.array(chances)[told]) <= FALSE_SHARE * told.sum()


@given(CHANCES, st.integers(1, 2000))
def test_a_clearer_change_is_told_whenever_a_vaguer_one_is(chances: list[float], series: int) -> None:
    told = trusted(chances, series)
    assert all(told[i] for i in range(len(chances)) for j in range(len(chances)) if told[j] and chances[i] <= chances[j])


def test_with_one_series_nothing_is_held_back() -> None:
    assert trusted([0.05], 1).all()


def test_with_many_series_a_lone_doubtful_change_waits_and_clear_company_helps_it() -> None:
    assert not trusted([0.001], 1250).any()
    assert trusted([0.001] + [1e-9] * 15, 1250).all()


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 up"):
        trusted([-1.0], 10)
    with pytest.raises(ValueError, match="at least one series"):
        trusted([0.1], 0)
