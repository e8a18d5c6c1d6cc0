"""Something true to show on every page: an invented French programme with changes hidden in it, and real UK figures.

The UK table holds figures derived from the UK government services data (alphagov/spotlight), Open Government Licence v3.0.
"""

from __future__ import annotations

import csv
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.actions import Source
from fabrique.accounts.model import BatchRow, PersonRow
from fabrique.accounts.rules import Role
from fabrique.clock import Granularity, Period, parse_period, today
from fabrique.demonstration.programme import put_reviews, told_sheet
from fabrique.demonstration.story import INCUBATORS, PERSONAS, PRODUCTS, SERVICES, SOL, SPONSORS
from fabrique.demonstration.trials import put_trials
from fabrique.language import Problem, n_
from fabrique.portfolio import actions as portfolio
from fabrique.portfolio.model import IncubatorRow, ProductRow
from fabrique.portfolio.queries import Event, Incubator, Organisation, ProductSheet, product_id_of
from fabrique.portfolio.rules import Origin, Stage, Stay
from fabrique.quality import actions as quality
from fabrique.quality import queries
from fabrique.quality.actions import Observed, SeriesKey, ServiceSheet
from fabrique.quality.model import ServiceRow
from fabrique.quality.rules import Figures
from fabrique.resources import PACKAGE
from fabrique.watch.actions import put_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.clock import Clock
    from fabrique.database import Database
from fabrique.demonstration.story import Product, Service

SEED = 20_190_401
WEEKS = 130
KIND = "demonstration"
UK_TABLE = PACKAGE / "demonstration" / "uk_services.csv"
UK_LICENCE = "Open Government Licence v3.0"
CONCENTRATION = 1500.0
"""How alike weeks are beyond chance: a beta prior of that many answers (intra-class correlation 0.0007)."""


class NotADemonstration(Problem):
    """The database holds real things: the demonstration stays out of it."""


def load_demonstration(database: Database, clock: Clock, progress: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Load the demonstration once; again changes nothing. Raises NotADemonstration where the database holds anything else.

    One transaction: a kill leaves nothing half-loaded.
    """
    with database.read() as session:
        known = session.scalar(sa.select(BatchRow.id).where(BatchRow.kind == KIND))
        occupied = session.scalar(sa.select(sa.exists(sa.select(ProductRow)) | sa.exists(sa.select(ServiceRow))))
    if known is not None:
        return {"created": 0}
    if occupied:
        raise NotADemonstration(
            n_("The database already holds products or services; give the demonstration one of its own "
               "(FABRIQUE_DATABASE_URL=sqlite:///var/demonstration.sqlite3).")
        )  # fmt: skip
    observed = [*invented(today(clock)), *united_kingdom()]
    progress(40)
    with database.write() as session:
        now = clock.now()
        batch_id = accounts.open_batch(session, source(), now)
        put_portfolio(session, batch_id, now, today(clock))
        put_services(session)
        ids = queries.all_service_ids(session)
        rows = [
            Observed(SeriesKey(ids[slug], metric, "", ""), period, figures, "démonstration")
            for slug, metric, period, figures in observed
        ]
        counts = quality.record_observations(session, rows, lambda: batch_id, now)
        progress(50)
        for service in SERVICES:
            put_events(session, ids[service.slug], happened(service, today(clock)))
        put_people(session, now)
        put_trials(session, today(clock), now)
        put_reviews(session, today(clock), now)
        accounts.finish_batch(session, batch_id, {"created": counts.created}, now)
    progress(10)
    return {"created": counts.created}


def source() -> Source:
    """Where the demonstration's figures come from."""
    return Source(KIND, UK_TABLE.name, hashlib.sha256(UK_TABLE.read_bytes()).hexdigest(), UK_LICENCE)


def monday(day: date, weeks_ago: int) -> date:
    """The Monday of so many weeks ago."""
    return Period.containing(day, Granularity.WEEK).start - timedelta(weeks=weeks_ago)


def put_portfolio(session: Session, batch_id: int, now: datetime, day: date) -> None:
    """The invented programme."""
    for key, title in INCUBATORS.items():
        portfolio.put_incubator(session, Incubator(key, title))
    for key, name in SPONSORS.items():
        portfolio.put_organisation(session, Organisation(key, name))
    sheets = [told_sheet(sheet_of(product, day), day) for product in PRODUCTS]
    portfolio.put_products(session, sheets, portfolio.Writing(batch_id, now, Origin.DEMONSTRATION))


def sheet_of(product: Product, day: date) -> ProductSheet:
    """A product's sheet, dated from today."""
    starts = [monday(day, weeks) for _stage, weeks in product.stays]
    stays = [
        Stay(stage, start, following)
        for (stage, _weeks), start, following in zip(product.stays, starts, [*starts[1:], None], strict=True)
    ]
    events = [Event("committee", stay.start, "") for stay in stays[1:]]
    events += [Event("product_launch", stay.start + timedelta(weeks=8)) for stay in stays if stay.stage is Stage.EXPERIMENTATION]
    return ProductSheet(
        slug=product.slug,
        name=product.name,
        incubator=product.incubator,
        sponsors=(product.sponsor,),
        stays=tuple(stays),
        events=tuple(sorted((event for event in events if event.day <= day), key=lambda event: (event.day, event.kind))),
    )


def put_services(session: Session) -> None:
    """The invented services with their products, and the UK ones."""
    sheets = [ServiceSheet(s.slug, s.name, s.department, "", KIND, product_id_of(session, s.product)) for s in SERVICES]
    with UK_TABLE.open(encoding="utf-8", newline="") as file:
        uk = {row["slug"]: row for row in csv.DictReader(file)}
    sheets += [ServiceSheet(slug, row["name"], row["department"], row["agency"], KIND) for slug, row in uk.items()]
    quality.put_services(session, sheets)


def happened(service: Service, day: date) -> Iterator[tuple[str, date, str]]:
    """The events behind a service's changes."""
    for hidden in service.hidden:
        if hidden.title:
            yield hidden.kind, monday(day, hidden.weeks_ago) - timedelta(days=3), hidden.title


def put_people(session: Session, now: datetime) -> None:
    """The three personas."""
    for email, name, role, products in PERSONAS:
        kind = "coach" if role == Role.COACH else "team"
        ids = [found for slug in products if (found := product_id_of(session, slug)) is not None]
        accounts.ensure_persona(session, email, name, Role(role), [(product, kind) for product in ids], now)
        if role == Role.COACH:
            coach_incubator(session, email, now)


def coach_incubator(session: Session, email: str, now: datetime) -> None:
    """The coach follows a whole incubator: what is begun there finds her at once."""
    coach = session.scalars(sa.select(PersonRow.id).where(PersonRow.email == email)).one()
    incubator = session.scalars(sa.select(IncubatorRow.id).where(IncubatorRow.key == SOL)).one()
    products = session.scalars(sa.select(ProductRow.id).where(ProductRow.incubator_id == incubator)).all()
    accounts.coach_incubator(session, coach, incubator, products, now)


Row = tuple[str, str, Period, Figures]


def invented(day: date) -> Iterator[Row]:
    """Weekly counts of every invented service, up to last week; the same every time for the same week of loading."""
    random = np.random.default_rng(SEED)
    for service in SERVICES:
        answers = random.poisson(service.answers, WEEKS)
        for metric in ("satisfaction", "clarity", "completion", "help_reachable"):
            levels = level_by_week(service, metric)
            for week in range(WEEKS):
                period = Period(monday(day, WEEKS - week), Granularity.WEEK)
                yield service.slug, metric, period, drawn(random, metric, int(answers[week]), float(levels[week]))


def level_by_week(service: Service, metric: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The true level of each week, the hidden changes included."""
    levels = np.full(WEEKS, float(getattr(service, metric)))
    for hidden in service.hidden:
        if hidden.metric == metric:
            levels[WEEKS - hidden.weeks_ago :] += hidden.by
    return levels


def drawn(random: np.random.Generator, metric: str, answers: int, level: float) -> Figures:
    """One week's counts: binomial or multinomial, a little more spread than chance alone."""
    scale = 10.0 if metric in {"satisfaction", "clarity"} else 1.0
    share = min(max(level / scale, 0.02), 0.98)
    share = float(random.beta(CONCENTRATION * share, CONCENTRATION * (1 - share)))
    match metric:
        case "completion":
            return Figures(numerator=float(random.binomial(4 * answers, share)), denominator=float(4 * answers))
        case "help_reachable":
            asked = max(1, answers // 2)
            return Figures(numerator=float(random.binomial(asked, share)), denominator=float(asked))
        case "satisfaction":
            medium = min(0.24, 2 * min(share, 1 - share) * 0.9)
            shares = [1 - share - medium / 2, medium, share - medium / 2]
        case _:
            shares = [(1 - share) ** 4, 4 * share * (1 - share) ** 3, 6 * share**2 * (1 - share) ** 2,
                      4 * share**3 * (1 - share), share**4]  # fmt: skip
    return Figures(levels=tuple(float(count) for count in random.multinomial(answers, shares)))


def united_kingdom() -> Iterator[Row]:
    """The real UK figures that are shipped."""
    with UK_TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            period = parse_period(row["quarter"])
            volume, digital = float(row["transactions"]), float(row["digital_transactions"])
            yield row["slug"], "transactions", period, Figures(value=volume)
            yield row["slug"], "digital_take_up", period, Figures(numerator=digital, denominator=volume)
