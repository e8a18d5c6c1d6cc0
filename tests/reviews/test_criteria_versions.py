"""What changes between two versions of a gate's criteria, and what cannot be saved: pure decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.reviews.defaults import Draw
from fabrique.reviews.versions import Criterion, Kind, changes, criteria_faults, merged, moved_keys, tidied

USE = Criterion("use", "Des usagers ?", "Any users?", "Combien.", "How many.", (Draw.ADOPTION,))
PROOF = Criterion("proof", "Une preuve ?", "Any evidence?", "", "", (Draw.METRICS, Draw.EXPERIMENTS))
COST = Criterion("cost", "À quel coût ?", "At what cost?", "", "", ())


def kinds(before: list[Criterion], after: list[Criterion]) -> list[tuple[Kind, str]]:
    return [(change.kind, change.criterion.key) for change in changes(before, after)]


def test_the_same_criteria_change_nothing_whatever_the_order_of_their_evidence() -> None:
    assert changes([USE, PROOF], [USE, replace(PROOF, draws=(Draw.EXPERIMENTS, Draw.METRICS))]) == []


def test_each_criterion_is_added_rewritten_or_withdrawn() -> None:
    rewritten = replace(USE, help_fr="Cent.", draws=())
    assert kinds([USE, PROOF], [rewritten, COST]) == [(Kind.REWRITTEN, "use"), (Kind.ADDED, "cost"), (Kind.WITHDRAWN, "proof")]
    (change, *_) = changes([USE], [rewritten])
    assert [(field.before, field.after) for field in change.fields] == [
        ("Combien.", "Cent."),
        ("Nombre de personnes qui utilisent les services", ""),
    ]


def test_one_criterion_moved_to_the_front_is_one_move_and_not_three() -> None:
    assert kinds([USE, PROOF, COST], [COST, USE, PROOF]) == [(Kind.MOVED, "cost")]


def test_withdrawing_one_moves_nobody() -> None:
    assert kinds([USE, PROOF, COST], [USE, COST]) == [(Kind.WITHDRAWN, "proof")]


@given(st.permutations(list("abcdefg")))
def test_those_that_did_not_move_kept_their_order(after: list[str]) -> None:
    moved = moved_keys(list("abcdefg"), after)
    stayed = [key for key in after if key not in moved]
    assert stayed == sorted(stayed)
    assert moved == set() if after == sorted(after) else moved


@pytest.mark.parametrize(
    ("criteria", "note", "field"),
    [
        ([], "parce que", "criteria"),
        ([replace(USE, label_fr="")], "parce que", "0.label_fr"),
        ([USE, replace(PROOF, label_en="")], "parce que", "1.label_en"),
        ([USE, replace(PROOF, key="use")], "parce que", "criteria"),
        ([replace(USE, key="pas une clé")], "parce que", "criteria"),
        ([USE, replace(PROOF, label_fr="des  USAGERS ?".replace("  ", " "))], "parce que", "1.label_fr"),
        ([replace(USE, label_en="a" * 301)], "parce que", "0.label_en"),
        ([replace(USE, help_fr="a" * 2001)], "parce que", "0.help_fr"),
        ([USE], "", "note"),
        ([USE], "a" * 1001, "note"),
        ([replace(USE, key=f"k{n}", label_fr=f"q{n}", label_en=f"q{n}") for n in range(41)], "parce que", "criteria"),
    ],
)
def test_what_cannot_be_saved_is_told_at_its_field(criteria: list[Criterion], note: str, field: str) -> None:
    assert field in [fault.field for fault in criteria_faults(criteria, note)]


def test_good_criteria_have_no_fault() -> None:
    assert criteria_faults([USE, PROOF, COST], "parce que") == []


def test_a_new_criterion_is_given_a_key_of_its_own() -> None:
    new = replace(COST, key="")
    made = tidied(
        [
            replace(USE, key="at_what_cost"),
            new,
            replace(new, label_en="At what cost!"),
            replace(new, label_en="🙂", label_fr="🙂"),
        ]
    )
    assert [one.key for one in made] == ["at_what_cost", "at_what_cost_2", "at_what_cost_3", "criterion"]


def test_texts_are_trimmed_and_lose_what_no_page_can_show() -> None:
    (made,) = tidied([replace(USE, label_fr=" Des\r\nusagers\x00 ? ", help_fr="Un.\r\nDeux.\ud800 ")])
    assert made.label_fr == "Des usagers ?"
    assert made.help_fr == "Un.\nDeux."


def test_two_peoples_changes_of_one_criterion_are_brought_together() -> None:
    mine, theirs = replace(USE, label_fr="Qui s’en sert ?", draws=()), replace(USE, label_en="Who uses it?", help_fr="Cent.")
    both = merged(USE, theirs, mine)
    assert both == Criterion("use", "Qui s’en sert ?", "Who uses it?", "Cent.", "How many.", ())
    assert merged(USE, replace(theirs, label_fr="Autre ?"), mine).label_fr == "Qui s’en sert ?"
