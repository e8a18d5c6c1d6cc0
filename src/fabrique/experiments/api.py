"""Experiments for programs: what stands, and counts put in. The same actions and queries as the pages."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Annotated, Any

from litestar import get, put
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, PathParameter
from msgspec import Meta, Struct

from fabrique.accounts.rules import Permission, Person, TokenScope, works_on
from fabrique.experiments import queries
from fabrique.experiments.actions import collecting
from fabrique.experiments.data.reading import Table, table_from_text
from fabrique.experiments.rules import Choice, State
from fabrique.language import Problem, n_
from fabrique.web.errors import NotAllowed
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST_ROWS = 10_000


class RowsUnreadable(Problem):
    """The body is not a list of rows."""


Slug = Annotated[
    str,
    PathParameter(
        description=n_("The experiment’s short name, as in its page’s address."), examples=[Example(value="demo-aide-claire")]
    ),
]


class Decided(Struct, frozen=True):
    """What was decided."""

    choice: Choice
    reasons: str


class ExperimentTold(Struct, frozen=True):
    """An experiment: where it stands, what was planned, what came of it."""

    slug: str
    title: str
    state: State
    product: Annotated[str, Meta(description=n_("The product’s short name."))]
    plan: Annotated[dict[str, Any], Meta(description=n_("The plan, as its file says it."))]
    plan_hash: Annotated[str | None, Meta(description=n_("Of the locked plan; null before the lock."))]
    registration: Annotated[dict[str, Any] | None, Meta(description=n_("Who registered the plan, and when."))]
    deviations: Annotated[list[dict[str, Any]], Meta(description=n_("What was done otherwise, and why."))]
    analysis: Annotated[
        dict[str, Any] | None, Meta(description=n_("The last calculation sheet: running it again gives the same."))
    ]
    decision: Decided | None


class CountsIn(Struct, frozen=True):
    """Rows of counts."""

    rows: Annotated[
        list[dict[str, str | float | int | None]],
        Meta(
            description=n_(
                "A day, an arm, a metric and its counts: n and x, n, sum and sum_sq, or level_1 to level_k; and subgroups."
            )
        ),
    ]


class CountsRecorded(Struct, frozen=True):
    """What became of the rows."""

    new: int
    corrected: int
    unchanged: int


Counts = Annotated[
    CountsIn,
    BodyKwarg(
        media_type=RequestEncodingType.JSON,
        examples=[Example(value={"rows": [{"date": "2026-09-07", "arm": "sms", "metric": "venus", "n": 12, "x": 7}]})],
    ),
]


def reader(visit: Visit) -> Person:
    """Who asks: the token's person, or who is signed in."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


def own(session: Session, visit: Visit, slug: str) -> queries.Experiment:
    """The experiment; to a token, where its product has it."""
    found = queries.experiment(session, slug)
    person = reader(visit)
    if person.scopes and not works_on(person, found.product_id):
        raise NotAllowed(n_("This token belongs to another product."))
    return found


@get(
    "/api/experiments/{slug:str}", permission=Permission.READ_API, sync_to_thread=True, summary=n_("An experiment"),
    description=n_("Where an experiment stands, its plan, its last calculation sheet. A token sees its product’s only."),
)  # fmt: skip
def one_experiment(visit: NamedDependency[Visit], slug: Slug) -> ExperimentTold:
    """Where an experiment stands, its plan, its last calculation sheet."""
    with visit.site.database.read() as session:
        found = own(session, visit, slug)
    return ExperimentTold(
        slug=found.slug,
        title=found.title,
        state=found.state,
        product=found.product_slug,
        plan=found.document,
        plan_hash=found.plan_hash or None,
        registration=found.registration,
        deviations=[one.as_json() for one in found.deviations],
        analysis=found.analysis.result if found.analysis else None,
        decision=Decided(Choice(found.decision.choice), found.decision.reasons) if found.decision else None,
    )


@put(
    "/api/experiments/{slug:str}/counts", permission=Permission.BEARER, scope=TokenScope.FIGURES_WRITE, sync_to_thread=True,
    summary=n_("Put counts in"),
    description=n_("The same rows again change nothing; other figures for the same day, arm and metric correct what is there."),
)  # fmt: skip
def put_counts(visit: NamedDependency[Visit], slug: Slug, data: Counts) -> CountsRecorded:
    """Put counts in; all of the rows, or none."""
    if not data.rows:
        raise RowsUnreadable(n_('Send {"rows": [{"date": …, "arm": …, "metric": …, "n": …, "x": …}]}.'))
    if len(data.rows) > MOST_ROWS:
        raise RowsUnreadable(n_("At most 10,000 rows at once; send the others afterwards."))
    person, now = reader(visit), visit.site.clock.now()
    text = table_from_text("rows", as_text(data.rows))
    table = Table("rows", text.header, [(line - 1, cells) for line, cells in text.rows])
    with visit.site.database.write() as session:
        own(session, visit, slug)
        done = collecting.record_counts(session, person, slug, [table], "API", now)
    return CountsRecorded(done.new, done.corrected, done.unchanged)


def as_text(rows: list[dict[str, str | float | int | None]]) -> str:
    """The rows as the table that every other way in reads; a row keeps its place."""
    columns = list(dict.fromkeys(str(key) for row in rows for key in row))
    text = io.StringIO()
    out = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    out.writeheader()
    out.writerows({str(key): "" if value is None else value for key, value in row.items()} for row in rows)
    return text.getvalue()


routes = [one_experiment, put_counts]
