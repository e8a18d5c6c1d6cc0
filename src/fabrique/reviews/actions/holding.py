"""Opening, preparing, signing and superseding a gate review: each one transaction and one line in the trail."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts.actions import audit
from fabrique.accounts.model import PersonRow
from fabrique.language import Problem, n_
from fabrique.portfolio import actions as portfolio
from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.queries import stay_lines, stays_of
from fabrique.portfolio.rules import ACTIVE, stay_on
from fabrique.reviews.drafts import (
    answers_json,
    conditions_json,
    draft_of,
    fingerprint,
    seats_json,
    told,
    whole_fingerprint,
)
from fabrique.reviews.evidence import as_json, gather
from fabrique.reviews.model import ConditionRow, ReviewRow
from fabrique.reviews.queries.criteria import criteria_set, latest_criteria
from fabrique.reviews.queries.holding import ground_of, is_supersedable, review
from fabrique.reviews.rules import (
    LONGEST_CONTINUE,
    MOST_CONDITIONS,
    MOST_SEATS,
    Answered,
    ReviewState,
    lacks,
    leads_to,
    may_ask,
    may_prepare,
    may_sign,
    needs_day,
)
from fabrique.web.errors import NotAllowed, Overtaken, not_there

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person
    from fabrique.reviews.evidence import Evidence
    from fabrique.reviews.queries.holding import Review
    from fabrique.reviews.rules import Answer, Draft, Lack, Outcome, Seat

LONGEST_TEXT = 20_000
SCHEMA = 1


class ReviewOpen(Problem):
    """A review of the product is being prepared already."""


class ReviewClosed(Overtaken):
    """The review was signed, superseded or given up: it is not edited any more."""


class NoGate(Problem):
    """The product is in no stage that has a gate."""


class TextTooLong(Problem):
    """A text is longer than anybody would read."""


class DayOutOfReach(Problem):
    """A committee is planned on a day that nobody plans for."""


def require_near(planned_on: date | None, today: date) -> None:
    """Raise DayOutOfReach where a committee is planned further than two years away, either way."""
    if planned_on is not None and abs(planned_on - today) > LONGEST_CONTINUE:
        raise DayOutOfReach(n_("A committee is planned within two years; %(day)s is too far."), day=planned_on)


class NotReady(Problem):
    """Something is missing before the review can be signed."""

    def __init__(self, found: Sequence[Lack]) -> None:
        super().__init__(n_("The review cannot be signed yet: see what is missing."))
        self.lacks = tuple(found)


class ReviewOvertaken(Overtaken):
    """Somebody else changed the same part meanwhile: each line that differs, before and now."""

    def __init__(self, changes: Sequence[tuple[str, str, str]], seen: str) -> None:
        super().__init__(
            n_(
                "This part was changed while you were writing, by somebody else or in another tab. Nothing of yours is lost: "
                "compare, then save again."
            )
        )
        self.changes, self.seen = tuple(changes), seen


def held(session: Session, slug: str, review_id: int) -> ReviewRow:
    """The review's row, locked for this transaction. Raises NotThere."""
    row = session.scalar(
        sa.select(ReviewRow)
        .join(ProductRow, ProductRow.id == ReviewRow.product_id)
        .where(ReviewRow.id == review_id, ProductRow.slug == slug)
        .with_for_update()
    )
    if row is None:
        raise not_there(str(review_id))
    return row


def in_preparation(session: Session, slug: str, review_id: int) -> ReviewRow:
    """The same, where it may still be written in. Raises ReviewClosed."""
    row = held(session, slug, review_id)
    if row.state != ReviewState.PREPARING:
        raise ReviewClosed(n_("This review is closed: a signed decision is never edited, only superseded by another review."))
    return row


def prepared(session: Session, person: Person, slug: str, review_id: int) -> ReviewRow:
    """The same, for a coach who may prepare it. Raises NotAllowed."""
    row = in_preparation(session, slug, review_id)
    if not may_prepare(person, row.product_id):
        raise NotAllowed(n_("A review is prepared by a coach of the product."))
    return row


def open_review(session: Session, person: Person, slug: str, planned_on: date | None, now: datetime, today: date) -> int:
    """Open the review of a product's present gate: by its coach, or asked for by its team. Raises ReviewOpen, NoGate, NotAllowed."""
    product = session.scalar(sa.select(ProductRow).where(ProductRow.slug == slug).with_for_update())
    if product is None:
        raise not_there(slug)
    if not (may_prepare(person, product.id) or may_ask(person, product.id)):
        raise NotAllowed(n_("A review is opened by a coach of the product, or asked for by its team."))
    require_none_open(session, product.id)
    require_near(planned_on, today)
    stay = stay_on(stays_of(session, [product.id]).get(product.id, []), today)
    criteria = latest_criteria(session, stay.stage) if stay and stay.stage in ACTIVE else None
    if stay is None or criteria is None:
        raise NoGate(n_("The product is in no phase that a review could end; correct its phases first."))
    row = blank(product.id, criteria.id, stay.stage, person, now)
    row.planned_on = planned_on
    row.prepared_by = [person.id] if may_prepare(person, product.id) else []
    session.add(row)
    session.flush()
    details = {"review": row.id, "gate": stay.stage, "planned_on": planned_on.isoformat() if planned_on else None}
    audit(session, now, "open_review", ("product", slug), details, person.id)
    return row.id


def require_none_open(session: Session, product_id: int) -> None:
    """Raise ReviewOpen where one is being prepared: there is one gate, and one review of it at a time."""
    found = session.scalar(
        sa.select(ReviewRow.id).where(ReviewRow.product_id == product_id, ReviewRow.state == ReviewState.PREPARING)
    )
    if found is not None:
        raise ReviewOpen(n_("A review of this product is in preparation already; go on with that one."))


def blank(product_id: int, set_id: int, stage: str, person: Person, now: datetime) -> ReviewRow:
    """A review with nothing in it."""
    return ReviewRow(
        product_id=product_id, set_id=set_id, state=ReviewState.PREPARING, from_stage=stage, answers={}, committee=[],
        conditions=[], prepared_by=[], created_at=now, changed_at=now, changed_by=person.id,
    )  # fmt: skip


def require_unchanged(
    session: Session, row: ReviewRow, part: str, seen: str, wanted: Draft, planned_on: date | None = None
) -> bool:
    """Whether saving changes anything. Raises ReviewOvertaken where the part is no longer what the form showed."""
    present = draft_of(row)
    now, then = fingerprint(present, part, row.planned_on), fingerprint(wanted, part, planned_on)
    if now == then:
        return False
    if now != seen:
        labels = {one.key: one.label for one in criteria_set(session, row.set_id).criteria}
        theirs, mine = told(present, part, labels, row.planned_on), told(wanted, part, labels, planned_on)
        lines = [
            (key, mine.get(key, "–"), theirs.get(key, "–")) for key in {**theirs, **mine} if mine.get(key) != theirs.get(key)
        ]
        raise ReviewOvertaken(lines, now)
    return True


def touched(session: Session, row: ReviewRow, person: Person, part: str, slug: str, now: datetime) -> None:
    """Note who wrote, in the row and in the trail."""
    if part != "equipe" and person.id not in row.prepared_by:
        row.prepared_by = [*row.prepared_by, person.id]
    row.version += 1
    row.changed_at, row.changed_by = now, person.id
    audit(session, now, "prepare_review", ("product", slug), {"review": row.id, "part": part}, person.id)


def require_short(*texts: str) -> None:
    """Raise TextTooLong where a text is out of all measure."""
    if any(len(text) > LONGEST_TEXT for text in texts):
        raise TextTooLong(n_("A text is longer than %(most)s characters; nobody would read it."), most=LONGEST_TEXT)


Given = tuple["Answer | None", str]


def save_answers(
    session: Session, person: Person, slug: str, review_id: int, seen: str, given: Mapping[str, Given], now: datetime
) -> None:
    """The coach's answers to the criteria."""
    row = prepared(session, person, slug, review_id)
    if put_answers(session, row, "criteres", seen, given, ("answer", "comment")):
        touched(session, row, person, "criteres", slug, now)


def save_team_view(
    session: Session, person: Person, slug: str, review_id: int, seen: str, given: Mapping[str, Given], now: datetime
) -> None:
    """How the product's own team sees each criterion: shown beside the coach's answer, and deciding nothing."""
    row = in_preparation(session, slug, review_id)
    if not may_ask(person, row.product_id):
        raise NotAllowed(n_("Only the product’s own team says how it sees the criteria."))
    if put_answers(session, row, "equipe", seen, given, ("team_answer", "team_comment")):
        touched(session, row, person, "equipe", slug, now)


def put_answers(
    session: Session, row: ReviewRow, part: str, seen: str, given: Mapping[str, Given], names: tuple[str, str]
) -> bool:  # fmt: skip
    """Put answers and comments under the names of whose they are. Returns whether anything changed."""
    require_short(*(comment for _answer, comment in given.values()))
    present = draft_of(row)
    answers = dict(present.answers)
    for key in criteria_set(session, row.set_id).keys:
        if key in given:
            answer, comment = given[key]
            told_now: dict[str, Any] = {names[0]: answer, names[1]: comment.strip()}
            answers[key] = replace(answers.get(key, Answered()), **told_now)
    if not require_unchanged(session, row, part, seen, replace(present, answers=answers)):
        return False
    row.answers = answers_json(answers)
    return True


def save_committee(
    session: Session, person: Person, slug: str, review_id: int, seen: str, held_on: date | None, planned_on: date | None,
    seats: Sequence[Seat], now: datetime,
) -> None:  # fmt: skip
    """Who sat, and when."""
    row = prepared(session, person, slug, review_id)
    require_near(planned_on, now.date())
    require_short(*(text for seat in seats for text in (seat.name, seat.role)))
    if len(seats) > MOST_SEATS:
        raise TextTooLong(n_("A committee of more than %(most)s people does not decide."), most=MOST_SEATS)
    named = {seat.person_id for seat in seats} - {None}
    names = {one.id: one.name for one in session.scalars(sa.select(PersonRow).where(PersonRow.id.in_(named)))}
    known = tuple(
        replace(seat, name=names[seat.person_id]) if seat.person_id in names else replace(seat, person_id=None) for seat in seats
    )
    wanted = replace(draft_of(row), held_on=held_on, committee=known)
    if require_unchanged(session, row, "comite", seen, wanted, planned_on):
        row.held_on, row.planned_on, row.committee = held_on, planned_on, seats_json(known)
        touched(session, row, person, "comite", slug, now)


def save_outcome(session: Session, person: Person, slug: str, review_id: int, seen: str, outcome: Outcome, now: datetime) -> None:
    """What was decided, why, and on which conditions."""
    row = prepared(session, person, slug, review_id)
    require_short(outcome.reasons, *(one.text for one in outcome.conditions))
    if len(outcome.conditions) > MOST_CONDITIONS:
        raise TextTooLong(n_("At most %(most)s conditions; a decision with more is not one yet."), most=MOST_CONDITIONS)
    wanted = replace(draft_of(row), outcome=outcome)
    if require_unchanged(session, row, "decision", seen, wanted):
        row.decision, row.next_stage = outcome.decision or "", outcome.next_stage or ""
        row.continue_until, row.reasons = outcome.continue_until, outcome.reasons.strip()
        row.conditions = conditions_json(outcome.conditions)
        touched(session, row, person, "decision", slug, now)


def take_new_criteria(session: Session, person: Person, slug: str, review_id: int, now: datetime) -> None:
    """Go on with the present version of the criteria. Answers to those that were withdrawn stay in the review, out of its form."""
    row = prepared(session, person, slug, review_id)
    newest = latest_criteria(session, draft_of(row).from_stage)
    if newest is not None and newest.id != row.set_id:
        row.set_id = newest.id
        touched(session, row, person, "criteres", slug, now)


def give_up(session: Session, person: Person, slug: str, review_id: int, reason: str, now: datetime) -> None:
    """Give a review up that will not be held; it stays readable."""
    row = in_preparation(session, slug, review_id)
    if not (may_prepare(person, row.product_id) or may_ask(person, row.product_id)):
        raise NotAllowed(n_("A review is given up by a coach of the product, or by the team that asked for it."))
    if row.prepared_by and not may_prepare(person, row.product_id):
        raise NotAllowed(n_("A coach has begun to prepare this review; ask them to give it up."))
    row.state, row.changed_at, row.changed_by = ReviewState.ABANDONED, now, person.id
    audit(
        session, now, "give_up_review", ("product", slug), {"review": row.id, "reason": reason.strip()[:LONGEST_TEXT]}, person.id
    )


def sign(session: Session, person: Person, slug: str, review_id: int, seen: str, now: datetime, today: date) -> None:
    """Freeze the review with its evidence and carry its decision out.

    `seen`: the fingerprint of what the signature's page showed. Raises ReviewClosed, NotReady, ReviewOvertaken, NotAllowed.
    """
    row = in_preparation(session, slug, review_id)
    draft = draft_of(row)
    if not may_sign(person, row.product_id, draft.committee):
        raise NotAllowed(
            n_(
                "A review is signed by a coach of the product or a member of the committee who decides, never by the product’s team."
            )
        )
    if whole_fingerprint(draft, row.planned_on) != seen:
        raise ReviewOvertaken((), whole_fingerprint(draft, row.planned_on))
    if row.supersedes_id is not None:
        undo(session, row.supersedes_id, row, person, now)
        session.flush()
    found = review(session, slug, review_id)
    evidence = gather(session, row.product_id, slug, today)
    if missing := lacks(draft, ground_of(session, found, evidence, today)):
        raise NotReady(missing)
    row.state, row.signed_at, row.signed_by = ReviewState.SIGNED, now, person.id
    row.continue_until = row.continue_until if needs_day(draft.outcome) else None
    row.record = record_of(found, draft, evidence, person, now)
    row.record_sha256 = record_hash(row.record)
    session.add_all(
        ConditionRow(review_id=row.id, product_id=row.product_id, position=place, text=one.text, due_on=one.due_on)
        for place, one in enumerate(draft.outcome.conditions)
    )
    session.flush()
    if (stage := leads_to(draft)) is not None and draft.held_on is not None:
        portfolio.enter_stage(session, row.product_id, stage, draft.held_on, row.id, person.id, now, today)
    details = {"review": row.id, "decision": row.decision, "stage": leads_to(draft), "record_sha256": row.record_sha256}
    audit(session, now, "sign_review", ("product", slug), details, person.id)


def undo(session: Session, review_id: int, by: ReviewRow, person: Person, now: datetime) -> None:
    """Take back what a superseded decision did to the product's phases. Raises ReviewClosed where they moved on since."""
    old = session.scalars(sa.select(ReviewRow).where(ReviewRow.id == review_id).with_for_update()).one()
    if old.state != ReviewState.SIGNED:
        raise ReviewClosed(n_("The review that this one supersedes does not hold any more; look at what replaced it."))
    lines = stay_lines(session, [old.product_id]).get(old.product_id, [])
    made = [place for place, line in enumerate(lines) if line.review_id == review_id]
    if made and made[-1] != len(lines) - 1:
        raise ReviewClosed(n_("The product has moved on since that decision; put its phases right by a correction instead."))
    if made:
        kept = [line.stay for line in lines[: made[-1]]]
        stays = (*kept[:-1], replace(kept[-1], end=None)) if kept else ()
        portfolio.withdraw_stay(session, old.product_id, stays, by.id, person.id, now)
    old.state = ReviewState.SUPERSEDED


def record_of(found: Review, draft: Draft, evidence: Evidence, person: Person, now: datetime) -> dict[str, Any]:
    """What is frozen: the criteria as they were asked, answers, evidence as it stood, who sat, and what was decided."""
    outcome = draft.outcome
    return {
        "schema": SCHEMA,
        "product": {"slug": found.slug, "name": found.product},
        "gate": draft.from_stage,
        "held_on": draft.held_on.isoformat() if draft.held_on else None,
        "criteria": {
            "version": found.criteria.version,
            "asked": [
                {"key": one.key, "fr": one.label_fr, "en": one.label_en, "draws": list(one.draws)}
                for one in found.criteria.criteria
            ],
        },
        "answers": answers_json(draft.answers),
        "evidence": as_json(evidence),
        "committee": seats_json(draft.committee),
        "decision": outcome.decision,
        "next_stage": leads_to(draft),
        "continue_until": outcome.continue_until.isoformat() if outcome.continue_until and needs_day(outcome) else None,
        "reasons": outcome.reasons,
        "conditions": conditions_json(outcome.conditions),
        "prepared_by": list(found.preparers),
        "supersedes": found.supersedes_id,
        "signed_by": {"id": person.id, "name": person.name},
        "signed_at": now.isoformat(),
    }


def record_hash(record: Mapping[str, Any]) -> str:
    """The fingerprint of a frozen record: the same text on both databases, whoever computes it."""
    return hashlib.sha256(record_text(record).encode()).hexdigest()


def record_text(record: Mapping[str, Any]) -> str:
    """A frozen record as the text whose fingerprint is kept."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def supersede(session: Session, person: Person, slug: str, review_id: int, now: datetime, today: date) -> int:
    """Open the review that will replace a signed one, beginning from what it said. Returns its id."""
    old = held(session, slug, review_id)
    if not may_prepare(person, old.product_id):
        raise NotAllowed(n_("A review is prepared by a coach of the product."))
    if old.state != ReviewState.SIGNED:
        raise ReviewClosed(n_("Only a signed review is superseded."))
    require_none_open(session, old.product_id)
    if not is_supersedable(session, old.product_id, old.id, draft_of(old).from_stage, today):
        raise ReviewClosed(n_("The product has moved on since that decision; put its phases right by a correction instead."))
    newest = latest_criteria(session, draft_of(old).from_stage)
    row = blank(old.product_id, newest.id if newest else old.set_id, old.from_stage, person, now)
    row.prepared_by, row.supersedes_id = [person.id], old.id
    row.held_on, row.answers, row.committee = old.held_on, dict(old.answers), list(old.committee)
    row.decision, row.next_stage, row.continue_until = old.decision, old.next_stage, old.continue_until
    row.reasons, row.conditions = old.reasons, list(old.conditions)
    session.add(row)
    session.flush()
    audit(session, now, "supersede_review", ("product", slug), {"review": row.id, "supersedes": old.id}, person.id)
    return row.id
