"""Which figures are possible, what level they give over twelve months, and in which band."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.clock import Granularity, Period
from fabrique.quality.catalogue import BY_KEY, SHIPPED, Metric
from fabrique.quality.rules import NAMES, Band, FigureImpossible, Figures, band, check, enough, measured, summary
from fabrique.stats.measurements import Form
from fabrique.web.formats import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = Metric("incidents", "Incidents", "Incidents", "Les incidents", "Incidents", Form.RATE, "lower", Unit())
MEAN = Metric("delay", "Délai", "Delay", "Le délai", "The delay", Form.MEAN, "lower", Unit("j", 1))
COMPLETION, CLARITY, DLNUF, RGAA = (BY_KEY[key] for key in ("completion", "clarity", "dlnuf", "rgaa"))
POSSIBLE = {
    Form.PROPORTION: (COMPLETION, Figures(numerator=30, denominator=40)),
    Form.RATE: (RATE, Figures(numerator=12, denominator=4)),
    Form.MEAN: (MEAN, Figures(n=3, total=6, total_of_squares=14)),
    Form.SCORE: (CLARITY, Figures(levels=(1, 0, 2, 3, 4))),
    Form.VALUE: (RGAA, Figures(value=72.5)),
}
LEVELS = {Form.PROPORTION: 0.75, Form.RATE: 3.0, Form.MEAN: 2.0, Form.SCORE: 7.25, Form.VALUE: 72.5}
WEIGHTS = {Form.PROPORTION: 40.0, Form.RATE: 4.0, Form.MEAN: 3.0, Form.SCORE: 10.0}
COUNTS = st.floats(0, 1e9)
FORMS = pytest.mark.parametrize("form", sorted(Form))


def refused(metric: Metric, figures: Figures) -> str:
    """The column that is refused."""
    with pytest.raises(FigureImpossible) as caught:
        check(metric, figures)
    assert str(caught.value)
    return caught.value.column


@FORMS
def test_a_possible_figure_is_taken_and_gives_its_level(form: Form) -> None:
    metric, figures = POSSIBLE[form]
    check(metric, figures)
    series = measured(metric, [figures, None])
    assert series.level[0] == pytest.approx(LEVELS[form], rel=1e-12)
    assert math.isnan(series.level[1])
    assert series.weight[1] == 0
    if form in WEIGHTS:
        assert series.weight[0] == WEIGHTS[form]


BAD = st.sampled_from([(None, "nothing"), (math.nan, "finite"), (math.inf, "finite"), (-math.inf, "finite"), (-1.0, "negative")])


@given(st.sampled_from([form for form in Form if form is not Form.SCORE]), st.data(), BAD)
def test_a_missing_infinite_or_negative_count_is_refused_with_its_column(
    form: Form, data: st.DataObject, bad: tuple[float | None, str]
) -> None:
    metric, figures = POSSIBLE[form]
    name = data.draw(st.sampled_from(NAMES[form]))
    wrong = replace(figures, **{name: bad[0]})
    if name in {"value", "total"} and bad[1] == "negative":
        check(metric, wrong)
        return
    assert refused(metric, wrong) == {"total": "sum", "total_of_squares": "sum_sq"}.get(name, name)


@given(st.sampled_from([metric for metric in SHIPPED if metric.form is Form.SCORE]), st.data(), BAD)
def test_a_wrong_answer_level_is_refused_with_its_column(metric: Metric, data: st.DataObject, bad: tuple[float, str]) -> None:
    counts = data.draw(st.lists(COUNTS, min_size=len(metric.marks), max_size=len(metric.marks)))
    check(metric, Figures(levels=tuple(counts)))
    place = data.draw(st.integers(0, len(counts) - 1))
    counts[place] = bad[0]
    assert refused(metric, Figures(levels=tuple(counts))) == f"level_{place + 1}"


@pytest.mark.parametrize(
    ("levels", "column"), [(None, "level_1"), ((), "level_1"), ((1.0,) * 4, "level_4"), ((1.0,) * 6, "level_6")]
)
def test_a_score_needs_as_many_answer_levels_as_its_metric(levels: tuple[float, ...] | None, column: str) -> None:
    assert refused(CLARITY, Figures(levels=levels)) == column


@given(COUNTS, COUNTS)
def test_a_numerator_above_its_denominator_is_refused_for_a_share_only(x: float, n: float) -> None:
    figures = Figures(numerator=x, denominator=n)
    check(RATE, figures)
    if x > n:
        assert refused(COMPLETION, figures) == "numerator"
    else:
        check(COMPLETION, figures)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_the_sums_of_any_real_sample_are_taken(sample: list[float]) -> None:
    values = np.array(sample)
    check(MEAN, Figures(n=len(sample), total=float(values.sum()), total_of_squares=float((values**2).sum())))


@given(st.integers(1, 1000), st.floats(1, 1e6), st.floats(0, 0.99))
def test_a_sum_of_squares_that_no_sample_could_have_is_refused(n: int, total: float, share: float) -> None:
    assert refused(MEAN, Figures(n=n, total=total, total_of_squares=total * total / n * share)) == "sum_sq"


def test_squares_of_no_answers_are_refused() -> None:
    check(MEAN, Figures(n=0, total=0, total_of_squares=0))
    assert refused(MEAN, Figures(n=0, total=0, total_of_squares=10)) == "sum_sq"
    assert refused(MEAN, Figures(n=0, total=3, total_of_squares=9)) == "sum_sq"


def starts(last: date, granularity: Granularity, size: int) -> list[date]:
    """The first days of so many periods that end with the one holding `last`."""
    found = [Period.containing(last, granularity)]
    while len(found) < size:
        found.append(Period.containing(found[-1].start - timedelta(days=1), granularity))
    return [period.start for period in reversed(found)]


def shares(*counts: tuple[float, float]) -> list[Figures]:
    return [Figures(numerator=x, denominator=n) for x, n in counts]


@pytest.mark.parametrize(
    ("granularity", "twelve_months"),
    [(Granularity.WEEK, 52), (Granularity.MONTH, 12), (Granularity.QUARTER, 4), (Granularity.YEAR, 1)],
)
@pytest.mark.parametrize("last", [date(2026, 11, 23), date(2024, 3, 1), date(2024, 12, 31), date(2025, 2, 28)])
def test_the_level_is_that_of_the_last_twelve_months(granularity: Granularity, twelve_months: int, last: date) -> None:
    size = 2 * twelve_months + 3
    rows = shares(*[(0, 100)] * (size - twelve_months), *[(90, 100)] * twelve_months)
    state = summary(COMPLETION, starts(last, granularity, size), rows)
    assert state.answers == 100 * twelve_months
    assert state.level == pytest.approx(0.9)


def test_the_level_weighs_each_period_by_its_answers() -> None:
    rows = shares((10, 10), (0, 0), (0, 90))
    state = summary(COMPLETION, starts(date(2026, 3, 1), Granularity.MONTH, 3), rows)
    assert (state.level, state.answers) == (pytest.approx(0.1), 100)
    assert state.recent == (1.0, None, 0.0)


@FORMS
def test_a_series_of_one_period_has_the_level_of_that_period(form: Form) -> None:
    metric, figures = POSSIBLE[form]
    state = summary(metric, [date(2026, 3, 2)], [figures])
    assert state.level == pytest.approx(LEVELS[form])
    assert state.answers == WEIGHTS.get(form)


def test_a_bare_value_is_told_by_its_last_known_value_without_answers() -> None:
    rows: Sequence[Any] = [Figures(value=60.0), Figures(value=72.5), Figures(value=None)]
    state = summary(RGAA, starts(date(2026, 3, 1), Granularity.YEAR, 3), rows)
    assert (state.level, state.answers, state.recent) == (72.5, None, (60.0, 72.5, None))


def test_a_year_without_answers_has_no_level() -> None:
    rows = shares((50, 100), *[(0, 0)] * 12)
    state = summary(COMPLETION, starts(date(2026, 3, 1), Granularity.MONTH, 13), rows)
    assert (state.level, state.answers) == (None, 0.0)


def test_only_the_last_year_of_weeks_is_kept_for_the_small_line() -> None:
    rows = shares(*[(place, 100) for place in range(60)])
    recent = summary(COMPLETION, starts(date(2026, 3, 2), Granularity.WEEK, 60), rows).recent
    assert recent == tuple(round(place / 100, 6) for place in range(8, 60))


@pytest.mark.parametrize(
    ("metric", "level", "expected"),
    [
        (CLARITY, 8.0, Band.GREEN),
        (CLARITY, 7.99, Band.YELLOW),
        (CLARITY, 5.0, Band.YELLOW),
        (CLARITY, 4.99, Band.RED),
        (DLNUF, 0.0, Band.GREEN),
        (DLNUF, 1.0, Band.GREEN),
        (DLNUF, 1.5, Band.YELLOW),
        (DLNUF, 4.0, Band.YELLOW),
        (DLNUF, 5.0, Band.RED),
        (COMPLETION, 0.9, None),
        (CLARITY, None, None),
    ],
)
def test_a_level_falls_in_its_band_whichever_side_is_better(metric: Metric, level: float | None, expected: Band | None) -> None:
    assert band(metric, level, 1000) is expected


@given(st.sampled_from([m for m in SHIPPED if m.green is not None]), st.floats(-1e3, 1e3), st.floats(0, 1e3))
def test_a_better_level_is_never_in_a_worse_band(metric: Metric, level: float, step: float) -> None:
    better = level - step if metric.better == "lower" else level + step
    order = [Band.RED, Band.YELLOW, Band.GREEN]
    assert order.index(band(metric, better, None)) >= order.index(band(metric, level, None))  # type: ignore[arg-type]


def test_too_few_answers_have_neither_level_shown_nor_band() -> None:
    assert [enough(CLARITY, answers) for answers in (99, 100, None)] == [False, True, True]
    assert enough(RGAA, 0)
    assert band(CLARITY, 9.0, 99) is None
    assert band(CLARITY, 9.0, 100) is Band.GREEN


def test_thresholds_stand_in_the_order_of_the_metrics_better_side() -> None:
    for metric in SHIPPED:
        if metric.green is not None and metric.yellow is not None:
            assert (metric.green > metric.yellow) == (metric.better == "higher")
        assert (len(metric.marks) > 1) == (metric.form is Form.SCORE)
