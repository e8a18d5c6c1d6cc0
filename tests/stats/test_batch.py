"""Many series at once say what each says alone."""

from __future__ import annotations

import numpy as np
import pytest

from fabrique.stats.batch import detect_many
from fabrique.stats.changes import detect
from fabrique.stats.measurements import Form, means, proportions, rates, scores, values

LENGTHS = [60, 0, 5, 33, 90, 8, 47]
RANDOM = np.random.default_rng(21)
PERIODS = sum(LENGTHS)
STEP = np.concatenate([np.arange(size) >= size // 2 for size in LENGTHS])
N = RANDOM.integers(80, 300, PERIODS).astype(float)
X = RANDOM.binomial(N.astype(int), np.where(STEP, 0.6, 0.8)).astype(float)
LEVELS = np.array(
    [RANDOM.multinomial(int(n), [0.4, 0.3, 0.3] if late else [0.1, 0.2, 0.7]) for n, late in zip(N, STEP, strict=True)]
)
ANSWERS = [RANDOM.normal(5 + 2 * late, 1.5, int(n)) for n, late in zip(N, STEP, strict=True)]
SUMS, SQUARES = np.array([a.sum() for a in ANSWERS]), np.array([(a**2).sum() for a in ANSWERS])
VALUES = RANDOM.normal(100 + 9 * STEP, 2)
X[[3, 70, 120]] = np.nan
VALUES[[3, 70, 120]] = np.nan
MARKS = (0.0, 5.0, 10.0)

FORMS = {
    Form.PROPORTION: ((X, N), proportions),
    Form.RATE: ((X, N), rates),
    Form.MEAN: ((N, SUMS, SQUARES), means),
    Form.VALUE: ((VALUES,), values),
    Form.SCORE: ((LEVELS, MARKS), scores),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_finds_what_each_series_shows_alone(form: Form) -> None:
    columns, make = FORMS[form]
    found = detect_many(form, columns, LENGTHS)
    end = np.cumsum(LENGTHS)
    alone = []
    for place, size in enumerate(LENGTHS):
        piece = slice(end[place] - size, end[place])
        part = [columns[0][piece], columns[1]] if form is Form.SCORE else [one[piece] for one in columns]
        alone += [(place, c.index, c.earliest, c.latest) for c in detect(make(*part)).changes]  # type: ignore[operator]
    assert list(zip(*(getattr(found, name).tolist() for name in ("series", "index", "earliest", "latest")), strict=True)) == alone
    assert len(alone) >= 4
    assert (found.gain > 10).all()


def test_impossible_counts_are_told_with_their_series_and_period() -> None:
    with pytest.raises(ValueError, match="series 2, period 1: the numerator is above the denominator"):
        detect_many(Form.PROPORTION, ([1, 1, 1, 9], [2, 2, 2, 2]), [1, 1, 2])
    with pytest.raises(ValueError, match="series 0, period 0: the value is infinite"):
        detect_many(Form.VALUE, ([np.inf, 1.0],), [2])


def test_lengths_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to 3 periods; the columns hold 4"):
        detect_many(Form.VALUE, ([1.0, 2, 3, 4],), [1, 2])


def test_no_series_at_all_have_no_changes() -> None:
    assert len(detect_many(Form.VALUE, ([],), []).index) == 0
