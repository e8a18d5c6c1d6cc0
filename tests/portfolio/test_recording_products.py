"""Product sheets are recorded as told, once, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from fabrique.portfolio import queries
from fabrique.portfolio.actions import Outcome, Writing, put_incubator, put_organisation, put_products
from fabrique.portfolio.model import IncubatorRow, OrganisationRow, ProductEventRow, ProductRow, SponsorshipRow, StayRow
from fabrique.portfolio.queries import Event, Incubator, Organisation, ProductSheet
from fabrique.portfolio.rules import Stage, Stay

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database

MARCH = date(2025, 3, 10)
SHEET = ProductSheet(
    slug="aides",
    name="Aides simplifiées",
    incubator="fabnum",
    sponsors=("Z-org", "a-b", "aZ", "ab", "é-org"),
    website="https://aides.example.fr",
    repository="https://code.example.fr/aides",
    statistics_url="https://aides.example.fr/stats",
    impact_url="https://aides.example.fr/impact",
    budget_url="https://aides.example.fr/budget",
    accessibility="partiellement conforme",
    audiences=("particuliers", "agents"),
    themes=("santé", "logement"),
    stays=(Stay(Stage.INVESTIGATION, date(2025, 1, 6), MARCH), Stay(Stage.EXPERIMENTATION, MARCH, None)),
    events=(Event("launch", MARCH, "Ouverture à tous"), Event("other", date(2025, 4, 1))),
)


def put(database: Database, clock: FixedClock, *sheets: ProductSheet) -> list[Outcome]:
    with database.write() as session:
        return [one.outcome for one in put_products(session, sheets, Writing(None, clock.now()))]


def known(database: Database, *slugs: str) -> dict[str, ProductSheet]:
    with database.read() as session:
        return queries.product_sheets(session, slugs)


def rows(database: Database, table: type[Any]) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_sheet_recorded_twice_is_unchanged_and_reads_back_as_told(database: Database, clock: FixedClock) -> None:
    assert put(database, clock, SHEET) == [Outcome.CREATED]
    assert known(database, "aides", "inconnu") == {"aides": SHEET}
    clock.advance(timedelta(days=1))
    assert put(database, clock, SHEET) == [Outcome.UNCHANGED]
    with database.read() as session:
        assert session.scalars(sa.select(ProductRow.changed_at)).one() == clock.now() - timedelta(days=1)
    assert [rows(database, table) for table in (ProductRow, SponsorshipRow, StayRow, ProductEventRow)] == [1, 5, 2, 2]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Aides"},
        {"incubator": "autre"},
        {"incubator": ""},
        {"sponsors": ("ab",)},
        {"sponsors": ()},
        {"website": ""},
        {"themes": ("logement", "santé")},
        {"stays": SHEET.stays[:1]},
        {"stays": (*SHEET.stays[:1], Stay(Stage.STOPPED, MARCH, None))},
        {"events": SHEET.events[1:]},
        {"stays": (), "events": (), "audiences": (), "themes": ()},
    ],
    ids="-".join,
)
def test_a_changed_sheet_replaces_what_was_known(sqlite: Database, clock: FixedClock, changes: dict[str, Any]) -> None:
    put(sqlite, clock, SHEET)
    changed = replace(SHEET, **changes)
    assert put(sqlite, clock, changed) == [Outcome.CHANGED]
    assert known(sqlite, "aides") == {"aides": changed}
    assert put(sqlite, clock, changed) == [Outcome.UNCHANGED]


def test_a_changed_sheet_leaves_nothing_of_the_old_one_on_either_database(database: Database, clock: FixedClock) -> None:
    put(database, clock, SHEET)
    bare = ProductSheet("aides", "Aides")
    assert put(database, clock, bare) == [Outcome.CHANGED]
    assert known(database, "aides") == {"aides": bare}
    assert [rows(database, table) for table in (ProductRow, SponsorshipRow, StayRow, ProductEventRow)] == [1, 0, 0, 0]


def test_each_sheet_has_its_own_outcome_in_the_order_given(database: Database, clock: FixedClock) -> None:
    others = [ProductSheet("b", "B"), ProductSheet("c", "C")]
    put(database, clock, SHEET, *others)
    assert put(database, clock, ProductSheet("d", "D"), others[1], replace(SHEET, name="Autre"), others[0]) == [
        Outcome.CREATED,
        Outcome.UNCHANGED,
        Outcome.CHANGED,
        Outcome.UNCHANGED,
    ]


def test_an_incubator_told_of_before_its_own_sheet_is_named_after_its_key(database: Database, clock: FixedClock) -> None:
    put(database, clock, SHEET)
    with database.read() as session:
        assert queries.incubator_title(session, "fabnum") == "fabnum"
        assert queries.organisation_names(session, ["ab"]) == ["ab"]
    incubator, organisation = Incubator("fabnum", "Fabrique numérique", "min"), Organisation("ab", "Agence B", "AB", "agence")
    outcomes = []
    for _time in range(2):
        with database.write() as session:
            outcomes += [put_incubator(session, incubator), put_organisation(session, organisation)]
    assert outcomes == [Outcome.CHANGED] * 2 + [Outcome.UNCHANGED] * 2
    with database.read() as session:
        assert queries.incubators_by_key(session, ["fabnum"]) == {"fabnum": incubator}
        assert queries.organisations_by_key(session, ["ab"]) == {"ab": organisation}
        assert queries.incubator_title(session, "inconnu") == "inconnu"
    assert [rows(database, table) for table in (IncubatorRow, OrganisationRow)] == [1, 5]
    assert put(database, clock, SHEET) == [Outcome.UNCHANGED]


def test_the_list_tells_each_product_with_the_stage_it_is_in_that_day(database: Database, clock: FixedClock) -> None:
    put(database, clock, SHEET, ProductSheet("zoé", "agenda"), ProductSheet("b", "Bilan", stays=SHEET.stays[1:]))
    with database.read() as session:
        lines = queries.product_lines(session, date(2025, 2, 1))
        assert queries.product_id_of(session, "aides") == lines[1].id
        assert queries.product_id_of(session, "inconnu") is None
    assert [(line.name, line.incubator, line.stay and line.stay.stage) for line in lines] == [
        ("agenda", "", None),
        ("Aides simplifiées", "fabnum", Stage.INVESTIGATION),
        ("Bilan", "", None),
    ]
