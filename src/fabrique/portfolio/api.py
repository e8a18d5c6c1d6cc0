"""Products for programs: the list as filtered, one product's whole sheet, what products refer to. The same queries as the pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from urllib.parse import parse_qsl, quote, urlencode

from litestar import Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta, Struct

from fabrique.accounts.rules import Permission
from fabrique.language import Problem, _, n_
from fabrique.portfolio import queries
from fabrique.portfolio.programme import MISSIONS, STAKES, Answer
from fabrique.portfolio.queries import Found, FoundProduct, Group, Sort, Wanted, find_products
from fabrique.portfolio.rules import Mark, Origin, Stage, stay_on
from fabrique.web.errors import not_there
from fabrique.web.visit import Visit

Slug = Annotated[
    str, PathParameter(description=n_("The product’s short name, as in its page’s address."), examples=[Example(value="demo-toit-clair")])
]  # fmt: skip

StageAsked = Literal[
    "investigation", "experimentation", "scale_up", "consolidation", "operated", "transferred", "inconclusive", "stopped",
    "active", "ended", "untold",
]  # fmt: skip
"""A stage, or a group of them: what may be asked for."""


class FilterUnknown(Problem):
    """A filter names something that the programme does not have."""


class Named(Struct, frozen=True):
    """An organisation or an incubator, as a list names it."""

    key: str
    name: str


class ProductListed(Struct, frozen=True):
    """A product in a list."""

    slug: str
    name: str
    stage: Annotated[Stage | None, Meta(description=n_("The phase it is in today; null before the first."))]
    since: Annotated[date | None, Meta(description=n_("The first day of that phase."))]
    mission: Annotated[str, Meta(description=n_("The mission’s key; empty for none."))]
    incubator: Named | None
    sponsors: list[Named]
    changed_at: Annotated[datetime, Meta(description=n_("When its sheet changed last."))]
    address: Annotated[str, Meta(description=n_("Where its whole sheet is, from the site’s root."))]


class Products(Struct, frozen=True):
    """One page of the products that match."""

    total: Annotated[int, Meta(description=n_("How many match, on all pages."))]
    page: int
    per_page: int
    next: Annotated[str | None, Meta(description=n_("Where the next page is, from the site’s root; null on the last."))]
    items: list[ProductListed]


class IncubatorTold(Struct, frozen=True):
    """Where products are incubated."""

    key: str
    title: str
    owner: Annotated[str, Meta(description=n_("The key of the organisation that it belongs to; empty where nobody told."))]
    website: str


class OrganisationTold(Struct, frozen=True):
    """A public body."""

    key: str
    name: str
    acronym: str
    kind: str


class Incubators(Struct, frozen=True):
    """Every incubator."""

    total: int
    items: list[IncubatorTold]


class Organisations(Struct, frozen=True):
    """Every organisation."""

    total: int
    items: list[OrganisationTold]


class MissionTold(Struct, frozen=True):
    """One of the programme's missions."""

    key: str
    code: str
    label: Annotated[str, Meta(description=n_("In the language asked for."))]
    aim: Annotated[str, Meta(description=n_("In the language asked for."))]


class StakeTold(Struct, frozen=True):
    """One of the programme's stakes."""

    key: str
    label: Annotated[str, Meta(description=n_("In the language asked for."))]
    aim: Annotated[str, Meta(description=n_("In the language asked for."))]
    metrics: Annotated[list[str], Meta(description=n_("The keys of the metrics that usually show it."))]


class ProgrammeTold(Struct, frozen=True):
    """What products are for."""

    missions: list[MissionTold]
    stakes: list[StakeTold]


class StakeServed(Struct, frozen=True):
    """A stake that a product serves."""

    stake: str
    metric: Annotated[str, Meta(description=n_("The key of the metric that will show it; empty where none is named yet."))]


class BudgetTold(Struct, frozen=True):
    """Money for a year, from a funder, in whole euros."""

    year: int
    funder: str
    planned: int | None
    spent: int | None


class StayTold(Struct, frozen=True):
    """A stay in a stage."""

    stage: Stage
    start: date
    end: Annotated[date | None, Meta(description=n_("The first day of the next stay; null for the one that lasts."))]
    estimated: Annotated[bool, Meta(description=n_("Whether the first day is estimated."))]
    origin: Annotated[Origin, Meta(description=n_("Who says so."))]


class EventTold(Struct, frozen=True):
    """Something that happened to a product."""

    kind: str
    day: date
    comment: str
    link: str


class ProductTold(Struct, frozen=True):
    """A product's whole sheet."""

    slug: str
    name: str
    pitch: Annotated[str, Meta(description=n_("Whose problem it solves, in a sentence or two."))]
    stage: Annotated[Stage | None, Meta(description=n_("The phase it is in today; null before the first."))]
    incubator: Annotated[str, Meta(description=n_("The incubator’s key; empty for none."))]
    sponsors: Annotated[list[OrganisationTold], Meta(description=n_("The organisations that sponsor it, by their keys."))]
    mission: Annotated[str, Meta(description=n_("The mission’s key; empty for none."))]
    stakes: list[StakeServed]
    audiences: list[str]
    themes: list[str]
    technologies: list[str]
    partners: list[str]
    qualities: Annotated[dict[str, Answer], Meta(description=n_("What is answered to each quality that is asked of products."))]
    accessibility: Annotated[str, Meta(description=n_("What the product declares, as it words it."))]
    website: str
    repository: str
    statistics_url: str
    impact_url: str
    budget_url: str
    dashlord_url: Annotated[str, Meta(description=n_("Where DashLord shows the technical quality of its site."))]
    risk_analysis_url: str
    budget: list[BudgetTold]
    stays: Annotated[list[StayTold], Meta(description=n_("Its phases, oldest first, without overlap or gap."))]
    events: Annotated[list[EventTold], Meta(description=n_("What happened to it, oldest first."))]


@get(
    "/api/products",
    permission=Permission.READ_API,
    sync_to_thread=True,
    summary=n_("Products, as filtered"),
    description=n_("A page of the products that match every filter. Follow “next” until it is null."),
    response_headers=[
        ResponseHeader(
            name="Link", value="", documentation_only=True, description=n_('The next page, as rel="next"; absent on the last.')
        )
    ],
)
def list_products(
    visit: NamedDependency[Visit],
    stage: Annotated[
        StageAsked | None,
        QueryParameter(
            description=n_("The phase they are in; or active, ended, untold (no phase yet)."),
            examples=[Example(value="experimentation")],
        ),
    ] = None,
    incubator: Annotated[
        str, QueryParameter(description=n_("The key of their incubator."), examples=[Example(value="demo-solidarites")])
    ] = "",
    sponsor: Annotated[
        str,
        QueryParameter(description=n_("The key of an organisation that sponsors them."), examples=[Example(value="demo-dgs")]),
    ] = "",
    mission: Annotated[str, QueryParameter(description=n_("The key of their mission."))] = "",
    stake: Annotated[str, QueryParameter(description=n_("The key of a stake that they serve."))] = "",
    q: Annotated[
        str,
        QueryParameter(
            description=n_("Words that stand in their name, short name or pitch, or in their incubator’s name."),
            examples=[Example(value="toit")],
        ),
    ] = "",
    sort: Annotated[
        Sort, QueryParameter(description=n_("By name, by phase, longest in their phase first, or changed last first."))
    ] = Sort.NAME,
    page: Annotated[int, QueryParameter(ge=1, description=n_("Which page, from 1."))] = 1,
    per_page: Annotated[int, QueryParameter(ge=1, le=200, description=n_("How many products on a page."))] = 50,
) -> Response[Products]:
    """A page of the products that match."""
    if mission and mission not in MISSIONS:
        raise FilterUnknown(n_("No mission is called “%(key)s”."), key=mission[:80])
    if stake and stake not in STAKES:
        raise FilterUnknown(n_("No stake is called “%(key)s”."), key=stake[:80])
    wanted = Wanted(
        stage=stage_asked(stage), incubator=incubator, sponsor=sponsor, mission=mission, stake=stake, search=q, sort=sort, page=page,
        size=per_page,
    )  # fmt: skip
    with visit.site.database.read() as session:
        found = find_products(session, wanted, visit.today)
    told = products_told(found, wanted, visit.query)
    return Response(told, headers={"Link": f'<{told.next}>; rel="next"'} if told.next else {})


def stage_asked(text: StageAsked | None) -> Stage | Group | None:
    """What is asked for: a stage, or several together."""
    if text is None:
        return None
    return Group(text) if text in set(Group) else Stage(text)


def products_told(found: Found, wanted: Wanted, query: str) -> Products:
    """A page as it is told. Beyond the last one there is nothing, so that whoever counts pages comes to an end."""
    items = [listed(one) for one in found.lines] if wanted.page <= found.pages else []
    following = [*((name, value) for name, value in parse_qsl(query) if name != "page"), ("page", str(wanted.page + 1))]
    address = f"/api/products?{urlencode(following)}" if wanted.page < found.pages else None
    return Products(found.total, wanted.page, wanted.size, address, items)


def listed(one: FoundProduct) -> ProductListed:
    """A product in a list."""
    return ProductListed(
        slug=one.slug,
        name=one.name,
        stage=one.stay.stage if one.stay else None,
        since=one.stay.start if one.stay else None,
        mission=one.mission,
        incubator=Named(one.incubator.key, one.incubator.name) if one.incubator else None,
        sponsors=[Named(sponsor.key, sponsor.name) for sponsor in one.sponsors],
        changed_at=one.changed_at,
        address=f"/api/products/{quote(one.slug, safe='')}",
    )


@get(
    "/api/products/{slug:str}", permission=Permission.READ_API, sync_to_thread=True, summary=n_("A product"),
    description=n_("The whole sheet: what it is for, who sponsors it, its phases, what happened to it, its budget."),
)  # fmt: skip
def one_product(visit: NamedDependency[Visit], slug: Slug) -> ProductTold:
    """A product's whole sheet."""
    with visit.site.database.read() as session:
        sheet = queries.product_sheets(session, [slug]).get(slug)
        if sheet is None:
            raise not_there(slug)
        product = queries.product_id_of(session, slug) or 0
        stays = [one for lines in queries.stay_lines(session, [product]).values() for one in lines]
        sponsors = queries.organisations_by_key(session, sheet.sponsors)
    now = stay_on(sheet.stays, visit.today)
    return ProductTold(
        slug=sheet.slug,
        name=sheet.name,
        pitch=sheet.pitch,
        stage=now.stage if now else None,
        incubator=sheet.incubator,
        sponsors=[organisation(sponsors[key]) for key in sheet.sponsors],
        mission=sheet.mission,
        stakes=[StakeServed(stake, metric) for stake, metric in sheet.stakes],
        audiences=list(sheet.audiences),
        themes=list(sheet.themes),
        technologies=list(sheet.technologies),
        partners=list(sheet.partners),
        qualities={key: Answer(answer) for key, answer in sheet.qualities},
        accessibility=sheet.accessibility,
        website=sheet.website,
        repository=sheet.repository,
        statistics_url=sheet.statistics_url,
        impact_url=sheet.impact_url,
        budget_url=sheet.budget_url,
        dashlord_url=sheet.dashlord_url,
        risk_analysis_url=sheet.risk_analysis_url,
        budget=[BudgetTold(one.year, one.funder, one.planned, one.spent) for one in sheet.budget],
        stays=[
            StayTold(one.stay.stage, one.stay.start, one.stay.end, one.stay.mark is Mark.ESTIMATED, one.origin) for one in stays
        ],
        events=[EventTold(one.kind, one.day, one.comment, one.link) for one in sheet.events],
    )


@get(
    "/api/incubators", permission=Permission.READ_API, sync_to_thread=True, summary=n_("Incubators"),
    description=n_("Where products are incubated, by title."),
)  # fmt: skip
def list_incubators(visit: NamedDependency[Visit]) -> Incubators:
    """Every incubator, by title."""
    with visit.site.database.read() as session:
        found = [IncubatorTold(one.key, one.title, one.owner_key, one.website) for one in queries.all_incubators(session)]
    return Incubators(len(found), found)


@get(
    "/api/organisations", permission=Permission.READ_API, sync_to_thread=True, summary=n_("Organisations"),
    description=n_("The public bodies that sponsor products and own incubators, by name."),
)  # fmt: skip
def list_organisations(visit: NamedDependency[Visit]) -> Organisations:
    """Every organisation, by name."""
    with visit.site.database.read() as session:
        found = [organisation(one) for one in queries.all_organisations(session)]
    return Organisations(len(found), found)


@get(
    "/api/programme", permission=Permission.READ_API, sync_to_thread=False, summary=n_("The programme"),
    description=n_("The missions and the stakes that products name by their keys."),
)  # fmt: skip
def programme() -> ProgrammeTold:
    """Missions and stakes, in the programme's own order."""
    return ProgrammeTold(
        [MissionTold(one.key, one.code, _(one.label), _(one.aim)) for one in MISSIONS.values()],
        [StakeTold(one.key, _(one.label), _(one.aim), list(one.metrics)) for one in STAKES.values()],
    )


def organisation(one: queries.Organisation) -> OrganisationTold:
    """An organisation as the API tells it."""
    return OrganisationTold(one.key, one.name, one.acronym, one.kind)


routes = [list_products, one_product, list_incubators, list_organisations, programme]
