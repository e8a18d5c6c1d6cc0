"""Taking a look that the plan allows, analysing, deciding. What is seen is kept, before anybody acts on it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from fabrique.accounts.actions import audit
from fabrique.experiments.actions.plans import held, move
from fabrique.experiments.analysis.looking import CLOSE_ENOUGH, information, sizes_by_day
from fabrique.experiments.analysis.running import Context
from fabrique.experiments.model import ExperimentAnalysisRow, ExperimentDecisionRow, ExperimentLookRow
from fabrique.experiments.plan.canonical import plan_hash
from fabrique.experiments.plan.reading import plan_from
from fabrique.experiments.plan.schema import Looks
from fabrique.experiments.queries import changed_after_results, data_of, deviations_of, last_analysis
from fabrique.experiments.queries import experiment as sheet_of
from fabrique.experiments.rules import ANALYSABLE, Choice, State, Step, StepRefused, Verdict, departs
from fabrique.experiments.sheet import sheet
from fabrique.language import Problem, n_

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person
    from fabrique.experiments.data.rows import Data
    from fabrique.experiments.model import ExperimentRow
    from fabrique.experiments.plan.canonical import Document
    from fabrique.experiments.plan.schema import Plan


class LookRefused(Problem):
    """The plan does not allow this look, or not yet."""


class DecisionIncomplete(Problem):
    """A decision lacks its reasons."""


def look_at(
    document: Document,
    data: Data,
    registration: dict[str, Any] | None,
    deviations: Sequence[dict[str, Any]],
    taken: Sequence[date],
    *,
    day: date | None,
    as_of: date,
    final_taken: bool = False,
) -> dict[str, Any]:
    """The sheet of a look at the figures up to `day` (all of them unless told), with its `day`. Raises LookRefused."""
    plan = plan_from(document)
    if registration is None:
        raise LookRefused(n_("Register the plan first: a look at an unregistered plan proves nothing."))
    if final_taken:
        raise LookRefused(
            n_("The last look was taken: it spent all the error that was allowed. Close the collection and analyse.")
        )
    last = allowed_day(plan, data, taken, day, over=as_of > plan.design.planned_end)
    context = Context(
        as_of=as_of,
        plan_hash=plan_hash(document),
        registration=registration,
        deviations=tuple(deviations),
        looks=(*taken, last) if plan.analysis.looks is Looks.GROUP_SEQUENTIAL else (),
    )
    return {"day": last.isoformat(), **sheet(document, data.until(last), context)}


def allowed_day(plan: Plan, data: Data, taken: Sequence[date], day: date | None, *, over: bool) -> date:
    """The last day with figures up to the one asked for, where the plan allows a look then. Raises LookRefused."""
    sizes = [(one, n) for one, n in sizes_by_day(plan, data) if day is None or one <= day]
    if not sizes:
        raise LookRefused(n_("There are no figures to look at yet; record some first."))
    last, known = sizes[-1]
    span = (last - sizes[0][0]).days + 1
    if span < plan.sample.min_weeks_in_days:
        raise LookRefused(
            n_("Only %(days)s days are covered; the plan asks for %(least)s before anybody looks."),
            days=span, least=plan.sample.min_weeks_in_days,
        )  # fmt: skip
    fraction = information(plan, known)
    if plan.analysis.looks is Looks.FIXED and fraction < 1 and not over:
        raise LookRefused(n_("The plan looks once: when the planned size is there, or when the collection is over."))
    if plan.analysis.looks is not Looks.GROUP_SEQUENTIAL:
        return last
    before = information(plan, known_by(plan, data, max(taken))) if taken else 0.0
    if taken and (last <= max(taken) or fraction <= before):
        raise LookRefused(n_("Nothing came in since the last look (%(day)s): looking again would show the same."), day=max(taken))
    due = next((one for one in plan.analysis.information_fractions if one > before + CLOSE_ENOUGH), 1.0)
    if fraction < due - CLOSE_ENOUGH and not over:
        raise LookRefused(
            n_("The next look is due at %(due)s %% of the planned size; %(now)s %% are there."),
            due=round(100 * due), now=int(100 * fraction),
        )  # fmt: skip
    return last


def known_by(plan: Plan, data: Data, day: date) -> dict[str, float]:
    """Each arm's units at the end of a day."""
    return max((n for one, n in sizes_by_day(plan, data) if one <= day), key=lambda n: sum(n.values()), default={})


def context_of(session: Session, row: ExperimentRow, as_of: date) -> Context:
    """What surrounds an experiment's figures in the database."""
    whole = sheet_of(session, row.slug)
    return Context(
        as_of=as_of,
        plan_hash=plan_hash(row.document),
        closed=row.closed_on is not None,
        registration=whole.registration,
        deviations=tuple(one.as_json() for one in deviations_of(session, row.id)),
        looks=tuple(one.day for one in whole.looks),
        final_look=bool(whole.looks) and was_final(whole.looks[-1].result),
        corrected=max(
            changed_after_results(session, row.id),
            changed_looks([one.result for one in whole.looks], data_of(session, row.id, plan_from(row.document))),
        ),
    )


def changed_looks(looks: Iterable[dict[str, Any]], data: Data) -> int:
    """Recorded looks whose figures are no longer those that were looked at."""
    return sum(
        1 for one in looks if "day" in one and one.get("data_hash") != data.until(date.fromisoformat(str(one["day"]))).digest()
    )


def was_final(result: dict[str, Any]) -> bool:
    """Whether a recorded look was the plan's last."""
    looks = result.get("looks") or []
    return bool(looks and looks[-1].get("final"))


def take_look(session: Session, person: Person, slug: str, now: datetime, as_of: date) -> dict[str, Any]:
    """Look, and keep what was seen. Raises LookRefused, StepRefused."""
    row = held(session, person, slug)
    if State(row.state) not in {State.RUNNING, State.PAUSED}:
        raise StepRefused(n_("One looks while the experiment runs."))
    context = context_of(session, row, as_of)
    data = data_of(session, row.id, plan_from(row.document))
    made = look_at(
        row.document, data, context.registration, context.deviations, context.looks, day=None, as_of=as_of,
        final_taken=context.final_look,
    )  # fmt: skip
    day = date.fromisoformat(made["day"])
    if session.get(ExperimentLookRow, (row.id, day)) is None:
        session.add(ExperimentLookRow(experiment_id=row.id, day=day, at=now, person_id=person.id, result=made))
    row.changed_at = now
    audit(session, now, "experiment_look", ("experiment", slug), {"day": made["day"], "verdict": made["verdict"]}, person.id)
    return made


def analyse_now(session: Session, person: Person, slug: str, now: datetime, as_of: date) -> dict[str, Any]:
    """Analyse what was collected, and keep the sheet. Raises StepRefused before any figure."""
    row = held(session, person, slug)
    if State(row.state) not in ANALYSABLE:
        raise StepRefused(n_("There is nothing to analyse before figures came in."))
    plan = plan_from(row.document)
    data = data_of(session, row.id, plan)
    if not data:
        raise StepRefused(n_("There are no figures to look at yet; record some first."))
    made = sheet(row.document, data, context_of(session, row, as_of))
    session.add(ExperimentAnalysisRow(experiment_id=row.id, at=now, person_id=person.id, verdict=made["verdict"], result=made))
    move(session, row, person, Step.ANALYSE, now, made["verdict"])
    row.changed_at = now
    details = {"verdict": made["verdict"], "rule": made["rule"], "data_hash": made["data_hash"]}
    audit(session, now, "experiment_analysed", ("experiment", slug), details, person.id)
    return made


def decide(
    session: Session,
    person: Person,
    slug: str,
    choice: str,
    reasons: str,
    dissent: str,
    now: datetime,
    *,
    departing: bool = False,
) -> None:
    """Decide on the last analysis. A decision that goes beyond its verdict must say that it does.

    Raises DecisionIncomplete, StepRefused.
    """
    row = held(session, person, slug)
    analysis = last_analysis(session, row.id)
    if choice not in set(Choice):
        raise DecisionIncomplete(n_("Choose what is decided."))
    if not reasons.strip():
        raise DecisionIncomplete(n_("Say why: a decision without its reasons teaches nobody."))
    if analysis is None:
        raise StepRefused(n_("Analyse first: one decides with the verdict at hand."))
    beyond = departs(Choice(choice), Verdict(analysis.verdict))
    if beyond and not departing:
        raise DecisionIncomplete(
            n_("The verdict does not bear this decision; tick that you depart from it, and say why in the reasons.")
        )
    session.add(
        ExperimentDecisionRow(
            experiment_id=row.id,
            analysis_id=analysis.id,
            at=now,
            person_id=person.id,
            who=person.name,
            choice=choice,
            departs=beyond,
            reasons=reasons.strip()[:10_000],
            dissent=dissent.strip()[:10_000],
        )
    )
    move(session, row, person, Step.DECIDE, now, reasons)
