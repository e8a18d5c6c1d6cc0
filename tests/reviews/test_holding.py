"""A gate review from its opening to its signature: who may, what is missing, what is frozen, what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.model import AuditRow, PersonRow
from fabrique.accounts.rules import Role
from fabrique.portfolio.model import StayRow
from fabrique.portfolio.rules import Stage
from fabrique.reviews.actions import conditions, holding
from fabrique.reviews.queries.due import agendas, conditions_overdue, late_products
from fabrique.reviews.queries.queue import Urgency, queue
from fabrique.reviews.rules import Answer, Condition, Decision, Outcome, ReviewState, Seat
from fabrique.web.errors import NotAllowed
from people import added_person
from reviews.conftest import ADVANCE, CONTINUE, JANUARY, JUNE, STOP, TODAY

if TYPE_CHECKING:
    from reviews.conftest import Gate


def lacks(gate: Gate, review: int) -> str:
    with pytest.raises(holding.NotReady) as caught:
        gate.sign(review)
    return " ".join(str(one) for one in caught.value.lacks)


def test_a_signed_advance_takes_the_product_into_its_next_phase_on_the_committees_day(gate: Gate) -> None:
    review = gate.ready()
    gate.sign(review)
    assert gate.stages() == [(Stage.INVESTIGATION, JANUARY), (Stage.EXPERIMENTATION, JUNE)]
    signed = gate.read(review)
    assert (signed.state, signed.signed_by) == (ReviewState.SIGNED, "Noor")
    assert [one.text for one in signed.conditions] == ["Nommer un DPO"]
    with gate.database.read() as session:
        stay = session.scalars(sa.select(StayRow).where(StayRow.stage == "experimentation")).one()
        assert (stay.origin, stay.review_id) == ("review", review)
        entry = session.scalars(sa.select(AuditRow).where(AuditRow.action == "sign_review")).one()
        assert entry.person_id == gate.noor.id
        assert entry.details["record_sha256"] == signed.record_sha256


def test_the_record_is_frozen_and_anybody_finds_its_fingerprint_again(gate: Gate) -> None:
    review = gate.ready()
    gate.sign(review)
    record = gate.read(review).record
    assert record is not None
    assert holding.record_hash(record) == gate.read(review).record_sha256
    assert record["criteria"]["version"] == 1
    assert {seat["name"] for seat in record["committee"]} == {"Anne", "Noor"}
    assert any("Camille" in one["fr"] for one in record["evidence"]["team"])
    assert "En phase" in record["evidence"]["stage"][0]["fr"]
    assert "In “Investigation”" in record["evidence"]["stage"][0]["en"]


@pytest.mark.parametrize("again", ["sign", "answer", "seat", "decide"])
def test_a_signed_review_is_never_edited_nor_decided_twice(gate: Gate, again: str) -> None:
    review = gate.ready()
    gate.sign(review)
    with pytest.raises(holding.ReviewClosed):
        getattr(gate, again)(review, *((CONTINUE,) if again == "decide" else ()))
    assert len(gate.stages()) == 2


def test_people_of_the_team_neither_prepare_nor_sign(gate: Gate) -> None:
    review = gate.ready()
    for act in (
        lambda: gate.answer(review, person=gate.camille),
        lambda: gate.seat(review, person=gate.camille),
        lambda: gate.decide(review, STOP, person=gate.camille),
        lambda: gate.sign(review, gate.camille),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_a_coach_of_other_products_is_a_stranger_here(gate: Gate) -> None:
    other = added_person(gate.database, gate.clock, "Idris", Role.COACH, None)
    with pytest.raises(NotAllowed):
        gate.open(other)
    review = gate.ready()
    with pytest.raises(NotAllowed):
        gate.sign(review, other)


def test_leadership_signs_where_it_sat_with_a_voice(gate: Gate) -> None:
    review = gate.ready()
    gate.seat(review, Seat("Anne", "", gate.anne.id, decides=False), Seat("Paule", "directrice"))
    with pytest.raises(NotAllowed):
        gate.sign(review, gate.anne)
    gate.seat(review, Seat("Anne", "", gate.anne.id))
    gate.sign(review, gate.anne)
    assert gate.read(review).signed_by == "Anne"


@pytest.mark.parametrize(
    ("seats", "why"),
    [
        ((Seat("Noor", "coach", 2),), "Au moins une personne décide"),
        ((Seat("Camille", "", 1), Seat("Paule")), "ne décident pas"),
        ((Seat("camille"), Seat("Paule")), "ne décident pas"),
        ((Seat("Paule"), Seat("paule")), "deux fois"),
    ],
    ids=["the preparer alone", "somebody of the team", "somebody of the team by name", "twice"],
)
def test_nobody_decides_alone_or_on_their_own_product(gate: Gate, seats: tuple[Seat, ...], why: str) -> None:
    assert (gate.camille.id, gate.noor.id) == (1, 2)
    review = gate.ready()
    gate.seat(review, *seats)
    assert why in lacks(gate, review)
    gate.seat(review, Seat("Paule", "directrice"), Seat("Camille", "intrapreneur", 1, decides=False))
    gate.sign(review)


@pytest.mark.parametrize(
    ("held_on", "why"),
    [
        (None, "quel jour"),
        (JANUARY - timedelta(days=1), "avant le début"),
        (TODAY + timedelta(days=1), "encore à venir"),
        (date(1, 1, 1), "avant le début"),
    ],
)
def test_the_committees_day_lies_in_the_phase_and_not_ahead(gate: Gate, held_on: date | None, why: str) -> None:
    review = gate.ready(STOP)
    gate.seat(review, held_on=held_on)
    assert why in lacks(gate, review)


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome(), "ce qui a été décidé"),
        (replace(ADVANCE, reasons=" "), "raisons"),
        (replace(ADVANCE, next_stage=None), "phase où entre"),
        (replace(ADVANCE, next_stage=Stage.SCALE_UP), "phase où entre"),
        (replace(CONTINUE, continue_until=None), "jusqu’à quel jour"),
        (replace(CONTINUE, continue_until=JUNE), "après celui du comité"),
        (replace(CONTINUE, continue_until=date(2036, 1, 1)), "deux ans"),
        (Outcome(Decision.PIVOT, None, None, "Autre chose"), "jusqu’à quel jour"),
        (Outcome(Decision.PIVOT, Stage.SCALE_UP, None, "Autre chose"), "phase antérieure"),
        (replace(ADVANCE, conditions=(Condition("Tôt", JANUARY),)), "le jour du comité ou après"),
        (replace(ADVANCE, conditions=(Condition(" ", TODAY),)), "ce qui est demandé"),
    ],
)
def test_a_decision_says_where_it_leads_until_when_and_why(gate: Gate, outcome: Outcome, why: str) -> None:
    review = gate.ready(outcome)
    assert why in lacks(gate, review)
    assert gate.stages() == [(Stage.INVESTIGATION, JANUARY)]


def test_going_on_despite_a_no_takes_a_condition(gate: Gate) -> None:
    review = gate.ready(replace(ADVANCE, conditions=()))
    gate.answer(review, Answer.NO, "")
    assert "condition" in lacks(gate, review)
    gate.decide(review, ADVANCE)
    gate.sign(review)


def test_a_yes_stands_on_something_that_can_be_seen(gate: Gate) -> None:
    review = gate.ready()
    gate.answer(review, Answer.YES, "")
    assert "rien de visible" in lacks(gate, review)
    gate.answer(review, Answer.NOT_APPLICABLE, "")
    assert "ne s’applique pas" in lacks(gate, review)


def test_continuing_keeps_the_phase_and_sets_the_next_review(gate: Gate) -> None:
    gate.sign(gate.ready(CONTINUE))
    assert gate.stages() == [(Stage.INVESTIGATION, JANUARY)]
    with gate.database.read() as session:
        due = agendas(session, [gate.product], TODAY)[gate.product].due
        assert due is not None
        assert due.day == CONTINUE.continue_until


def test_stopping_an_investigation_says_that_it_was_not_conclusive(gate: Gate) -> None:
    gate.sign(gate.ready(STOP))
    assert gate.stages()[-1] == (Stage.INCONCLUSIVE, JUNE)
    with pytest.raises(holding.NoGate):
        gate.open()


def test_one_review_at_a_time(gate: Gate) -> None:
    gate.open()
    with pytest.raises(holding.ReviewOpen):
        gate.open()
    with pytest.raises(holding.ReviewOpen):
        gate.open(gate.camille)


def test_the_team_asks_for_its_review_and_says_how_it_sees_itself(gate: Gate) -> None:
    review = gate.open(gate.camille, date(2026, 12, 10))
    given = {"sponsor": (Answer.PARTLY, "Un accord de principe.")}
    with gate.database.write() as session:
        holding.save_team_view(session, gate.camille, "aides", review, gate.seen(review, "equipe"), given, gate.clock.now())
    with pytest.raises(NotAllowed), gate.database.write() as session:
        holding.save_team_view(session, gate.noor, "aides", review, gate.seen(review, "equipe"), given, gate.clock.now())
    assert gate.read(review).draft.answers["sponsor"].team_answer is Answer.PARTLY
    assert gate.read(review).draft.answers["sponsor"].answer is None, "the team's view answers nothing in the coach's place"
    with gate.database.read() as session:
        (line,) = queue(session, [gate.product], TODAY)
        assert Urgency.ASKED in {one.urgency for one in line.reasons}
    gate.answer(review)
    with gate.database.read() as session:
        (line,) = queue(session, [gate.product], TODAY)
        assert Urgency.ASKED not in {one.urgency for one in line.reasons}


def test_two_coaches_at_once_the_second_sees_what_changed_and_loses_nothing(gate: Gate) -> None:
    lise = added_person(gate.database, gate.clock, "Lise", Role.COACH, gate.product, "coach")
    review = gate.open()
    seen = gate.seen(review, "decision")
    gate.decide(review, STOP)
    with pytest.raises(holding.ReviewOvertaken) as caught, gate.database.write() as session:
        holding.save_outcome(session, lise, "aides", review, seen, CONTINUE, gate.clock.now())
    told = {label: (mine, theirs) for label, mine, theirs in caught.value.changes}
    assert told["Raisons"] == (CONTINUE.reasons, STOP.reasons)
    with gate.database.write() as session:
        holding.save_outcome(session, lise, "aides", review, caught.value.seen, CONTINUE, gate.clock.now())
    assert gate.read(review).draft.outcome == CONTINUE


def test_two_coaches_in_different_parts_are_not_in_each_others_way(gate: Gate) -> None:
    review = gate.open()
    seen = gate.seen(review, "comite")
    gate.answer(review)
    with gate.database.write() as session:
        holding.save_committee(session, gate.noor, "aides", review, seen, JUNE, None, [Seat("Paule")], gate.clock.now())
    assert gate.read(review).draft.committee == (Seat("Paule"),)


def test_what_is_signed_is_what_was_shown(gate: Gate) -> None:
    review = gate.ready()
    from fabrique.reviews.drafts import whole_fingerprint  # noqa: PLC0415

    shown = whole_fingerprint(gate.read(review).draft)
    gate.decide(review, STOP)
    with pytest.raises(holding.ReviewOvertaken):
        gate.sign(review, seen=shown)


def test_a_superseding_review_takes_the_first_decision_back(gate: Gate) -> None:
    first = gate.ready()
    gate.sign(first)
    with gate.database.write() as session:
        second = holding.supersede(session, gate.noor, "aides", first, gate.clock.now(), TODAY)
    assert gate.read(second).draft.outcome.decision is Decision.ADVANCE, "it begins from what the first said"
    gate.decide(second, CONTINUE)
    gate.sign(second)
    assert gate.stages() == [(Stage.INVESTIGATION, JANUARY)]
    assert gate.read(first).state is ReviewState.SUPERSEDED
    assert gate.read(first).superseded_by == second
    assert gate.read(first).record is not None
    with gate.database.read() as session:
        assert agendas(session, [gate.product], TODAY)[gate.product].conditions == ()
    with pytest.raises(holding.ReviewClosed), gate.database.write() as session:
        holding.supersede(session, gate.noor, "aides", first, gate.clock.now(), TODAY)


def test_a_decision_that_the_product_has_outgrown_is_not_superseded(gate: Gate) -> None:
    first = gate.ready()
    gate.sign(first)
    scale = gate.open()
    gate.answer(scale)
    gate.seat(scale, held_on=TODAY)
    gate.decide(scale, replace(ADVANCE, next_stage=Stage.SCALE_UP, conditions=()))
    gate.sign(scale)
    with pytest.raises(holding.ReviewClosed, match="correction"), gate.database.write() as session:
        holding.supersede(session, gate.noor, "aides", first, gate.clock.now(), TODAY)
    assert [stage for stage, _day in gate.stages()] == [Stage.INVESTIGATION, Stage.EXPERIMENTATION, Stage.SCALE_UP]


def test_who_left_the_team_has_no_voice_on_its_product(gate: Gate) -> None:
    review = gate.ready()
    with gate.database.write() as session:
        accounts.join_product(session, gate.camille.id, gate.product, "team", "", JANUARY, JANUARY)
    gate.seat(review, Seat("Camille", "", gate.camille.id), Seat("Paule"))
    assert "ne décident pas" in lacks(gate, review)


def test_a_bearer_of_the_preparers_name_is_not_a_second_person(gate: Gate) -> None:
    other = added_person(gate.database, gate.clock, "Homonyme", Role.COACH, None)
    with gate.database.write() as session:
        session.execute(sa.update(PersonRow).where(PersonRow.id == other.id).values(name="Noor"))
    review = gate.ready()
    gate.seat(review, Seat("Noor", "coach"))
    assert "Au moins une personne décide" in lacks(gate, review)


@pytest.mark.parametrize("name", [".", "X", "123", "\u200b"])
def test_a_seat_has_a_name(gate: Gate, name: str) -> None:
    review = gate.ready()
    gate.seat(review, Seat(name))
    assert "Écrivez le nom" in lacks(gate, review)


def test_days_out_of_reach_are_refused(gate: Gate) -> None:
    with pytest.raises(holding.DayOutOfReach):
        gate.open(planned_on=date(9999, 12, 31))
    review = gate.ready(replace(ADVANCE, conditions=(Condition("Un jour", date(9999, 12, 31)),)))
    assert "cinq ans" in lacks(gate, review)


def test_a_review_given_up_leaves_room_for_another(gate: Gate) -> None:
    review = gate.open(gate.camille)
    with gate.database.write() as session:
        holding.give_up(session, gate.camille, "aides", review, "Trop tôt", gate.clock.now())
    assert gate.read(review).state is ReviewState.ABANDONED
    again = gate.open()
    with pytest.raises(NotAllowed), gate.database.write() as session:
        holding.give_up(session, gate.camille, "aides", again, "", gate.clock.now())


def test_conditions_are_met_by_a_coach_and_late_ones_stand_in_the_queue(gate: Gate) -> None:
    review = gate.ready()
    gate.sign(review)
    (condition,) = gate.read(review).conditions

    def reasons() -> list[Urgency]:
        with gate.database.read() as session:
            return [one.urgency for one in queue(session, [gate.product], TODAY)[0].reasons]

    assert reasons()[0] is Urgency.CONDITION_LATE
    with gate.database.read() as session:
        assert list(session.scalars(sa.select(StayRow.product_id).distinct())) == [gate.product]
        from fabrique.portfolio.model import ProductRow  # noqa: PLC0415

        assert session.scalars(sa.select(ProductRow.id).where(conditions_overdue(TODAY))).all() == [gate.product]

    def meet(person: object, day: date | None, note: str = "Fait") -> None:
        with gate.database.write() as session:
            conditions.meet_condition(session, person, "aides", condition.id, day, note, gate.clock.now(), TODAY)  # type: ignore[arg-type]

    with pytest.raises(conditions.NoteMissing):
        meet(gate.noor, TODAY, " ")

    with pytest.raises(NotAllowed):
        meet(gate.camille, TODAY)
    with pytest.raises(conditions.ConditionDayWrong):
        meet(gate.noor, TODAY + timedelta(days=1))
    meet(gate.noor, TODAY)
    assert Urgency.CONDITION_LATE not in reasons()
    meet(gate.noor, TODAY)
    with pytest.raises(conditions.ConditionMet):
        meet(gate.noor, TODAY, "Autrement")
    meet(gate.noor, None)
    assert Urgency.CONDITION_LATE in reasons()


def test_a_product_is_late_from_its_phases_usual_length_or_the_day_that_was_set(gate: Gate) -> None:
    from fabrique.portfolio.model import ProductRow  # noqa: PLC0415

    def late(day: date) -> bool:
        with gate.database.read() as session:
            by_query = session.scalars(sa.select(ProductRow.id).where(late_products(day))).all() == [gate.product]
            due = agendas(session, [gate.product], day)[gate.product].due
        assert by_query == (due is not None and due.is_late(day)), "the list's filter and the page say the same"
        return by_query

    usual = JANUARY + timedelta(weeks=9)
    assert [late(JANUARY - timedelta(days=1)), late(usual), late(usual + timedelta(days=1))] == [False, False, True]
    gate.sign(gate.ready(CONTINUE))
    assert CONTINUE.continue_until is not None
    assert [late(CONTINUE.continue_until), late(CONTINUE.continue_until + timedelta(days=1))] == [False, True]


def test_long_texts_and_crowds_are_refused(gate: Gate) -> None:
    review = gate.open()
    with pytest.raises(holding.TextTooLong):
        gate.decide(review, replace(STOP, reasons="x" * 30_000))
    with pytest.raises(holding.TextTooLong):
        gate.seat(review, *(Seat(f"P{n}") for n in range(60)))
    gate.decide(review, replace(STOP, reasons="x" * 10_000))
    gate.seat(review, Seat("« O'Brien » <b>مرحبا</b> 🎈"))
    assert gate.read(review).draft.committee[0].name == "« O'Brien » <b>مرحبا</b> 🎈"
