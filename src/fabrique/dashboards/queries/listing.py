"""What an address asks of the list of products, and a product as lists show it: its filters in words, its health, its next date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import sqlalchemy as sa

from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.dashboards.queries.health import HEALTH_LABELS, Health, health_condition, health_of
from fabrique.language import _, folded, n_
from fabrique.portfolio.model import IncubatorRow, OrganisationRow, SponsorshipRow
from fabrique.portfolio.programme import MISSIONS, STAKES
from fabrique.portfolio.queries.finding import MOST_ID, Group, Sort, Wanted, kept, still_coaching
from fabrique.portfolio.rules import ACTIVE, STAGE_LABELS, Stage
from fabrique.reviews.queries.due import agendas, next_review_day
from fabrique.web.durations import lasting
from fabrique.web.errors import NotThere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries.finding import FoundProduct
    from fabrique.reviews.queries.due import Agenda

NEVER = date(9999, 12, 31)
GROUP_LABELS = {
    Group.ACTIVE: n_("In incubation"),
    Group.ENDED: n_("Out of incubation"),
    Group.UNTOLD: n_("No phase told"),
}

STAGES: tuple[Stage | Group, ...] = (
    Group.ACTIVE,
    *ACTIVE,
    Group.ENDED,
    *(stage for stage in Stage if stage not in ACTIVE),
    Group.UNTOLD,
)
"""What can be asked for as a phase, in the order of the road."""


class Order(StrEnum):
    """Orders of the list, as its address names them."""

    NAME = "name"
    STAGE = "stage"
    SINCE = "since"
    REVIEW = "review"
    CHANGED = "changed"


ORDER_LABELS = {
    Order.NAME: n_("Name"),
    Order.STAGE: n_("Phase"),
    Order.SINCE: n_("Longest in their phase first"),
    Order.REVIEW: n_("Next review first"),
    Order.CHANGED: n_("Changed lately first"),
}


SORTS = {Order.NAME: Sort.NAME, Order.STAGE: Sort.STAGE, Order.SINCE: Sort.SINCE, Order.CHANGED: Sort.CHANGED}
"""Those that the portfolio knows by itself."""


class View(StrEnum):
    """Ways to look at the same products."""

    LIST = "liste"
    BOARD = "tableau"


PARAMETERS = {
    "search": "q", "stage": "phase", "health": "sante", "incubator": "incubateur", "sponsor": "sponsor", "coach": "coach",
    "mission": "mission", "stake": "enjeu", "sort": "tri", "view": "vue", "page": "page", "size": "par_page",
}  # fmt: skip
"""Each field of Asked by its name in the address."""
FILTERS = ("search", "stage", "health", "incubator", "sponsor", "coach", "mission", "stake")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the list of products; all of it lives in the address."""

    search: str = ""
    stage: Stage | Group | None = None
    health: Health | None = None
    incubator: str = ""
    sponsor: str = ""
    coach: int | None = None
    mission: str = ""
    stake: str = ""
    sort: Order = Order.NAME
    view: View = View.LIST
    page: int = 1
    size: int = 50

    @property
    def is_filtered(self) -> bool:
        """Whether some products are left out."""
        return any(getattr(self, name) not in {"", None} for name in FILTERS)

    def query(self, **changes: Any) -> str:
        """The address after the question mark, with some of it changed: shortest, always in the same order, from the first page."""
        asked, usual = replace(self, **{"page": 1, **changes}), Asked()
        told = {key: getattr(asked, name) for name, key in PARAMETERS.items() if getattr(asked, name) != getattr(usual, name)}
        return urlencode({key: getattr(value, "value", value) for key, value in told.items()})

    def address(self, **changes: Any) -> str:
        """The address of the list with some of it changed."""
        query = self.query(**changes)
        return f"/produits?{query}" if query else "/produits"

    @property
    def wanted(self) -> Wanted:
        """The part of it that the portfolio knows by itself."""
        return Wanted(
            self.stage, self.incubator, self.sponsor, self.mission, self.stake, self.coach, self.search,
            SORTS.get(self.sort, Sort.NAME), self.page, self.size,
        )  # fmt: skip

    def conditions(self, today: date) -> list[sa.ColumnElement[bool]]:
        """The part that looks across domains."""
        return [health_condition(self.health, today)] if self.health else []

    @property
    def order(self) -> list[sa.ColumnElement[Any]]:
        """The order that the portfolio does not know by itself."""
        return [sa.func.coalesce(next_review_day(), sa.literal(NEVER))] if self.sort is Order.REVIEW else []


class Option(NamedTuple):
    """Something to choose from."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A stage with how many products it would show."""

    label: str
    number: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Tag:
    """A filter in force, and the list without it."""

    name: str
    label: str
    address: str


class Choices(NamedTuple):
    """What the filters offer that the database knows."""

    incubators: list[Option]
    sponsors: list[Option]
    coaches: list[Option]


@dataclass(frozen=True, slots=True)
class Shown:
    """A product as lists show it."""

    product: FoundProduct
    health: tuple[Health, ...]
    agenda: Agenda
    lasting: str
    """How long it has been in its phase, in words; empty on its first day."""


def shown(session: Session, lines: Sequence[FoundProduct], today: date) -> list[Shown]:
    """Those products with their health and next date, in four queries."""
    due = agendas(session, [line.id for line in lines], today)
    health = health_of(session, due, today)
    return [Shown(line, health[line.id], due[line.id], been(line, today)) for line in lines]


def been(line: FoundProduct, today: date) -> str:
    """How long a product has been in its phase, in words; empty on its first day, and where no phase is told."""
    days = (today - line.stay.start).days if line.stay else 0
    return lasting(days) if days else ""


def choices(session: Session, asked: Asked, today: date) -> Choices:
    """What the filters offer, by name; what is asked for stands among it even where it names nothing."""
    incubators = session.execute(sa.select(IncubatorRow.key, IncubatorRow.title))
    sponsors = session.execute(
        sa.select(OrganisationRow.key, OrganisationRow.name).where(
            OrganisationRow.id.in_(sa.select(SponsorshipRow.organisation_id))
        )
    )
    coaches = session.execute(
        sa.select(PersonRow.id, PersonRow.name).where(
            PersonRow.id.in_(sa.select(MembershipRow.person_id).where(still_coaching(today)))
        )
    )
    return Choices(
        options(((row.key, row.title) for row in incubators), asked.incubator),
        options(((row.key, row.name) for row in sponsors), asked.sponsor),
        options(((str(row.id), row.name) for row in coaches), str(asked.coach or "")),
    )


def options(pairs: Iterable[tuple[str, str]], chosen: str) -> list[Option]:
    """Values with their names, in the order of the names."""
    named = dict(pairs)
    if chosen:
        named.setdefault(chosen, chosen)
    return sorted((Option(value, label) for value, label in named.items()), key=lambda one: (folded(one.label), one.value))


def require_known(session: Session, asked: Asked) -> None:
    """Raise NotThere for an incubator, a sponsor or a coach that does not exist."""
    for name in NAMES:
        value = getattr(asked, name)
        if value not in {"", None} and label_of(session, name, value) is None:
            raise no_such(name, value)


def no_such(name: str, value: object) -> NotThere:
    """What is told of an incubator, a sponsor or a coach that does not exist."""
    return NotThere(UNKNOWN[name], key=str(value)[:LONGEST_SHOWN])


def told(session: Session, asked: Asked) -> list[Tag]:
    """The filters in force in words, each with the list without it. Raises NotThere for one that names nothing known."""
    require_known(session, asked)
    found = []
    for name in FILTERS:
        value = getattr(asked, name)
        if value in {"", None}:
            continue
        label = label_of(session, name, value) or str(value)
        found.append(Tag(name, label, asked.address(**{name: None if name in OPTIONAL else ""})))
    return found


OPTIONAL = {"stage", "health", "coach"}
LONGEST_SHOWN = 80
UNKNOWN = {
    "incubator": n_("No incubator has the key “%(key)s”."),
    "sponsor": n_("No organisation has the key “%(key)s”."),
    "coach": n_("Nobody has the number %(key)s."),
}


def label_of(session: Session, name: str, value: Any) -> str | None:
    """A filter's value in words; None where it names nothing known."""
    if name in NAMES:
        return session.scalar(NAMES[name](value))
    if name == "search":
        return _("“%(words)s”", words=value)
    if name == "stage":
        return stage_label(value)
    return _(WORDS[name][value])


NAMES: dict[str, Callable[[Any], sa.Select[str]]] = {
    "incubator": lambda key: sa.select(IncubatorRow.title).where(IncubatorRow.key == kept(key)),
    "sponsor": lambda key: sa.select(OrganisationRow.name).where(OrganisationRow.key == kept(key)),
    "coach": lambda number: sa.select(PersonRow.name).where(PersonRow.id == min(number, MOST_ID)),
}
"""Filters whose values are rows of the database."""


WORDS: dict[str, Mapping[Any, str]] = {
    "health": HEALTH_LABELS,
    "mission": {key: one.label for key, one in MISSIONS.items()},
    "stake": {key: one.label for key, one in STAKES.items()},
}
"""Filters whose values are known beforehand."""


def stage_label(stage: Stage | Group | None) -> str:
    """A choice of stage in words."""
    match stage:
        case None:
            return _("All")
        case Stage():
            return _(STAGE_LABELS[stage])
        case Group():
            return _(GROUP_LABELS[stage])
