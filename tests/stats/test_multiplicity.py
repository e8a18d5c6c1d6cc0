"""Adjusted p-values: R's figures, order kept, never smaller than the raw ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabrique.stats.multiplicity import benjamini_hochberg, benjamini_yekutieli, bonferroni, hochberg, holm

EVERY = [bonferroni, holm, hochberg, benjamini_hochberg, benjamini_yekutieli]
lists = st.lists(st.floats(0, 1), max_size=20)


def test_four_p_values_are_adjusted_as_by_r() -> None:
    p = [0.04, 0.012, 0.2, 0.03]
    assert holm(p) == pytest.approx([0.09, 0.048, 0.2, 0.09])
    assert hochberg(p) == pytest.approx([0.08, 0.048, 0.2, 0.08])
    assert bonferroni(p) == pytest.approx([0.16, 0.048, 0.8, 0.12])
    assert benjamini_hochberg(p) == pytest.approx([0.16 / 3, 0.048, 0.2, 0.16 / 3])
    assert benjamini_yekutieli(p)[1] == pytest.approx(0.1)


@given(lists.filter(bool))
def test_false_discovery_rates_are_scipys(p) -> None:
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    assert benjamini_yekutieli(p) == pytest.approx(stats.false_discovery_control(p, method="by"))


@pytest.mark.parametrize("adjust", EVERY)
@given(p=lists, shuffle=st.randoms(use_true_random=False))
def test_order_is_kept_and_nothing_gets_smaller(adjust, p, shuffle) -> None:
    adjusted = adjust(p)
    assert adjusted.shape == (len(p),)
    assert (adjusted >= np.array(p)).all()
    assert (adjusted <= 1).all()
    places = list(range(len(p)))
    shuffle.shuffle(places)
    assert adjust([p[i] for i in places]).tolist() == pytest.approx([adjusted[i] for i in places])


@given(lists)
def test_stricter_methods_give_larger_p_values(p) -> None:
    assert (bonferroni(p) >= holm(p)).all()
    assert (holm(p) >= hochberg(p)).all()
    assert (hochberg(p) >= benjamini_hochberg(p) - 1e-15).all()
    assert (benjamini_yekutieli(p) >= benjamini_hochberg(p) - 1e-15).all()


@pytest.mark.parametrize("adjust", EVERY)
def test_impossible_p_values_are_refused_in_a_sentence(adjust) -> None:
    assert adjust([]).size == 0
    assert adjust([0.03]).tolist() == [0.03]
    with pytest.raises(ValueError, match=r"A p-value of 1\.2: it must lie between 0 and 1"):
        adjust([0.3, 1.2])
    with pytest.raises(ValueError, match="A p-value of nan"):
        adjust([float("nan")])
    with pytest.raises(ValueError, match="must be one list"):
        adjust([[0.1]])
