"""What becomes of flags after a check: kept, updated, raised, withdrawn, and settled at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.clock import PARIS
from fabrique.stats.changes import detect
from fabrique.stats.measurements import proportions
from fabrique.watch.rules import NEWS, Decisions, Finding, FlagState, KnownFlag, decide, finding_from, moved, night_of
from factories import dropping, week

FIGURES = ("direction", "granularity", "start", "earliest", "latest", "before", "after", "effect_low", "effect_high", "chance")
MONDAY = date(2026, 5, 4)


def finding(weeks: int = 0, spread: int = 2, **other: object) -> Finding:
    """A fall so many weeks after the first of May's Mondays."""
    start, around = MONDAY + timedelta(weeks=weeks), timedelta(weeks=spread)
    made = Finding("regression", "week", start, start - around, start + around, 0.8, 0.65, -0.17, -0.13, 9.0, 1e-6, is_news=True)
    return replace(made, **other)  # type: ignore[arg-type]


def told(found: Finding, flag_id: int = 1, state: FlagState = FlagState.RAISED) -> KnownFlag:
    """The flag that tells a finding."""
    return KnownFlag(flag_id, state, **{name: getattr(found, name) for name in FIGURES}, version="changes-1")


def applied(flags: list[KnownFlag], decisions: Decisions) -> list[KnownFlag]:
    """The flags as they are once the decisions are written (what watch.actions does, in memory)."""
    after = {flag.id: flag for flag in flags}
    for flag in decisions.withdrawn:
        after[flag.id] = replace(flag, state=FlagState.WITHDRAWN)
    for flag, found in decisions.confirmed:
        back = FlagState.RAISED if found.is_news else FlagState.CLOSED
        after[flag.id] = told(found, flag.id, back if flag.state is FlagState.WITHDRAWN else flag.state)
    for found in decisions.new:
        flag_id = max(after, default=0) + 1
        after[flag_id] = told(found, flag_id, FlagState.RAISED if found.is_news else FlagState.CLOSED)
    return list(after.values())


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    """A change near others, so that their plausible dates often overlap."""
    weeks, back, on = draw(st.integers(0, 30)), draw(st.integers(0, 6)), draw(st.integers(0, 6))
    start = MONDAY + timedelta(weeks=weeks)
    return finding(
        weeks,
        direction=draw(st.sampled_from(["regression", "improvement"])),
        earliest=start - timedelta(weeks=back),
        latest=start + timedelta(weeks=on),
        after=draw(st.floats(0, 1)),
        is_news=draw(st.booleans()),
    )


FINDINGS = st.lists(findings(), max_size=5, unique_by=lambda one: one.start)
FLAGS = st.lists(st.builds(told, findings(), st.just(0), st.sampled_from(FlagState)), max_size=5).map(
    lambda flags: [replace(flag, id=place + 1) for place, flag in enumerate(flags)]
)


@given(FLAGS, FINDINGS)
def test_deciding_again_once_the_outcome_is_written_changes_nothing(flags: list[KnownFlag], found: list[Finding]) -> None:
    settled = applied(flags, decide(flags, found))
    again = decide(settled, found)
    assert (again.new, again.withdrawn) == ((), ())
    assert not any(moved(flag, one) or flag.state is FlagState.WITHDRAWN for flag, one in again.confirmed)
    assert applied(settled, again) == settled


@given(FLAGS, FINDINGS)
def test_every_finding_is_told_by_one_flag_and_every_flag_has_one_fate(flags: list[KnownFlag], found: list[Finding]) -> None:
    decisions = decide(flags, found)
    assert sorted([*decisions.new, *(one for _flag, one in decisions.confirmed)], key=lambda one: one.start) == sorted(
        found, key=lambda one: one.start
    )
    fates = [flag.id for flag, _one in decisions.confirmed] + [flag.id for flag in decisions.withdrawn]
    idle = [flag.id for flag in flags if flag.id not in fates]
    assert sorted([*fates, *idle]) == [flag.id for flag in flags]
    assert all(flag.state is FlagState.WITHDRAWN for flag in flags if flag.id in idle)
    for flag, one in decisions.confirmed:
        assert flag.direction == one.direction
        assert flag.earliest <= one.latest
        assert one.earliest <= flag.latest


@given(FLAGS, FINDINGS, st.randoms(use_true_random=False))
def test_the_order_in_which_flags_are_read_does_not_matter(flags: list[KnownFlag], found: list[Finding], random: object) -> None:
    shuffled = list(flags)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(shuffled, found).confirmed == decide(flags, found).confirmed
    assert decide(shuffled, found).new == decide(flags, found).new


@pytest.mark.parametrize("state", [FlagState.RAISED, FlagState.CLOSED])
def test_the_same_change_seen_again_is_the_same_flag(state: FlagState) -> None:
    flag = told(finding(), state=state)
    assert decide([flag], [finding()]) == Decisions((), ((flag, finding()),), ())
    assert not moved(flag, finding())


@pytest.mark.parametrize(
    "grown", [finding(after=0.6), finding(effect_low=-0.2), finding(1), finding(spread=1), finding(before=0.81), finding(-1)]
)
def test_a_change_that_grows_or_shifts_updates_its_flag(grown: Finding) -> None:
    flag = told(finding())
    decisions = decide([flag], [grown])
    assert decisions == Decisions((), ((flag, grown),), ())
    assert moved(flag, grown)
    assert applied([flag], decisions) == [told(grown)]


def test_more_evidence_for_the_same_figures_is_no_news() -> None:
    assert not moved(told(finding()), finding(evidence=12.0, is_news=False))


@pytest.mark.parametrize(
    ("other", "new"), [(finding(direction="improvement"), 1), (finding(granularity="month"), 1), (finding(5), 1), (finding(4), 0)]
)
def test_another_direction_length_or_date_is_another_change(other: Finding, new: int) -> None:
    decisions = decide([told(finding())], [other])
    assert (len(decisions.new), len(decisions.withdrawn)) == (new, new)


def test_a_flag_whose_evidence_is_gone_is_withdrawn_once() -> None:
    flag = told(finding())
    assert decide([flag], []) == Decisions((), (), (flag,))
    assert decide([replace(flag, state=FlagState.WITHDRAWN)], []) == Decisions((), (), ())


@pytest.mark.parametrize(("is_news", "state"), [(True, FlagState.RAISED), (False, FlagState.CLOSED)])
def test_a_withdrawn_flag_returns_when_its_evidence_does(is_news: bool, state: FlagState) -> None:
    flag = told(finding(), state=FlagState.WITHDRAWN)
    decisions = decide([flag], [finding(is_news=is_news)])
    assert decisions.new == ()
    assert [one.state for one in applied([flag], decisions)] == [state]


def test_a_closed_flag_is_not_raised_again_even_where_it_became_the_last_change() -> None:
    flag = told(finding(), state=FlagState.CLOSED)
    decisions = decide([flag], [finding(after=0.6, is_news=True)])
    assert decisions.new == ()
    assert applied([flag], decisions)[0].state is FlagState.CLOSED


def test_of_two_flags_the_nearest_date_tells_the_change() -> None:
    near, far = told(finding(1), 2), told(finding(-2), 1)
    decisions = decide([far, near], [finding()])
    assert [flag.id for flag, _one in decisions.confirmed] == [2]
    assert decisions.withdrawn == (far,)


def test_two_changes_close_to_one_flag_keep_it_for_the_nearest_and_raise_the_other() -> None:
    flag = told(finding(1))
    assert decide([flag], [finding(-1), finding(2)]) == Decisions((finding(-1),), ((flag, finding(2)),), ())


def looked_at(shares: list[float], n: int = 2000) -> list[Finding]:
    """What a look at weekly shares finds."""
    changes = detect(proportions(np.round(np.array(shares) * n), [n] * len(shares)), "higher").changes
    starts = [week(place).start for place in range(len(shares))]
    return [finding_from(one, starts, "week", is_last=place == len(changes) - 1) for place, one in enumerate(changes)]


def wobbling(shares: list[float]) -> list[float]:
    return [share + (0.004 if place % 2 else -0.004) + (0.003 if place % 3 else -0.003) for place, share in enumerate(shares)]


@pytest.mark.parametrize(("weeks", "is_news"), [(61, True), (93, True), (94, False), (130, False)])
def test_a_change_more_than_a_year_old_at_the_first_look_is_recorded_as_closed(weeks: int, is_news: bool) -> None:
    (found,) = looked_at(wobbling(dropping(weeks=weeks, at=40)))
    assert found.start == week(40).start
    assert found.is_news is is_news
    assert found.is_news is (week(weeks - 1).start - found.start <= NEWS)
    (flag,) = applied([], decide([], [found]))
    assert flag.state is (FlagState.RAISED if is_news else FlagState.CLOSED)


def test_a_level_that_did_not_last_is_history_and_only_the_last_change_is_news() -> None:
    found = looked_at(wobbling([0.8] * 30 + [0.65] * 12 + [0.8] * 12))
    assert [(one.direction, one.is_news) for one in found] == [("regression", False), ("improvement", True)]


@pytest.mark.parametrize(
    ("hour", "minute", "night"), [(3, 59, date(2026, 5, 3)), (4, 0, MONDAY), (23, 59, MONDAY), (0, 0, date(2026, 5, 3))]
)
def test_a_night_begins_at_its_check_hour(hour: int, minute: int, night: date) -> None:
    assert night_of(datetime(2026, 5, 4, hour, minute, tzinfo=PARIS), 4) == night
