"""Figures coming in: by a form, a paste, a file or the API. All of a table, or nothing of it; corrections keep what they replace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.actions import audit
from fabrique.clock import PARIS
from fabrique.experiments.actions.plans import held, move
from fabrique.experiments.data.folder import DataFaulty
from fabrique.experiments.data.reading import Table, counts_from, events_from, series_from, units_from
from fabrique.experiments.model import ExperimentCountRow, ExperimentTableRow
from fabrique.experiments.plan.reading import plan_from
from fabrique.experiments.rules import COLLECTING, State, Step, StepRefused
from fabrique.language import n_

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person
    from fabrique.experiments.data.rows import Count, RowFault
    from fabrique.experiments.model import ExperimentRow
    from fabrique.experiments.plan.schema import Plan

LARGEST_TABLE = 900_000
"""Characters of a pasted or sent table; what is longer comes by the command line."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the rows."""

    new: int = 0
    corrected: int = 0
    unchanged: int = 0


def open_for_figures(row: ExperimentRow) -> Plan:
    """The plan, where figures may come in. The first ones start a registered experiment. Raises StepRefused."""
    state = State(row.state)
    if state not in COLLECTING:
        raise StepRefused(n_("Figures come in while the trial runs; a closed collection is reopened first, with a reason."))
    return plan_from(row.document)


def record_counts(session: Session, person: Person, slug: str, tables: Sequence[Table], source: str, now: datetime) -> Recorded:
    """Record tables of counts. Raises DataFaulty with every fault, and then nothing is recorded."""
    row = held(session, person, slug)
    plan = open_for_figures(row)
    counts, faults = counts_from(tables, plan)
    refuse([*faults, *not_yet([one.day for one in counts], now)])
    done = write_counts(session, row.id, counts, source, person.id, now)
    if State(row.state) is State.REGISTERED and counts:
        move(session, row, person, Step.START, now)
    row.changed_at = now
    details = {"new": done.new, "corrected": done.corrected, "unchanged": done.unchanged, "source": source[:100]}
    audit(session, now, "record_counts", ("experiment", slug), details, person.id)
    return done


def refuse(faults: list[RowFault]) -> None:
    """Raise DataFaulty where there are faults."""
    if faults:
        raise DataFaulty(faults)


def days_of(kind: str, table: Table, plan: Plan) -> list[date]:
    """The days that a table tells of."""
    if kind == "units":
        return [one.day for one in units_from(table, plan)[0] if one.day is not None]
    return [one.day for one in events_from(table)[0]] if kind == "events" else []


def not_yet(days: Sequence[date], now: datetime) -> list[RowFault]:
    """Figures of days that have not come."""
    from fabrique.experiments.data.rows import RowFault  # noqa: PLC0415

    today = now.astimezone(PARIS).date()
    late = sorted({one for one in days if one > today})
    return [RowFault("", 0, "date", day.isoformat(), n_("%(day)s has not come yet"), {"day": day}) for day in late[:10]]


def write_counts(
    session: Session, experiment_id: int, counts: Sequence[Count], source: str, person_id: int | None, now: datetime
) -> Recorded:
    """Insert what is new; replace what differs; leave what is the same."""
    present = {
        (one.day, one.arm, one.metric, tuple(map(tuple, one.segment))): one
        for one in session.scalars(
            sa.select(ExperimentCountRow).where(
                ExperimentCountRow.experiment_id == experiment_id, ExperimentCountRow.replaced_at.is_(None)
            )
        )
    }
    new = corrected = unchanged = 0
    added: list[ExperimentCountRow] = []
    for count in counts:
        known = present.get((count.day, count.arm, count.metric, count.segment))
        if known is not None and same(known, count):
            unchanged += 1
            continue
        if known is not None:
            known.replaced_at = now
            corrected += 1
        else:
            new += 1
        added.append(count_row(experiment_id, count, source, person_id, now))
    session.flush()  # the replaced rows leave their place before the new ones take it
    session.add_all(added)
    return Recorded(new, corrected, unchanged)


def same(row: ExperimentCountRow, count: Count) -> bool:
    """Whether a row says the same already."""
    return (row.n, row.x, row.total, row.total_of_squares, tuple(row.levels)) == (
        count.n, count.x, count.total, count.total_of_squares, count.levels,
    )  # fmt: skip


def count_row(experiment_id: int, count: Count, source: str, person_id: int | None, now: datetime) -> ExperimentCountRow:
    """The row of a count."""
    return ExperimentCountRow(
        experiment_id=experiment_id,
        day=count.day,
        arm=count.arm,
        metric=count.metric,
        segment=[list(pair) for pair in count.segment],
        n=count.n,
        x=count.x,
        total=count.total,
        total_of_squares=count.total_of_squares,
        levels=list(count.levels),
        source=source[:500],
        person_id=person_id,
        recorded_at=now,
    )


def record_table(session: Session, person: Person, slug: str, kind: str, table: Table, text: str, now: datetime) -> int:
    """Record a whole table of units, of a series or of events; it replaces the former one. Raises DataFaulty. Returns its rows."""
    row = held(session, person, slug)
    plan = open_for_figures(row)
    rows, faults = rows_of(kind, table, plan)
    faults += not_yet(days_of(kind, table, plan), now)
    refuse(faults)
    write_table(session, row.id, kind, text, rows, table.name, person.id, now)
    if State(row.state) is State.REGISTERED and rows and kind != "events":
        move(session, row, person, Step.START, now)
    row.changed_at = now
    audit(session, now, "record_table", ("experiment", slug), {"kind": kind, "rows": rows}, person.id)
    return rows


def rows_of(kind: str, table: Table, plan: Plan) -> tuple[int, list[RowFault]]:
    """How many good rows a table of that kind has, and its faults."""
    if kind == "units":
        units, faults = units_from(table, plan)
        return len(units), faults
    if kind == "series":
        values, faults = series_from(table, plan)
        return len(values), faults
    events, faults = events_from(table)
    return len(events), faults


def write_table(
    session: Session, experiment_id: int, kind: str, text: str, rows: int, source: str, person_id: int | None, now: datetime
) -> None:
    """Replace the table of that kind."""
    session.execute(
        sa.update(ExperimentTableRow)
        .where(
            ExperimentTableRow.experiment_id == experiment_id,
            ExperimentTableRow.kind == kind,
            ExperimentTableRow.replaced_at.is_(None),
        )
        .values(replaced_at=now)
    )
    session.add(
        ExperimentTableRow(
            experiment_id=experiment_id,
            kind=kind,
            text=text,
            rows=rows,
            source=source[:500],
            person_id=person_id,
            recorded_at=now,
        )
    )


def close(session: Session, person: Person, slug: str, day: date, now: datetime, note: str = "") -> None:
    """Close the collection: the figures up to that day count, no later one comes in."""
    row = held(session, person, slug)
    plan = plan_from(row.document)
    last = session.scalar(
        sa.select(sa.func.max(ExperimentCountRow.day)).where(
            ExperimentCountRow.experiment_id == row.id, ExperimentCountRow.replaced_at.is_(None)
        )
    )
    if day < plan.design.start or (last is not None and day < last):
        raise StepRefused(n_("There are figures after that day; close on the last one or later."))
    row.closed_on = day
    move(session, row, person, Step.CLOSE, now, note)
