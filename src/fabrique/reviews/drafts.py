"""A review in preparation as the database keeps it, part by part, and back; and what tells whether a part changed meanwhile.

Each part of the form (criteria, the team's view, committee, decision) carries the fingerprint of what was shown. Two coaches who
write in different parts are not in each other's way; in the same part, the second is shown what changed.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import TYPE_CHECKING, Any

from fabrique.language import _, n_
from fabrique.portfolio.rules import Stage
from fabrique.reviews.rules import (
    ANSWER_LABELS,
    DECISION_LABELS,
    Answer,
    Answered,
    Condition,
    Decision,
    Draft,
    Outcome,
    Seat,
    stage_label,
)
from fabrique.web.formats import day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fabrique.reviews.model import ReviewRow

PARTS = {
    "criteres": n_("Criteria"),
    "equipe": n_("The team’s view"),
    "comite": n_("Committee"),
    "decision": n_("Decision and conditions"),
}
"""The parts of the form, by their address."""


def draft_of(row: ReviewRow) -> Draft:
    """The review as it is being prepared."""
    return Draft(
        from_stage=Stage(row.from_stage),
        held_on=row.held_on,
        answers={key: answered(one) for key, one in row.answers.items()},
        committee=tuple(Seat(one["name"], one["role"], one["person_id"], one["decides"]) for one in row.committee),
        outcome=Outcome(
            decision=Decision(row.decision) if row.decision else None,
            next_stage=Stage(row.next_stage) if row.next_stage else None,
            continue_until=row.continue_until,
            reasons=row.reasons,
            conditions=tuple(Condition(one["text"], date.fromisoformat(one["due_on"])) for one in row.conditions),
        ),
    )


def answered(document: Mapping[str, str]) -> Answered:
    """One criterion's answers."""
    given, team = document.get("answer"), document.get("team_answer")
    return Answered(
        Answer(given) if given else None,
        document.get("comment", ""),
        Answer(team) if team else None,
        document.get("team_comment", ""),
    )


def answers_json(answers: Mapping[str, Answered]) -> dict[str, dict[str, str]]:
    """Answers as the database keeps them; what says nothing is left out."""
    made = {}
    for key, one in answers.items():
        told = {
            "answer": one.answer or "",
            "comment": one.comment,
            "team_answer": one.team_answer or "",
            "team_comment": one.team_comment,
        }
        if kept := {name: str(value) for name, value in told.items() if value}:
            made[key] = kept
    return made


def seats_json(seats: Sequence[Seat]) -> list[dict[str, Any]]:
    """A committee as the database keeps it."""
    return [{"name": one.name, "role": one.role, "person_id": one.person_id, "decides": one.decides} for one in seats]


def conditions_json(conditions: Sequence[Condition]) -> list[dict[str, str]]:
    """Conditions as the database keeps them."""
    return [{"text": one.text, "due_on": one.due_on.isoformat()} for one in conditions]


def part_of(draft: Draft, part: str, planned_on: date | None = None) -> Any:
    """One part of a draft as plain values, in an order that does not depend on who asks."""
    match part:
        case "criteres":
            return sorted((key, one.answer or "", one.comment) for key, one in draft.answers.items() if one.answer or one.comment)
        case "equipe":
            return sorted(
                (key, one.team_answer or "", one.team_comment)
                for key, one in draft.answers.items()
                if one.team_answer or one.team_comment
            )
        case "comite":
            return [str(draft.held_on), str(planned_on), seats_json(draft.committee)]
        case _:
            one = draft.outcome
            return [
                one.decision or "",
                one.next_stage or "",
                str(one.continue_until),
                one.reasons,
                conditions_json(one.conditions),
            ]


def fingerprint(draft: Draft, part: str, planned_on: date | None = None) -> str:
    """Names what a part says: the same as long as nobody changed it."""
    text = json.dumps(part_of(draft, part, planned_on), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def whole_fingerprint(draft: Draft, planned_on: date | None = None) -> str:
    """The same for everything that is signed."""
    return hashlib.sha256("".join(fingerprint(draft, part, planned_on) for part in PARTS).encode()).hexdigest()[:32]


def told(draft: Draft, part: str, labels: Mapping[str, str], planned_on: date | None = None) -> dict[str, str]:
    """A part in words, line by line, to show what somebody else changed. `labels`: the criteria's, by key."""
    match part:
        case "criteres":
            return {labels.get(key, key): answer_words(one.answer, one.comment) for key, one in draft.answers.items()}
        case "equipe":
            return {labels.get(key, key): answer_words(one.team_answer, one.team_comment) for key, one in draft.answers.items()}
        case "comite":
            days = {_("Committee planned on"): day_or_dash(planned_on), _("Committee held on"): day_or_dash(draft.held_on)}
            return days | {one.name: seat_words(one) for one in draft.committee}
        case _:
            one = draft.outcome
            lines = {
                _("Decision"): _(DECISION_LABELS[one.decision]) if one.decision else "–",
                _("Phase entered"): stage_label(one.next_stage),
                _("Continue until"): day_or_dash(one.continue_until),
                _("Reasons"): one.reasons or "–",
            }
            return lines | {condition.text: day(condition.due_on) for condition in one.conditions}


def answer_words(answer: Answer | None, comment: str) -> str:
    """An answer with its comment."""
    return " – ".join(part for part in (_(ANSWER_LABELS[answer]) if answer else "", comment) if part) or "–"


def seat_words(seat: Seat) -> str:
    """What somebody sat as."""
    return ", ".join(part for part in (seat.role, _("decides") if seat.decides else _("does not decide")) if part)


def day_or_dash(value: date | None) -> str:
    """A day, or a dash for none."""
    return day(value) if value else "–"
