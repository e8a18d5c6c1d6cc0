"""Products are found by their filters, in a steady order, page by page, on both databases alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts.model import MembershipRow
from fabrique.accounts.rules import Role
from fabrique.portfolio import queries
from fabrique.portfolio.actions import Writing, put_incubator, put_organisation, put_products
from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.queries import finding
from fabrique.portfolio.queries.finding import Board, Found, Group, Sort, Wanted, every_product, find_board, find_products
from fabrique.portfolio.rules import Mark, Stage, Stay, joined, stay_on
from fabrique.portfolio.sheet import Incubator, Organisation, ProductSheet
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fabrique.clock import FixedClock
    from fabrique.database import Database

TODAY = date(2026, 11, 23)
BEGUN, NEXT, PLANNED = date(2026, 1, 5), date(2026, 6, 1), date(2026, 12, 24)


def staying(*stages: Stage, start: date = BEGUN) -> tuple[Stay, ...]:
    """Stays of some months each, the last one open."""
    starts = [start + timedelta(days=100 * place) for place in range(len(stages))]
    return tuple(Stay(stage, day, following) for stage, day, following in zip(stages, starts, [*starts[1:], None], strict=True))


SHEETS = (
    ProductSheet("ecole", "École ouverte", "nord", ("education",), mission="fabrique", stakes=(("inclusion", "rgaa"),),
                 stays=staying(Stage.INVESTIGATION, Stage.EXPERIMENTATION, Stage.SCALE_UP), pitch="Inscrire son enfant"),
    ProductSheet("eau", "Eau claire", "sud", ("ecologie", "education"), mission="data", stakes=(("economies", ""),),
                 stays=staying(Stage.INVESTIGATION, start=NEXT)),
    ProductSheet("zone", "zone 30", "sud", ("ecologie",), mission="fabrique", stays=staying(Stage.INVESTIGATION, Stage.STOPPED)),
    ProductSheet("plan", "Plan", "nord", stays=(Stay(Stage.INVESTIGATION, BEGUN, PLANNED), Stay(Stage.EXPERIMENTATION, PLANNED, None))),
    ProductSheet("futur", "Futur", stays=(Stay(Stage.INVESTIGATION, PLANNED, None),)),
    ProductSheet("jour", "À jour", stays=(Stay(Stage.INVESTIGATION, TODAY, TODAY), Stay(Stage.EXPERIMENTATION, TODAY, None))),
    ProductSheet("muet", "Muet"),
)  # fmt: skip


@pytest.fixture
def portfolio(database: Database, clock: FixedClock) -> Database:
    with database.write() as session:
        put_incubator(session, Incubator("nord", "Fabrique du Nord"))
        put_incubator(session, Incubator("sud", "Étincelle"))
        put_organisation(session, Organisation("education", "Éducation nationale"))
        put_organisation(session, Organisation("ecologie", "Écologie"))
        put_products(session, SHEETS, Writing(None, clock.now()))
    return database


def find(database: Database, *conditions: sa.ColumnElement[bool], **wanted: object) -> Found:
    with database.read() as session:
        return find_products(session, Wanted(**wanted), TODAY, *conditions)  # type: ignore[arg-type]


def slugs(database: Database, *conditions: sa.ColumnElement[bool], **wanted: object) -> list[str]:
    return [line.slug for line in find(database, *conditions, **wanted).lines]


def board(database: Database, most: int, **wanted: object) -> Board:
    with database.read() as session:
        return find_board(session, Wanted(**wanted), TODAY, most)  # type: ignore[arg-type]


def name(database: Database, clock: FixedClock, *names: str) -> None:
    with database.write() as session:
        sheets = [ProductSheet(f"nomme-{place}", one) for place, one in enumerate(names)]
        put_products(session, sheets, Writing(None, clock.now()))


def test_without_filters_every_product_stands_by_its_name_whatever_its_accents_and_capitals(portfolio: Database) -> None:
    assert slugs(portfolio) == ["jour", "eau", "ecole", "futur", "muet", "plan", "zone"]


def test_a_line_tells_where_the_product_is_and_who_is_with_it(portfolio: Database, clock: FixedClock) -> None:
    with portfolio.read() as session:
        eau = queries.product_id_of(session, "eau")
    noor = added_person(portfolio, clock, "Noor", Role.COACH, eau, "coach")
    added_person(portfolio, clock, "Camille", Role.INTRAPRENEUR, eau)
    [line] = find(portfolio, search="eau").lines
    assert line.stay == Stay(Stage.INVESTIGATION, NEXT, None)
    assert line.incubator == finding.Named("sud", "Étincelle")
    assert [one.name for one in line.sponsors] == ["Écologie", "Éducation nationale"]
    assert line.coaches == (finding.Coach(noor.id, "Noor"),)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"stage": Stage.INVESTIGATION}, ["eau", "plan"]),
        ({"stage": Stage.EXPERIMENTATION}, ["jour"]),
        ({"stage": Stage.SCALE_UP}, ["ecole"]),
        ({"stage": Stage.CONSOLIDATION}, []),
        ({"stage": Group.ACTIVE}, ["jour", "eau", "ecole", "plan"]),
        ({"stage": Group.ENDED}, ["zone"]),
        ({"stage": Group.UNTOLD}, ["futur", "muet"]),
        ({"incubator": "nord"}, ["ecole", "plan"]),
        ({"incubator": "nulle-part"}, []),
        ({"incubator": "\0"}, []),
        ({"sponsor": "education"}, ["eau", "ecole"]),
        ({"sponsor": "' OR 1=1 --"}, []),
        ({"mission": "fabrique"}, ["ecole", "zone"]),
        ({"mission": "inconnue"}, []),
        ({"stake": "inclusion"}, ["ecole"]),
        ({"stake": "\0"}, []),
        ({"coach": 10**30}, []),
        ({"coach": -1}, []),
        ({"mission": "fabrique", "sponsor": "education"}, ["ecole"]),
        ({"mission": "fabrique", "incubator": "sud", "stage": Stage.STOPPED, "search": "zone"}, ["zone"]),
        ({"mission": "data", "incubator": "nord"}, []),
    ],
)  # fmt: skip
def test_each_filter_keeps_its_own_and_filters_add_up(
    portfolio: Database, wanted: dict[str, object], expected: list[str]
) -> None:
    found = find(portfolio, **wanted)
    assert [line.slug for line in found.lines] == expected
    assert found.total == len(expected)


def test_the_stay_of_today_is_the_one_that_the_rules_name_whatever_the_dates(database: Database, clock: FixedClock) -> None:
    """Phases that begin on the same day, today, tomorrow: the last one begun counts, on both databases."""
    days = [TODAY - timedelta(days=400), TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1)]
    dates = [starts for length in range(4) for starts in combinations_with_replacement(days, length)]
    sheets = [
        ProductSheet(
            f"p{place}", "P", stays=joined([(stage, day, Mark.KNOWN) for stage, day in zip(Stage, starts, strict=False)])
        )
        for place, starts in enumerate(dates)
    ]
    with database.write() as session:
        put_products(session, sheets, Writing(None, clock.now()))
    found = {line.slug: line.stay for line in find(database, size=1000).lines}
    assert found == {sheet.slug: stay_on(sheet.stays, TODAY) for sheet in sheets}
    assert len(found) > 30


def test_a_coach_is_found_by_what_they_coach_today(portfolio: Database, clock: FixedClock) -> None:
    with portfolio.read() as session:
        eau, ecole, zone = (queries.product_id_of(session, slug) for slug in ("eau", "ecole", "zone"))
    noor = added_person(portfolio, clock, "Noor", Role.COACH, eau, "coach")
    with portfolio.write() as session:
        session.add(MembershipRow(person_id=noor.id, product_id=ecole, kind="coach", until=TODAY))
        session.add(MembershipRow(person_id=noor.id, product_id=zone, kind="coach", until=TODAY - timedelta(days=1)))
    assert slugs(portfolio, coach=noor.id) == ["eau", "ecole"]


def test_counts_by_stage_keep_the_other_filters_and_forget_the_stage(portfolio: Database) -> None:
    counts = find(portfolio, stage=Stage.STOPPED, incubator="sud").counts
    assert counts.by_stage == {Stage.INVESTIGATION: 1, Stage.STOPPED: 1}
    assert [counts.of(one) for one in (None, Group.ACTIVE, Group.ENDED, Group.UNTOLD, Stage.SCALE_UP)] == [2, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("ECOLE", ["ecole"]),
        ("  enfant   école ", ["ecole"]),
        ("etincelle", ["eau", "zone"]),
        ("ÉTINCELLE zone", ["zone"]),
        ("nord école enfant", ["ecole"]),
        ("eau zone", []),
        ("", ["jour", "eau", "ecole", "futur", "muet", "plan", "zone"]),
        ("   \t ", ["jour", "eau", "ecole", "futur", "muet", "plan", "zone"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("/", []),
        ("'; DROP TABLE product; --", []),
        ("\0", []),
        ("🙂", []),
        ("x" * 10_000, []),
        ("é" * 10_000, []),
        ("🙂 " * 5_000, []),
        ("%_" * 5_000, []),
    ],
    ids=range(19),
)
def test_a_search_looks_for_every_word_and_takes_each_sign_for_itself(
    portfolio: Database, search: str, expected: list[str]
) -> None:
    assert slugs(portfolio, search=search) == expected


@pytest.mark.parametrize(
    "told",
    [
        "Aide 100 % gratuite", "snake_case", "C:\\outils", "L’« accueil » d'ici", "<b>Gras</b>", "Joie 👩🏽‍💻", "שירות ציבורי",
        "خدمة عامة", "x" * 10_000,
    ],
    ids=range(9),
)  # fmt: skip
def test_a_name_is_found_by_its_own_words_and_stands_as_it_was_written(portfolio: Database, clock: FixedClock, told: str) -> None:
    name(portfolio, clock, told, "Snakexcase", "Aide 100 euros")
    for word in told.split():
        assert "nomme-0" in slugs(portfolio, search=word), word
    [line] = find(portfolio, search=told).lines
    assert line.name == told


def test_percent_and_underscore_stand_for_nothing_but_themselves(portfolio: Database, clock: FixedClock) -> None:
    name(portfolio, clock, "snake_case", "snakexcase", "cent %", "cent euros")
    assert slugs(portfolio, search="snake_case") == ["nomme-0"]
    assert slugs(portfolio, search="cent %") == ["nomme-2"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.NAME, ["jour", "eau", "ecole", "futur", "muet", "plan", "zone"]),
        (Sort.STAGE, ["eau", "plan", "jour", "ecole", "zone", "futur", "muet"]),
        (Sort.SINCE, ["plan", "zone", "eau", "ecole", "jour", "futur", "muet"]),
    ],
)
def test_each_order_is_the_same_on_both_databases(portfolio: Database, sort: Sort, expected: list[str]) -> None:
    assert slugs(portfolio, sort=sort) == expected


def test_what_changed_lately_comes_first(portfolio: Database, clock: FixedClock) -> None:
    clock.advance(timedelta(minutes=1))
    with portfolio.write() as session:
        put_products(session, [replace(SHEETS[2], pitch="Autre chose")], Writing(None, clock.now()))
    assert slugs(portfolio, sort=Sort.CHANGED)[0] == "zone"


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_put_together_are_the_whole_list_even_when_all_are_alike(
    portfolio: Database, clock: FixedClock, sort: Sort
) -> None:
    name(portfolio, clock, *["Pareil"] * 20)
    whole = slugs(portfolio, sort=sort, size=100)
    pages = [slugs(portfolio, sort=sort, size=4, page=page) for page in range(1, 8)]
    assert [slug for page in pages for slug in page] == whole
    assert len(set(whole)) == 27


@pytest.mark.parametrize(("page", "shown"), [(3, 3), (99, 3), (10**30, 3), (0, 1), (-5, 1)])
def test_a_page_beyond_an_end_is_the_nearest(portfolio: Database, page: int, shown: int) -> None:
    found = find(portfolio, size=3, page=page)
    assert (found.page, found.pages, found.total) == (shown, 3, 7)
    assert found.lines


def test_an_empty_list_has_one_page(portfolio: Database) -> None:
    found = find(portfolio, search="introuvable", page=4)
    assert (found.lines, found.total, found.page, found.pages) == ([], 0, 1, 1)


def test_conditions_and_an_order_of_others_are_taken_along(portfolio: Database) -> None:
    with portfolio.read() as session:
        found = find_products(session, Wanted(), TODAY, ProductRow.slug.in_(["eau", "zone"]), order=[ProductRow.slug.desc()])
    assert [line.slug for line in found.lines] == ["zone", "eau"]
    assert found.counts.of(None) == 2


def test_a_board_shows_the_first_of_each_active_stage_and_counts_them_all(portfolio: Database, clock: FixedClock) -> None:
    with portfolio.write() as session:
        sheets = [ProductSheet(f"n{place}", f"N{place}", "sud", stays=staying(Stage.INVESTIGATION)) for place in range(9)]
        put_products(session, sheets, Writing(None, clock.now()))
    shown = board(portfolio, 4)
    assert {stage: [line.slug for line in lines] for stage, lines in shown.columns.items()} == {
        Stage.INVESTIGATION: ["eau", "n0", "n1", "n2"],
        Stage.EXPERIMENTATION: ["jour"],
        Stage.SCALE_UP: ["ecole"],
        Stage.CONSOLIDATION: [],
    }
    assert shown.counts.of(Stage.INVESTIGATION) == 11
    assert shown.counts.of(Group.ENDED) == 1
    assert [line.slug for line in board(portfolio, 20, incubator="nord").columns[Stage.INVESTIGATION]] == ["plan"]


def test_a_file_holds_every_product_in_blocks(portfolio: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "BLOCK", 3)
    with portfolio.read() as session:
        blocks = list(every_product(session, Wanted(page=2, size=1), TODAY))
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert [line.slug for block in blocks for line in block] == slugs(portfolio)


@pytest.fixture
def statements(portfolio: Database) -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        heard.append(statement)

    sa.event.listen(portfolio.engine, "before_cursor_execute", hear)
    yield heard
    sa.event.remove(portfolio.engine, "before_cursor_execute", hear)


def test_more_products_take_no_more_queries(portfolio: Database, clock: FixedClock, statements: list[str]) -> None:
    def asked(**wanted: object) -> int:
        statements.clear()
        find(portfolio, size=1000, **wanted)
        return len(statements)

    few = asked(), asked(search="n"), asked(stage=Stage.INVESTIGATION)
    with portfolio.write() as session:
        sheets = [
            ProductSheet(f"n{place}", f"N{place}", "sud", ("ecologie",), stays=staying(Stage.INVESTIGATION))
            for place in range(60)
        ]
        put_products(session, sheets, Writing(None, clock.now()))
    assert (asked(), asked(search="n"), asked(stage=Stage.INVESTIGATION)) == few
