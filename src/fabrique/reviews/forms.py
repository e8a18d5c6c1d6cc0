"""The forms of a review in preparation: what they show, and what is read from them. What was typed always comes back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.language import _, n_, without_controls
from fabrique.portfolio.rules import Stage
from fabrique.reviews.rules import Answer, Condition, Decision, Outcome, Seat, back_stages
from fabrique.web.days import day_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from fabrique.reviews.rules import Draft

Values = dict[str, str]
SPARE_SEATS, SPARE_CONDITIONS = 2, 1
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class DayUnread:
    """A field whose text is no day."""

    field: str
    text: str

    def __str__(self) -> str:
        return _("“%(text)s” is not a day; write it as 2026-03-14 or 14/03/2026.", text=self.text[:40])


def read_day(values: Mapping[str, str], field: str, faults: list[DayUnread]) -> date | None:
    """The day of a field; what cannot be read is noted and counts as none."""
    try:
        return day_from(values.get(field, ""))
    except ValueError:
        faults.append(DayUnread(field, values.get(field, "")))
        return None


def iso(day: date | None) -> str:
    """A day for a date field."""
    return day.isoformat() if day else ""


def answer_values(draft: Draft, keys: Sequence[str], *, team: bool) -> Values:
    """The criteria's fields, of the coach or of the team."""
    values: Values = {}
    for key in keys:
        if one := draft.answers.get(key):
            values[f"answer-{key}"] = (one.team_answer if team else one.answer) or ""
            values[f"comment-{key}"] = one.team_comment if team else one.comment
    return values


def read_answers(values: Mapping[str, str], keys: Sequence[str]) -> dict[str, tuple[Answer | None, str]]:
    """What is answered to each criterion; a word that is no answer counts as none."""
    known = {one.value: one for one in Answer}
    return {key: (known.get(values.get(f"answer-{key}", "")), without_controls(values.get(f"comment-{key}", ""))) for key in keys}


def committee_values(draft: Draft, planned_on: date | None) -> Values:
    """The committee's fields."""
    values = {"held_on": iso(draft.held_on), "planned_on": iso(planned_on)}
    for place, seat in enumerate(draft.committee):
        values |= {f"name-{place}": seat.name, f"role-{place}": seat.role, f"decides-{place}": "true" if seat.decides else ""}
    return values


def rows_of(values: Mapping[str, str], field: str, spare: int) -> range:
    """The rows of a list that a form shows: those that were written, and some to fill."""
    numbers = [name.removeprefix(f"{field}-") for name, text in values.items() if name.startswith(f"{field}-") and text.strip()]
    taken = [int(number) for number in numbers if re.fullmatch(r"[0-9]{1,4}", number)]
    return range(min(MOST_ROWS, max(taken, default=-1) + 1 + spare))


def read_seats(values: Mapping[str, str], people: Mapping[str, int]) -> list[Seat]:
    """Who sat. `people`: the ids behind names that belong to one account only, in lower case. A row without a name is none."""
    seats = []
    for place in rows_of(values, "name", 0):
        name = " ".join(without_controls(values.get(f"name-{place}", "")).split())
        if name:
            decides = values.get(f"decides-{place}") == "true"
            seats.append(
                Seat(name, without_controls(values.get(f"role-{place}", "")).strip(), people.get(name.casefold()), decides)
            )
    return seats


def outcome_values(draft: Draft) -> Values:
    """The decision's fields."""
    one = draft.outcome
    values = {
        "decision": one.decision or "",
        "next_stage": (one.next_stage or "") if one.decision is Decision.ADVANCE else "",
        "back_stage": (one.next_stage or "") if one.decision is Decision.PIVOT else "",
        "continue_until": iso(one.continue_until),
        "reasons": one.reasons,
    }
    for place, condition in enumerate(one.conditions):
        values |= {f"condition-{place}": condition.text, f"due-{place}": iso(condition.due_on)}
    return values


def read_outcome(values: Mapping[str, str], stage: Stage, faults: list[DayUnread]) -> Outcome:
    """What was decided. A condition without a day is noted: it cannot be kept."""
    decision = next((one for one in Decision if one == values.get("decision")), None)
    field = "next_stage" if decision is Decision.ADVANCE else "back_stage"
    chosen = next((one for one in Stage if one == values.get(field)), None)
    if decision not in {Decision.ADVANCE, Decision.PIVOT} or (decision is Decision.PIVOT and chosen not in back_stages(stage)):
        chosen = None
    conditions = []
    for place in rows_of(values, "condition", 0):
        text = without_controls(values.get(f"condition-{place}", "")).strip()
        due = read_day(values, f"due-{place}", faults)
        if text and due:
            conditions.append(Condition(text, due))
        elif text and not any(one.field == f"due-{place}" for one in faults):
            faults.append(DayMissing(f"due-{place}", ""))
    return Outcome(
        decision,
        chosen,
        read_day(values, "continue_until", faults),
        without_controls(values.get("reasons", "")).strip(),
        tuple(conditions),
    )


class DayMissing(DayUnread):
    """A condition without its day."""

    def __str__(self) -> str:
        return _(NO_DAY)


NO_DAY = n_("Give this condition the day it is due on.")
