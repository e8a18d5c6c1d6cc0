"""Writing a plan, having it reviewed by somebody else, locking it, and saying where one departed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts.actions import audit
from fabrique.accounts.rules import coaches, works_on
from fabrique.experiments.model import (
    DeviationRow,
    ExperimentAnalysisRow,
    ExperimentAuthorRow,
    ExperimentCountRow,
    ExperimentLookRow,
    ExperimentRow,
    ExperimentStepRow,
    ExperimentTableRow,
)
from fabrique.experiments.plan.canonical import differences, normalised, plan_hash
from fabrique.experiments.plan.reading import LONGEST_SLUG, SLUG, plan_from
from fabrique.experiments.rules import EDITABLE, LOCKED, State, Step, StepRefused, after, may_register
from fabrique.language import Problem, n_
from fabrique.portfolio.model import ProductRow
from fabrique.web.errors import NotAllowed, Overtaken, not_there

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person
    from fabrique.experiments.plan.canonical import Document


RESERVED = frozenset({"nouveau"})
"""Addresses that pages of their own have."""


class PlanLocked(Problem):
    """A plan can no longer be written; a deviation can be filed."""


class SlugTaken(Problem):
    """Another experiment has that address."""


class DeviationEmpty(Problem):
    """A deviation changes nothing, or does not say why."""


def held(session: Session, person: Person, slug: str) -> ExperimentRow:
    """The experiment, held until the transaction ends. Raises NotThere, or NotAllowed where it is not one of theirs."""
    row = session.scalar(sa.select(ExperimentRow).where(ExperimentRow.slug == slug).with_for_update())
    if row is None:
        raise not_there(slug)
    if not works_on(person, row.product_id):
        raise NotAllowed(n_("Only the product’s own team and its coaches may do this."))
    return row


def create(session: Session, person: Person, document: Document, now: datetime) -> str:
    """A new experiment from a first document, which needs its title, slug and product at least. Returns its slug."""
    document = normalised(document)
    slug, product_slug = str(document.get("slug", "")), str(document.get("product", ""))
    product = session.scalar(sa.select(ProductRow).where(ProductRow.slug == product_slug))
    if product is None:
        raise not_there(product_slug)
    if not works_on(person, product.id):
        raise NotAllowed(n_("Only the product’s own team and its coaches may do this."))
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise SlugTaken(n_("The address needs small letters, digits and single hyphens only, at most 100."))
    if slug in RESERVED or session.scalar(sa.select(ExperimentRow.id).where(ExperimentRow.slug == slug)) is not None:
        raise SlugTaken(n_("Another experiment has the address “%(slug)s”; choose another one."), slug=slug)
    row = ExperimentRow(
        slug=slug,
        title=str(document.get("title", slug)),
        product_id=product.id,
        state=State.IDEA,
        document=document,
        created_at=now,
        changed_at=now,
    )
    session.add(row)
    session.flush()
    session.add(ExperimentAuthorRow(experiment_id=row.id, person_id=person.id))
    note_step(session, row, person, Step.DRAFT, now, "")
    audit(session, now, "create_experiment", ("experiment", slug), {"product": product_slug}, person.id)
    return slug


def save(session: Session, person: Person, slug: str, document: Document, version: int, now: datetime) -> int:
    """Write the plan. Raises PlanLocked after registration, Overtaken where somebody saved meanwhile. Returns the new version."""
    row = held(session, person, slug)
    if State(row.state) not in EDITABLE:
        raise PlanLocked(n_("The plan is locked; what must change is filed as a deviation, with its reason."))
    if row.version != version:
        raise Overtaken(n_("Somebody else saved this plan meanwhile; their text stands. Copy yours, reload, and write it again."))
    document = {**normalised(document), "slug": row.slug}
    changes = differences(row.document, document)
    if not changes:
        return row.version
    row.document = document
    row.title = str(document.get("title", row.slug))
    row.state = State.DRAFT
    row.version += 1
    row.changed_at = now
    remember_author(session, row.id, person.id)
    audit(session, now, "write_plan", ("experiment", slug), {"keys": [one.path for one in changes][:50]}, person.id)
    return row.version


def remember_author(session: Session, experiment_id: int, person_id: int) -> None:
    """Note that a person wrote in the plan."""
    if session.get(ExperimentAuthorRow, (experiment_id, person_id)) is None:
        session.add(ExperimentAuthorRow(experiment_id=experiment_id, person_id=person_id))


def note_step(session: Session, row: ExperimentRow, person: Person | None, step: Step, now: datetime, note: str) -> None:
    """Write a step in the experiment's history."""
    person_id = person.id if person else None
    session.add(
        ExperimentStepRow(experiment_id=row.id, at=now, person_id=person_id, step=step, state=row.state, note=note.strip()[:4000])
    )


def move(session: Session, row: ExperimentRow, person: Person, step: Step, now: datetime, note: str = "") -> None:
    """Take a step: the state, the history and the trail. Raises StepRefused."""
    row.state = after(step, State(row.state))
    row.changed_at = now
    note_step(session, row, person, step, now, note)
    audit(session, now, f"experiment_{step}", ("experiment", row.slug), {"note": note[:200]} if note else {}, person.id)


def submit(session: Session, person: Person, slug: str, now: datetime) -> None:
    """Ask a coach to read the plan. Raises PlanFaulty with every fault."""
    row = held(session, person, slug)
    plan_from(row.document)
    move(session, row, person, Step.SUBMIT, now)


def give_back(session: Session, person: Person, slug: str, note: str, now: datetime) -> None:
    """Give the plan back to its authors, with what to mend."""
    row = held(session, person, slug)
    if not note.strip():
        raise StepRefused(n_("Say what is to be mended, so that the authors know."))
    move(session, row, person, Step.RETURN, now, note)


def register(session: Session, person: Person, slug: str, now: datetime, note: str = "", version: int | None = None) -> str:
    """Lock the plan under its hash. A coach of the product does it, never an author. Returns the hash.

    `version` is that of the plan the coach has read: Overtaken is raised where it has moved on since.
    """
    row = held(session, person, slug)
    authors = frozenset(
        session.scalars(sa.select(ExperimentAuthorRow.person_id).where(ExperimentAuthorRow.experiment_id == row.id))
    )
    if not may_register(person.id, coaches=coaches(person, row.product_id), author_ids=authors):
        raise NotAllowed(
            n_("You wrote in this plan: somebody else registers it.")
            if person.id in authors
            else n_("A coach of the product registers the plan.")
        )
    if version is not None and version != row.version:
        raise Overtaken(n_("The plan changed since you read it; reload the page and read it again."))
    plan_from(row.document)
    row.plan_hash = plan_hash(row.document)
    row.locked = row.document
    row.registered_at, row.registered_by, row.registered_name = now, person.id, person.name
    row.after_collection = has_figures(session, row.id)
    move(session, row, person, Step.REGISTER, now, note)
    return row.plan_hash


def has_figures(session: Session, experiment_id: int) -> bool:
    """Whether anything was counted already."""
    for table in (ExperimentCountRow, ExperimentTableRow):
        if session.scalar(sa.select(table.id).where(table.experiment_id == experiment_id).limit(1)) is not None:
            return True
    return False


def deviate(
    session: Session,
    person: Person,
    slug: str,
    document: Document,
    reason: str,
    *,
    results_known: bool,
    now: datetime,
    version: int | None = None,
) -> int:
    """Change a locked plan openly: one deviation for each key that differs. Raises PlanFaulty where the new plan has faults.

    Returns how many were filed.
    """
    row = held(session, person, slug)
    if State(row.state) not in LOCKED:
        raise PlanLocked(n_("The plan is not locked yet: write in it directly."))
    if version is not None and version != row.version:
        raise Overtaken(n_("Somebody else changed this plan meanwhile; reload the page, so as not to undo their deviation."))
    changes = differences(row.document, {**document, "slug": row.slug})
    if not changes:
        raise DeviationEmpty(n_("Nothing differs from the plan as it stands: there is no deviation to file."))
    if not reason.strip():
        raise DeviationEmpty(n_("Say why: a deviation without its reason cannot be judged."))
    plan_from({**document, "slug": row.slug})
    results_known = results_known or results_exist(session, row.id)
    file_deviations(session, row, changes, person, reason, results_known=results_known, now=now)
    row.document = normalised({**document, "slug": row.slug})
    row.title = str(document.get("title", row.title))
    row.version += 1
    row.changed_at = now
    details = {"keys": [one.path for one in changes], "results_known": results_known}
    audit(session, now, "file_deviation", ("experiment", slug), details, person.id)
    return len(changes)


def results_exist(session: Session, experiment_id: int) -> bool:
    """Whether a look or an analysis was recorded: then results are known, whatever one remembers."""
    for table in (ExperimentLookRow.day, ExperimentAnalysisRow.id):
        if session.scalar(sa.select(table).where(table.class_.experiment_id == experiment_id).limit(1)) is not None:
            return True
    return False


def file_deviations(
    session: Session, row: ExperimentRow, changes: list[Any], person: Person, reason: str, *, results_known: bool, now: datetime
) -> None:
    """One row for each key that differs."""
    last = session.scalar(sa.select(sa.func.max(DeviationRow.number)).where(DeviationRow.experiment_id == row.id)) or 0
    session.add_all(
        DeviationRow(
            experiment_id=row.id,
            number=last + place,
            at=now,
            person_id=person.id,
            who=person.name,
            path=change.path,
            old=change.old,
            new=change.new,
            reason=reason.strip(),
            results_known=results_known,
        )
        for place, change in enumerate(changes, 1)
    )


def step(session: Session, person: Person, slug: str, wanted: Step, now: datetime, note: str = "") -> None:
    """Start, pause, resume, reopen, archive or abandon. What needs more has an action of its own."""
    if wanted not in PLAIN_STEPS:
        raise StepRefused(n_("This step is taken on a page of its own."))
    row = held(session, person, slug)
    after(wanted, State(row.state))
    if wanted in {Step.ABANDON, Step.INVALIDATE, Step.REOPEN} and not note.strip():
        raise StepRefused(n_("Say why: whoever reads the result must know."))
    move(session, row, person, wanted, now, note)
    if wanted is Step.REOPEN:
        row.closed_on = None


PLAIN_STEPS = frozenset({Step.START, Step.PAUSE, Step.RESUME, Step.REOPEN, Step.ARCHIVE, Step.ABANDON, Step.INVALIDATE})
