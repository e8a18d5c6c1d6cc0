"""Which products are where? The list, the board, their file, and the views that people keep of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body, FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission, Person, may
from fabrique.dashboards import queries
from fabrique.dashboards.pages.asked import AddressUnreadable, products_asked
from fabrique.dashboards.queries.health import HEALTH_LABELS, HEALTH_SHORT
from fabrique.dashboards.queries.listing import ORDER_LABELS, STAGES, Asked, Option, require_known, stage_label
from fabrique.language import _, without_controls
from fabrique.portfolio.actions import delete_view, save_view
from fabrique.portfolio.actions.views import ViewInvalid
from fabrique.portfolio.programme import MISSIONS, STAKES
from fabrique.reviews.rules import DUE_LABELS
from fabrique.web.errors import NotThere
from fabrique.web.exports import table_answer
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from fabrique.dashboards.queries.products import ProductsPage

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LABELS = {"marks": HEALTH_SHORT, "reasons": DUE_LABELS}


@get("/produits", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def products(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Which products are where?"""
    asked = products_asked(visit.query)
    return answer(
        visit,
        lambda s: rendered(visit, queries.products(s, asked, visit.today, person_of(visit).id, fragment=visit.is_fragment)),
    )


def rendered(visit: Visit, page: ProductsPage, name: str = "", fault: str = "") -> str:
    """The page, or its results alone where htmx asks. name and fault: of a view that could not be kept."""
    template = "dashboards/_products_results.html" if page.choices is None else "dashboards/products.html"
    writes = may(person_of(visit), Permission.WORK)
    return render(
        visit, template, part=page.part, choices=page.choices, writes=writes, view_name=name, view_fault=fault,
        offered=offered(), **LABELS,
    )  # fmt: skip


def offered() -> dict[str, list[Option]]:
    """What the filters offer whatever the database knows, in the language in force."""
    known: dict[str, list[tuple[str, str]]] = {
        "stages": [(stage.value, stage_label(stage)) for stage in STAGES],
        "healths": [(health.value, _(label)) for health, label in HEALTH_LABELS.items()],
        "missions": [(key, _(mission.label)) for key, mission in MISSIONS.items()],
        "stakes": [(key, _(stake.label)) for key, stake in STAKES.items()],
        "orders": [(order.value, _(label)) for order, label in ORDER_LABELS.items()],
    }
    return {name: [Option(*pair) for pair in pairs] for name, pairs in known.items()}


def person_of(visit: Visit) -> Person:
    """Who is signed in; the route's permission made sure that somebody is."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


@get("/produits/export.csv", permission=Permission.READ, sync_to_thread=True)
def products_csv(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The whole list as CSV, by the same filters."""
    return products_file(visit, "csv")


# Not one handler for both addresses: Litestar 2.25 wraps a sync handler once for each of its paths.
@get("/produits/export.ods", permission=Permission.READ, sync_to_thread=True)
def products_ods(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The same as ODS."""
    return products_file(visit, "ods")


def products_file(visit: Visit, kind: str) -> Response[bytes]:
    """The list as a file."""
    asked = products_asked(visit.query)
    with visit.site.database.read() as session:
        table = queries.products_table(session, asked, visit.today)
    return table_answer(visit, table, kind)


@post("/produits/vues", permission=Permission.SIGNED_IN, sync_to_thread=True)
def keep_view(visit: NamedDependency[Visit], data: Form) -> Response[bytes] | Redirect:
    """Keep the filters on screen under a name."""
    asked, name = Asked(), without_controls(data.get("nom", ""))
    try:
        told = products_asked(data.get("filtres", ""))
        with visit.site.database.write() as session:
            require_known(session, told)
            asked = told
            save_view(session, person_of(visit), name, asked.query(), visit.site.clock.now())
    except (ViewInvalid, NotThere, AddressUnreadable) as error:
        return refused(visit, asked, name, str(error))
    return see_other(asked.address())


def refused(visit: Visit, asked: Asked, name: str, fault: str) -> Response[bytes]:
    """The list again, with the name as it was typed and what is wrong with it."""
    with visit.site.database.read() as session:
        page = queries.products(session, asked, visit.today, person_of(visit).id)
    return private_answer(visit, rendered(visit, page, name, fault), status_code=422)


@post("/produits/vues/{view:int}/supprimer", permission=Permission.SIGNED_IN, sync_to_thread=True)
def forget_view(visit: NamedDependency[Visit], view: FromPath[int], data: Form) -> Redirect:
    """Forget a view; stay on the list that is on screen."""
    asked = products_asked(data.get("filtres", ""))
    with visit.site.database.write() as session:
        delete_view(session, person_of(visit), view, visit.site.clock.now())
    return see_other(asked.address())


routes = [products, products_csv, products_ods, keep_view, forget_view]
