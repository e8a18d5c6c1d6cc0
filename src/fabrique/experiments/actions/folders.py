"""Whole experiments between files and the database. What leaves comes back the same."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts.actions import audit
from fabrique.experiments.actions.collecting import write_counts, write_table
from fabrique.experiments.actions.plans import has_figures, note_step
from fabrique.experiments.actions.practices import set_practices
from fabrique.experiments.data.folder import tables_of as folder_tables
from fabrique.experiments.data.writing import counts_text, deviation_files, json_text, plan_text, toml_text
from fabrique.experiments.model import DeviationRow, ExperimentLookRow, ExperimentRow
from fabrique.experiments.plan.canonical import normalised, plan_hash
from fabrique.experiments.plan.locking import registered_document, registration_of, require_filed
from fabrique.experiments.queries import data_of, experiment, tables_of
from fabrique.experiments.rules import COLLECTING, EDITABLE, State, Step
from fabrique.language import Problem, n_
from fabrique.portfolio.model import ProductRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabrique.experiments.data.folder import Folder
    from fabrique.experiments.data.reading import Table

CREATED, UPDATED, UNCHANGED = n_("created"), n_("brought up to date"), n_("unchanged")


class ImportRefused(Problem):
    """An experiment cannot be brought in as it is."""


def bring_in(session: Session, folder: Folder, now: datetime, *, product: str | None = None) -> str:
    """Bring a sound folder in: a new experiment, or newer figures of a known one. Returns what became of it, a msgid.

    Raises ImportRefused where its plan differs from a locked one, PlanChanged where it differs from its own registration.
    """
    slug = product or folder.plan.product
    owner = session.scalar(sa.select(ProductRow).where(ProductRow.slug == slug))
    if owner is None:
        raise ImportRefused(n_("There is no product “%(slug)s”; name one with --product."), slug=slug)
    row = session.scalar(sa.select(ExperimentRow).where(ExperimentRow.slug == folder.plan.slug))
    outcome = UNCHANGED
    if row is None:
        row = new_row(session, folder, owner.id, now)
        outcome = CREATED
    elif row.document != folder.document:
        if State(row.state) not in EDITABLE:
            raise ImportRefused(
                n_("“%(slug)s” is locked here with another plan; file a deviation, or import under another slug."), slug=row.slug
            )
        row.document, row.title = folder.document, folder.plan.title
        row.version += 1
        outcome = UPDATED
    if State(row.state) not in EDITABLE | COLLECTING:
        if folder.data.digest() != data_of(session, row.id, folder.plan).digest():
            raise ImportRefused(
                n_("“%(slug)s” takes no figure any more here: reopen its collection first, and say why."), slug=row.slug
            )
        return outcome
    done = write_counts(session, row.id, folder.data.counts, "counts.csv", None, now)
    changed = bool(done.new or done.corrected) | write_tables(session, row, folder, now)
    if folder.registration is not None and not row.plan_hash:
        adopt_registration(session, row, folder, now)
    if outcome == UNCHANGED and changed:
        outcome = UPDATED
    if outcome != UNCHANGED:
        row.changed_at = now
        audit(session, now, "import_experiment", ("experiment", row.slug), {"outcome": outcome, "plan_hash": folder.plan_hash})
    return outcome


def new_row(session: Session, folder: Folder, product_id: int, now: datetime) -> ExperimentRow:
    """An experiment that was not here."""
    row = ExperimentRow(
        slug=folder.plan.slug,
        title=folder.plan.title,
        product_id=product_id,
        state=State.DRAFT,
        document=folder.document,
        created_at=now,
        changed_at=now,
    )
    session.add(row)
    session.flush()
    note_step(session, row, None, Step.DRAFT, now, "")
    set_practices(session, row.id, folder.plan.practices)
    return row


def write_tables(session: Session, row: ExperimentRow, folder: Folder, now: datetime) -> bool:
    """The folder's tables of units, series and events. Returns whether one differs from what is here."""
    present = tables_of(session, row.id)
    changed = False
    for kind, tables in folder_tables(folder.path).items():
        if kind == "counts" or not tables:
            continue
        text = "".join(text_of(table, header=place == 0) for place, table in enumerate(tables))
        if present.get(kind) != text:
            write_table(session, row.id, kind, text, sum(len(one.rows) for one in tables), f"{kind}.csv", None, now)
            changed = True
    return changed


def text_of(table: Table, *, header: bool) -> str:
    """A table as CSV."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    if header:
        out.writerow(table.header)
    out.writerows(cells for _line, cells in table.rows)
    return text.getvalue()


def adopt_registration(session: Session, row: ExperimentRow, folder: Folder, now: datetime) -> None:
    """Keep a file's registration, as the file's word: nobody here signed it."""
    registration = folder.registration or {}
    registered = registered_document(registration)
    deviations = [normalised(one) for one in folder.deviations]
    require_filed(registered, folder.document, deviations)
    row.locked, row.plan_hash = registered, plan_hash(registered)
    row.registered_at = moment_of(registration.get("registered_at"), now)
    row.registered_name = str(registration.get("registered_by", ""))
    row.after_collection = bool(registration.get("after_collection"))
    row.state = State.RUNNING if has_figures(session, row.id) else State.REGISTERED
    note_step(session, row, None, Step.REGISTER, now, row.registered_name)
    session.add_all(deviation_row(row.id, number, one, now) for number, one in enumerate(deviations, 1))
    for one in folder.looks:
        day = datetime.fromisoformat(str(one["day"])).date()
        session.add(ExperimentLookRow(experiment_id=row.id, day=day, at=now, person_id=None, result=one))


def deviation_row(experiment_id: int, number: int, one: dict[str, Any], now: datetime) -> DeviationRow:
    """A file's deviation."""
    return DeviationRow(
        experiment_id=experiment_id,
        number=number,
        at=moment_of(one.get("at"), now),
        person_id=None,
        who=str(one.get("who", "")),
        path=str(one.get("what", "")),
        old=one.get("old"),
        new=one.get("new"),
        reason=str(one.get("why", "")),
        results_known=bool(one.get("results_known", True)),
    )


def moment_of(value: object, otherwise: datetime) -> datetime:
    """A file's moment; UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return otherwise
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def files_of(session: Session, slug: str) -> dict[str, str]:
    """Every file of an experiment's folder. Raises NotThere."""
    whole = experiment(session, slug)
    data = data_of(session, whole.id, whole.plan)
    files = {"plan.toml": plan_text(whole.document)}
    if data.counts:
        files["counts.csv"] = counts_text(data.counts)
    files |= {f"{kind}.csv": text for kind, text in tables_of(session, whole.id).items()}
    if whole.registered_at is not None and whole.locked is not None:
        made = registration_of(
            whole.locked, whole.registered_name, whole.registered_at.isoformat(), after_collection=whole.after_collection
        )
        files["registration.toml"] = toml_text(made)
    files |= deviation_files([one.as_json() for one in whole.deviations])
    files |= {f"result/look-{place:03}.json": json_text(one.result) for place, one in enumerate(whole.looks, 1)}
    if whole.analysis is not None:
        files[f"result/analysis-{whole.analysis.result['as_of']}.json"] = json_text(whole.analysis.result)
    if whole.decision is not None:
        files["decision.toml"] = toml_text(
            {
                "choice": whole.decision.choice, "who": whole.decision.who, "at": whole.decision.at.isoformat(),
                "departs": whole.decision.departs, "reasons": whole.decision.reasons, "dissent": whole.decision.dissent,
                "practices": [name for _slug, name in whole.practices],
            }
        )  # fmt: skip
    return files
