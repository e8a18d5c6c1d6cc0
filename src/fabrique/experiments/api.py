"""Experiments for programs: what stands, and counts put in. The same actions and queries as the pages."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from litestar import get, put
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath, JSONBody

from fabrique.accounts.rules import Permission, Person, TokenScope, works_on
from fabrique.experiments import queries
from fabrique.experiments.actions import collecting
from fabrique.experiments.data.reading import Table, table_from_text
from fabrique.language import Problem, n_
from fabrique.web.errors import NotAllowed
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST_ROWS = 10_000


class RowsUnreadable(Problem):
    """The body is not a list of rows."""


def bearer(visit: Visit) -> Person:
    """Who the token acts for."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


def own(session: Session, visit: Visit, slug: str) -> queries.Experiment:
    """The experiment, where the token's product has it."""
    found = queries.experiment(session, slug)
    if not works_on(bearer(visit), found.product_id):
        raise NotAllowed(n_("This token belongs to another product."))
    return found


@get("/api/experiments/{slug:str}", permission=Permission.BEARER, scope=TokenScope.READ, sync_to_thread=True)
def one_experiment(visit: NamedDependency[Visit], slug: FromPath[str]) -> dict[str, Any]:
    """Where an experiment stands, its plan, its last calculation sheet."""
    with visit.site.database.read() as session:
        found = own(session, visit, slug)
    return {
        "slug": found.slug,
        "title": found.title,
        "state": found.state,
        "product": found.product_slug,
        "plan": found.document,
        "plan_hash": found.plan_hash or None,
        "registration": found.registration,
        "deviations": [one.as_json() for one in found.deviations],
        "analysis": found.analysis.result if found.analysis else None,
        "decision": {"choice": found.decision.choice, "reasons": found.decision.reasons} if found.decision else None,
    }


@put("/api/experiments/{slug:str}/counts", permission=Permission.BEARER, scope=TokenScope.FIGURES_WRITE, sync_to_thread=True)
def put_counts(visit: NamedDependency[Visit], slug: FromPath[str], data: JSONBody[dict[str, Any]]) -> dict[str, int]:
    """Put counts in: {"rows": [{"date", "arm", "metric", "n", "x" | "sum", "sum_sq" | "level_1"…}]}. The same rows again change nothing."""
    rows = data.get("rows")
    if not isinstance(rows, list) or not rows or not all(isinstance(one, dict) for one in rows):
        raise RowsUnreadable(n_('Send {"rows": [{"date": …, "arm": …, "metric": …, "n": …, "x": …}]}.'))
    if len(rows) > MOST_ROWS:
        raise RowsUnreadable(n_("At most 10,000 rows at once; send the others afterwards."))
    person, now = bearer(visit), visit.site.clock.now()
    text = table_from_text("rows", as_text(rows))
    table = Table("rows", text.header, [(line - 1, cells) for line, cells in text.rows])
    with visit.site.database.write() as session:
        own(session, visit, slug)
        done = collecting.record_counts(session, person, slug, [table], "API", now)
    return {"new": done.new, "corrected": done.corrected, "unchanged": done.unchanged}


def as_text(rows: list[dict[str, Any]]) -> str:
    """The rows as the table that every other way in reads; a row keeps its place."""
    columns = list(dict.fromkeys(str(key) for row in rows for key in row))
    text = io.StringIO()
    out = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    out.writeheader()
    out.writerows({str(key): "" if value is None else value for key, value in row.items()} for row in rows)
    return text.getvalue()


routes = [one_experiment, put_counts]
