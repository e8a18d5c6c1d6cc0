"""Which products are where? The list answers by its address alone; its marks, its files and its views agree with it."""

from __future__ import annotations

import csv
import io
import re
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from fabrique.accounts.rules import Role
from fabrique.dashboards.pages.asked import AddressUnreadable, products_asked
from fabrique.dashboards.queries.health import Health, health_condition, health_of
from fabrique.dashboards.queries.listing import Asked, Order, View
from fabrique.portfolio import queries as portfolio
from fabrique.portfolio.actions import Writing, put_incubator, put_organisation, put_products
from fabrique.portfolio.model import RevisionRow, SavedViewRow
from fabrique.portfolio.queries.finding import Group, Wanted, find_products
from fabrique.portfolio.rules import Stage, Stay
from fabrique.portfolio.sheet import Event, Incubator, Organisation, ProductSheet
from fabrique.quality.model import SeriesRow
from fabrique.reviews.model import ConditionRow, CriteriaSetRow, ReviewRow
from fabrique.reviews.queries.due import agendas, late_products, next_review_day, review_due_day
from fabrique.reviews.queries.queue import last_news
from fabrique.reviews.rules import SILENCE
from fabrique.watch.model import FlagRow
from fabrique.web.errors import NotThere
from factories import add_service, client, sign_in
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database

TODAY = date(2026, 11, 23)
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def sheet(slug: str, stage: Stage = Stage.SCALE_UP, start: date = date(2026, 2, 2), **more: object) -> ProductSheet:
    return ProductSheet(slug, slug.capitalize(), stays=(Stay(stage, start, None),), **more)  # type: ignore[arg-type]


def tell(database: Database, *sheets: ProductSheet, at: datetime = LONG_AGO) -> dict[str, int]:
    with database.write() as session:
        put_products(session, sheets, Writing(None, at))
        found = {one.slug: portfolio.product_id_of(session, one.slug) for one in sheets}
    return {slug: key for slug, key in found.items() if key is not None}


def flag(
    database: Database, service_id: int, *, metric: str = "satisfaction", days: int = 30, state: str = "raised",
    direction: str = "regression", segment: str = "",
) -> None:  # fmt: skip
    day = TODAY - timedelta(days=days)
    with database.write() as session:
        series = SeriesRow(service_id=service_id, metric_key=metric, segment=segment)
        session.add(series)
        session.flush()
        session.add(
            FlagRow(
                series_id=series.id, state=state, direction=direction, granularity="week", start=day, earliest=day, latest=day,
                before=8.0, after=6.0, effect_low=-3.0, effect_high=-1.0, evidence=20.0, chance=0.001, version="1",
                raised_at=LONG_AGO, updated_at=LONG_AGO,
            )
        )  # fmt: skip


def review(database: Database, product_id: int, stage: Stage, **more: object) -> int:
    with database.write() as session:
        if session.get(CriteriaSetRow, 900) is None:
            session.add(CriteriaSetRow(id=900, gate="scale_up", version=900, created_at=LONG_AGO))
            session.flush()
        row = ReviewRow(
            product_id=product_id, set_id=900, from_stage=stage, answers={}, committee=[], conditions=[], prepared_by=[],
            created_at=LONG_AGO, changed_at=LONG_AGO, **{"state": "signed", "held_on": TODAY - timedelta(days=20), **more},
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def condition(database: Database, review_id: int, product_id: int, due: date) -> None:
    with database.write() as session:
        session.add(ConditionRow(review_id=review_id, product_id=product_id, position=0, text="Publier le code", due_on=due))


def told_today(database: Database, product_id: int, days: int = 1) -> None:
    """A sign of life so many days ago."""
    with database.write() as session:
        moment = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC) - timedelta(days=days)
        session.add(RevisionRow(product_id=product_id, at=moment, origin="person", document={}))


@contextmanager
def reading(database: Database, clock: FixedClock, role: Role = Role.LEADERSHIP) -> Iterator[TestClient]:
    with client(database, clock) as made:
        sign_in(made, database, clock, role)
        yield made


def listed(text: str) -> list[str]:
    """The products of the page's table, in order."""
    return re.findall(r'<th scope="row"><a href="/produits/([^"]+)">', text)


# Health: one rule, as a filter over thousands and beside each name.


def healths(database: Database) -> dict[str, tuple[Health, ...]]:
    """What is said beside each name; it agrees with every filter, or this fails."""
    with database.read() as session:
        lines = find_products(session, Wanted(size=1000), TODAY).lines
        beside = health_of(session, agendas(session, [line.id for line in lines], TODAY), TODAY)
        for health in Health:
            found = find_products(session, Wanted(size=1000), TODAY, health_condition(health, TODAY))
            assert {line.id for line in found.lines} == {key for key, held in beside.items() if health in held}, health
    return {line.slug: beside[line.id] for line in lines}


def test_each_thing_to_say_of_a_product_is_said_where_it_holds(database: Database) -> None:
    slugs = ["calme", "baisse", "mieux", "ancien", "retire", "segment", "clarte", "tardif", "condition", "muet"]
    ids = tell(database, *map(sheet, slugs), sheet("fini", Stage.STOPPED), ProductSheet("sans", "Sans"))
    for slug in slugs[:-1]:
        told_today(database, ids[slug])
    services = {slug: add_service(database, f"s-{slug}", product_id=ids[slug]) for slug in slugs}
    flag(database, services["baisse"])
    flag(database, services["mieux"], direction="improvement")
    flag(database, services["ancien"], days=93)
    flag(database, services["retire"], state="withdrawn")
    flag(database, services["segment"], segment="mobile")
    flag(database, services["clarte"], metric="clarity", days=92)
    review(database, ids["tardif"], Stage.SCALE_UP, continue_until=TODAY - timedelta(days=1))
    held = review(database, ids["condition"], Stage.SCALE_UP, continue_until=TODAY + timedelta(days=90))
    condition(database, held, ids["condition"], TODAY - timedelta(days=1))
    assert healths(database) == {
        "calme": (Health.WELL,),
        "baisse": (Health.FELL, Health.REGRESSED),
        "mieux": (Health.IMPROVED,),
        "ancien": (Health.WELL,),
        "retire": (Health.WELL,),
        "segment": (Health.REGRESSED,),
        "clarte": (Health.REGRESSED,),
        "tardif": (Health.LATE,),
        "condition": (Health.LATE,),
        "muet": (Health.QUIET,),
        "fini": (),
        "sans": (),
    }


@pytest.mark.parametrize("days", [SILENCE.days - 1, SILENCE.days, SILENCE.days + 1])
def test_silence_begins_on_the_same_day_here_and_in_a_coachs_queue(database: Database, days: int) -> None:
    [key] = tell(database, sheet("muet")).values()
    told_today(database, key, days)
    with database.read() as session:
        news = last_news(session, [key], TODAY)[key]
    assert (Health.QUIET in healths(database)["muet"]) is not (news > TODAY - SILENCE)


@pytest.mark.parametrize("sign", ["event", "stay", "future event"])
def test_an_event_or_a_phase_begun_is_a_sign_of_life_and_a_plan_is_none(database: Database, sign: str) -> None:
    day = TODAY - timedelta(days=10)
    made = {
        "event": sheet("signe", events=(Event("committee", day),)),
        "stay": ProductSheet("signe", "Signe", stays=(Stay(Stage.INVESTIGATION, date(2026, 2, 2), day), Stay(Stage.SCALE_UP, day, None))),
        "future event": sheet("signe", events=(Event("committee", TODAY + timedelta(days=1)),)),
    }[sign]  # fmt: skip
    tell(database, made)
    assert (Health.QUIET in healths(database)["signe"]) is (sign == "future event")


def test_the_day_a_review_is_due_is_the_same_for_one_and_for_thousands(database: Database) -> None:
    starts = [date(2023, 1, 1), date(2025, 11, 22), date(2025, 11, 23), date(2025, 11, 24), TODAY, TODAY + timedelta(days=9)]
    sheets = [
        sheet(f"{stage.value.replace('_', '-')}-{place}", stage, start) for stage in Stage for place, start in enumerate(starts)
    ]
    ids = tell(database, *sheets)
    for place, (slug, key) in enumerate(ids.items()):
        if place % 3 == 0:
            until = TODAY + timedelta(days=place - 20)
            review(database, key, Stage(slug.rsplit("-", 1)[0].replace("-", "_")), continue_until=until)
        if place % 7 == 0:
            review(database, key, Stage.SCALE_UP, state="preparing", held_on=None, planned_on=TODAY + timedelta(days=place))
    with database.read() as session:
        one_by_one = agendas(session, list(ids.values()), TODAY)
        in_order = find_products(
            session, Wanted(size=1000), TODAY, order=[sa.func.coalesce(next_review_day(), date(9999, 1, 1))]
        ).lines
        days = [one_by_one[line.id].next_day for line in in_order]
        told = [day.day if day else date(9999, 1, 1) for day in days]
        late = {line.id for line in find_products(session, Wanted(size=1000), TODAY, review_due_day() < TODAY).lines}
        also_late = {line.id for line in find_products(session, Wanted(size=1000), TODAY, late_products(TODAY)).lines}
    assert told == sorted(told)
    assert late == also_late == {key for key, agenda in one_by_one.items() if agenda.due and agenda.due.is_late(TODAY)}


# The address.


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", Asked()),
        ("q=&phase=&sante=&incubateur=&sponsor=&tri=name&coach=&mission=&enjeu=", Asked()),
        ("phase=scale_up&sponsor=dgs&sante=fell", Asked(stage=Stage.SCALE_UP, sponsor="dgs", health=Health.FELL)),
        ("phase=ended&vue=tableau", Asked(stage=Group.ENDED, view=View.BOARD)),
        ("tri=review&page=3&par_page=20", Asked(sort=Order.REVIEW, page=3, size=20)),
        ("par_page=1000000", Asked(size=500)),
        ("q=+deux++mots+", Asked(search="deux  mots")),
        ("q=" + "x" * 10_000, Asked(search="x" * 200)),
        ("inconnu=1", Asked()),
    ],
    ids=range(9),
)
def test_an_address_says_what_is_asked(query: str, asked: Asked) -> None:
    assert products_asked(query) == asked


@pytest.mark.parametrize(
    "query", ["phase=nulle", "sante=bof", "mission=x", "enjeu=x", "tri=x", "vue=x", "phase=\0", "coach=Noor", "coach=1e3"]
)
def test_an_address_that_asks_for_what_does_not_exist_leads_nowhere(query: str) -> None:
    with pytest.raises(NotThere):
        products_asked(query)


@pytest.mark.parametrize("query", ["page=deux", "par_page=1.5", "page=²"])
def test_an_address_whose_number_is_none_says_so(query: str) -> None:
    with pytest.raises(AddressUnreadable):
        products_asked(query)


def test_the_address_is_read_back_as_it_was_written() -> None:
    asked = Asked(
        "aide & co 100 %", Group.ACTIVE, Health.LATE, "nord/est", "é", 7, "fabrique", "inclusion", Order.SINCE, View.BOARD, 1, 20
    )
    assert products_asked(asked.query()) == asked
    assert asked.address(page=4).endswith("page=4&par_page=20")


# The page.


@pytest.fixture
def some(sqlite: Database) -> dict[str, int]:
    with sqlite.write() as session:
        put_incubator(session, Incubator("nord", "Fabrique du Nord"))
        put_organisation(session, Organisation("dgs", "Direction des solidarités"))
        put_organisation(session, Organisation("autre", "Une autre"))
    ids = tell(
        sqlite,
        sheet("toit", incubator="nord", sponsors=("dgs",)),
        sheet("pont", sponsors=("dgs",)),
        sheet("mur", sponsors=("autre",)),
        sheet("eau", Stage.EXPERIMENTATION, sponsors=("dgs",), mission="data", stakes=(("inclusion", ""),)),
        sheet("feu", Stage.STOPPED),
    )
    for slug in ("toit", "mur", "eau"):
        flag(sqlite, add_service(sqlite, f"s-{slug}", product_id=ids[slug]))
    return ids


def test_leadership_finds_the_scale_ups_of_a_sponsor_whose_satisfaction_fell(
    sqlite: Database, clock: FixedClock, some: dict[str, int]
) -> None:
    with reading(sqlite, clock) as browser:
        text = browser.get("/produits?phase=scale_up&sponsor=dgs&sante=fell").text
    assert listed(text) == ["toit"]
    assert "1 produit répond" in text
    assert "Satisfaction en baisse" in text
    assert 'href="/produits?phase=scale_up&amp;sponsor=dgs"' in text, "each filter can be taken away by itself"


def test_the_first_sentence_says_which_products_are_where(sqlite: Database, clock: FixedClock, some: dict[str, int]) -> None:
    with reading(sqlite, clock) as browser:
        text = browser.get("/produits").text
    assert "5 produits : 1 en expérimentation, 3 en passage à l’échelle, 1 hors incubation." in text.replace(
        "\u202f", " "
    ).replace("\xa0", " ")
    assert listed(text) == ["eau", "feu", "mur", "pont", "toit"]


def test_what_htmx_asks_for_is_what_a_fresh_load_shows(sqlite: Database, clock: FixedClock, some: dict[str, int]) -> None:
    with reading(sqlite, clock) as browser:
        whole = browser.get("/produits?sponsor=dgs").text
        part = browser.get("/produits?sponsor=dgs", headers={"hx-request": "true"}).text
    assert "<html" not in part
    assert listed(part) == listed(whole) == ["eau", "pont", "toit"]
    [sentence] = re.findall(r'id="phrase" hx-swap-oob="innerHTML">(.*?)</p>', part, re.DOTALL)
    assert sentence.strip() in whole


def test_a_board_has_a_column_for_each_phase_and_leads_to_the_rest(
    sqlite: Database, clock: FixedClock, some: dict[str, int]
) -> None:
    tell(sqlite, *(sheet(f"n{place:02}", Stage.INVESTIGATION) for place in range(23)))
    with reading(sqlite, clock) as browser:
        text = browser.get("/produits?vue=tableau").text
        ended = browser.get("/produits?vue=tableau&phase=ended").text
    assert len(re.findall("<article", text)) == 24
    assert re.search(r'href="/produits\?phase=investigation">et 3 autres', text)
    assert 'href="/produits?phase=ended">1 produit' in text
    assert "Le tableau ne montre que" in ended


def test_an_unknown_key_is_answered_as_any_other_address_that_leads_nowhere(
    sqlite: Database, clock: FixedClock, some: dict[str, int]
) -> None:
    with reading(sqlite, clock) as browser:
        answers = {
            query: browser.get(f"/produits?{query}") for query in ("incubateur=<b>", "sponsor=%00", "coach=99", f"coach={10**40}")
        }
        assert browser.get("/produits/export.csv?incubateur=absent").status_code == 404
        assert browser.get("/produits?phase=absente").status_code == 404
    assert {answer.status_code for answer in answers.values()} == {404}
    assert all('href="/produits">Afficher tous les produits</a>' in answer.text for answer in answers.values()), "the way back"
    assert "Aucun incubateur n’a la clé «\xa0&lt;b&gt;\xa0»." in answers["incubateur=<b>"].text
    assert "Personne n’a le numéro 99." in answers["coach=99"].text


@pytest.mark.parametrize(
    "words", ["%27%22%3Cscript%3E", "100%25", "a_b", "%F0%9F%99%82", "%D7%A9%D7%99", "%00", "%ED%A0%80", "x" * 10_000]
)
def test_any_search_is_answered_and_shown_back_as_text(
    sqlite: Database, clock: FixedClock, some: dict[str, int], words: str
) -> None:
    with reading(sqlite, clock) as browser:
        answer = browser.get(f"/produits?q={words}")
    assert answer.status_code == 200
    assert listed(answer.text) == []
    assert "<script>" not in answer.text


def test_names_are_shown_as_they_were_written(sqlite: Database, clock: FixedClock) -> None:
    names = ["L’« Aide » d'ici & <b>là</b>", "👩🏽‍💻 Agents", "שירות ציבורי", "n" * 10_000]
    tell(
        sqlite, *(ProductSheet(f"p{place}", name, stays=(Stay(Stage.SCALE_UP, TODAY, None),)) for place, name in enumerate(names))
    )
    with reading(sqlite, clock) as browser:
        for view in ("", "?vue=tableau"):
            text = browser.get(f"/produits{view}").text
            assert "L’« Aide » d&#39;ici &amp; &lt;b&gt;là&lt;/b&gt;" in text
            assert all(name in text for name in names[1:])


def test_pages_follow_one_another(sqlite: Database, clock: FixedClock) -> None:
    tell(sqlite, *(sheet(f"n{place:03}") for place in range(120)))
    with reading(sqlite, clock) as browser:
        pages = [listed(browser.get(f"/produits?page={page}").text) for page in (1, 2, 3, 99)]
        text = browser.get("/produits?page=2&par_page=50").text
    assert [len(page) for page in pages] == [50, 50, 20, 20]
    assert pages[0] + pages[1] + pages[2] == [f"n{place:03}" for place in range(120)]
    assert 'href="/produits?page=3"' in text


def test_without_a_product_the_page_says_how_to_begin(sqlite: Database, clock: FixedClock) -> None:
    with reading(sqlite, clock) as browser:
        read = browser.get("/produits").text
    with reading(sqlite, clock, Role.COACH) as browser:
        written = browser.get("/produits").text
    assert "Aucun produit pour l’instant" in read
    assert 'href="/produits/nouveau"' not in read
    assert 'href="/produits/nouveau"' in written


def test_an_unchanged_list_is_not_sent_again_and_a_kept_view_changes_it(
    sqlite: Database, clock: FixedClock, some: dict[str, int]
) -> None:
    with reading(sqlite, clock) as browser:
        tag = browser.get("/produits").headers["etag"]
        assert browser.get("/produits", headers={"if-none-match": tag}).status_code == 304
        keep(browser, "Tout", "")
        assert "Tout</a>" in browser.get("/produits", headers={"if-none-match": tag}).text


# Files.


@pytest.mark.parametrize("query", ["", "?sponsor=dgs", "?phase=scale_up&sante=fell&tri=since", "?q=introuvable"])
def test_a_file_holds_what_the_list_shows_in_its_order(
    sqlite: Database, clock: FixedClock, some: dict[str, int], query: str
) -> None:
    with reading(sqlite, clock) as browser:
        shown = listed(browser.get(f"/produits{query}").text)
        text = browser.get(f"/produits/export.csv{query}").content.decode("utf-8-sig")
        sheet_bytes = browser.get(f"/produits/export.ods{query}").content
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ","))
    [key] = [place for place, name in enumerate(rows[0]) if name == "Clé"]
    assert [row[key] for row in rows[1:]] == shown
    cells = CalamineWorkbook.from_filelike(io.BytesIO(sheet_bytes)).get_sheet_by_index(0).to_python()
    assert [row[key] for row in cells if row and row[key] in some] == shown


# Views.


def keep(browser: TestClient, name: str, filters: str) -> object:
    token = re.search(r'name="_csrf" value="([^"]+)"', browser.get("/produits").text)
    assert token is not None
    form = {"_csrf": token[1], "nom": name, "filtres": filters}
    return browser.post("/produits/vues", data=form, follow_redirects=False)


def test_a_view_is_kept_found_again_and_forgotten(sqlite: Database, clock: FixedClock, some: dict[str, int]) -> None:
    with reading(sqlite, clock) as browser:
        answer = keep(browser, "  En   baisse ", "sante=fell&q=&inconnu=1&page=4")
        assert answer.headers["location"] == "/produits?sante=fell"  # type: ignore[attr-defined]
        text = browser.get("/produits").text
        assert '<a class="fr-link" href="/produits?sante=fell">En baisse</a>' in text
        [action] = re.findall(r'action="(/produits/vues/\d+/supprimer)"', text)
        token = re.findall(r'name="_csrf" value="([^"]+)"', text)[0]
        gone = browser.post(action, data={"_csrf": token, "filtres": "phase=scale_up"}, follow_redirects=False)
        assert gone.headers["location"] == "/produits?phase=scale_up"
        assert "En baisse" not in browser.get("/produits").text


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_view_without_a_proper_name_comes_back_with_what_was_typed(
    sqlite: Database, clock: FixedClock, some: dict[str, int], name: str
) -> None:
    with reading(sqlite, clock) as browser:
        answer = keep(browser, name, "sponsor=dgs")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    text = answer.text  # type: ignore[attr-defined]
    assert listed(text) == ["eau", "pont", "toit"]
    assert "Donnez à la vue un nom" in text
    assert f'value="{name}"' in text
    with sqlite.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SavedViewRow)) == 0


@pytest.mark.parametrize("filters", ["incubateur=absent", "phase=absente", "coach=Noor", "page=deux"])
def test_a_view_of_filters_that_lead_nowhere_is_not_kept_and_its_name_comes_back(
    sqlite: Database, clock: FixedClock, some: dict[str, int], filters: str
) -> None:
    with reading(sqlite, clock) as browser:
        answer = keep(browser, "Ma vue", filters)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert 'value="Ma vue"' in answer.text  # type: ignore[attr-defined]
    with sqlite.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SavedViewRow)) == 0


def test_views_without_a_filter_do_not_all_stand_out(sqlite: Database, clock: FixedClock, some: dict[str, int]) -> None:
    with reading(sqlite, clock) as browser:
        for name, filters in (("Tout", ""), ("Tout encore", ""), ("Baisses", "sante=fell")):
            keep(browser, name, filters)
        views = re.compile(r'<nav class="fab-views".*?</nav>', re.DOTALL)
        whole, fallen = (views.search(browser.get(address).text) for address in ("/produits", "/produits?sante=fell"))
    assert whole is not None
    assert fallen is not None
    assert "aria-current" not in whole[0]
    assert fallen[0].count("aria-current") == 1


def test_nobody_sees_or_deletes_the_views_of_another(sqlite: Database, clock: FixedClock, some: dict[str, int]) -> None:
    with reading(sqlite, clock) as browser:
        keep(browser, "À moi", "phase=scale_up")
    with sqlite.read() as session:
        view = session.scalars(sa.select(SavedViewRow.id)).one()
    with reading(sqlite, clock, Role.COACH) as browser:
        text = browser.get("/produits").text
        assert "À moi" not in text
        token = re.findall(r'name="_csrf" value="([^"]+)"', text)[0]
        assert browser.post(f"/produits/vues/{view}/supprimer", data={"_csrf": token}).status_code == 404
    with sqlite.read() as session:
        assert session.get(SavedViewRow, view) is not None


def test_a_view_is_not_kept_without_the_form_of_this_site(sqlite: Database, clock: FixedClock, some: dict[str, int]) -> None:
    with reading(sqlite, clock) as browser:
        assert browser.post("/produits/vues", data={"nom": "x", "filtres": ""}).status_code == 403


# Incubators, sponsors, coaches.


def test_an_incubator_shows_its_products_its_dates_and_what_moved(
    sqlite: Database, clock: FixedClock, some: dict[str, int]
) -> None:
    noor = added_person(sqlite, clock, "Noor", Role.COACH, some["toit"], "coach")
    with sqlite.write() as session:
        session.execute(
            sa.text(f"INSERT INTO membership (person_id, product_id, kind) VALUES ({noor.id}, {some['mur']}, 'coach')")
        )
    condition(
        sqlite, review(sqlite, some["toit"], Stage.SCALE_UP, continue_until=date(2027, 1, 4)), some["toit"], date(2026, 11, 2)
    )
    with reading(sqlite, clock) as browser:
        text = browser.get("/incubateurs/nord").text
    assert listed(text) == ["toit"]
    assert "1 produit en incubation</strong>, dont 1 en retard" in text
    [dates] = re.findall(r'<ul class="fab-dates">(.*?)</ul>', text, re.DOTALL)
    assert dates.index("2 novembre 2026") < dates.index("4 janvier 2027")
    assert "Condition\xa0: Publier le code" in text
    assert "s-toit" in text
    assert 'href="/produits/parcours?incubateur=nord"' in text
    [load] = re.findall(
        r'<a href="/coachs/\d+">Noor</a></th><td class="fab-number">(\d+)</td><td class="fab-number">(\d+)</td>', text
    )
    assert load == ("1", "2")


def test_a_sponsor_and_a_coach_show_theirs(sqlite: Database, clock: FixedClock, some: dict[str, int]) -> None:
    noor = added_person(sqlite, clock, "Noor", Role.COACH, some["mur"], "coach")
    with reading(sqlite, clock) as browser:
        assert listed(browser.get("/organisations/dgs").text) == ["eau", "pont", "toit"]
        assert listed(browser.get(f"/coachs/{noor.id}").text) == ["mur"]
        for address in ("/incubateurs/rien", "/organisations/rien", "/coachs/9999", f"/coachs/{10**30}", "/incubateurs/%00"):
            assert browser.get(address).status_code == 404, address


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/incubateurs", ["Fabrique du Nord"]),
        ("/organisations", ["Direction des solidarités", "Une autre"]),
        ("/coachs", ["Noor"]),
    ],
)
def test_lists_of_incubators_sponsors_and_coaches_count_their_products(
    sqlite: Database, clock: FixedClock, some: dict[str, int], address: str, names: list[str]
) -> None:
    added_person(sqlite, clock, "Noor", Role.COACH, some["mur"], "coach")
    with reading(sqlite, clock) as browser:
        text = browser.get(address).text
        rows = browser.get(f"{address}.csv").content.decode("utf-8-sig").splitlines()
        assert browser.get(f"{address}.ods").status_code == 200
    assert re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', text) == names
    assert len(rows) == len(names) + 1


def test_lists_without_anything_say_so(sqlite: Database, clock: FixedClock) -> None:
    with reading(sqlite, clock) as browser:
        assert "Aucun incubateur n’a encore de produit." in browser.get("/incubateurs").text
        assert "Aucune organisation n’est encore sponsor" in browser.get("/organisations").text
        assert "Personne n’accompagne encore de produit." in browser.get("/coachs").text


def test_the_first_day_of_a_phase_and_a_late_condition_are_told_as_people_say_them(sqlite: Database, clock: FixedClock) -> None:
    with sqlite.write() as session:
        put_products(session, [sheet("neuf", Stage.INVESTIGATION, TODAY), sheet("tard")], Writing(None, clock.now()))
        late = portfolio.product_id_of(session, "tard")
    assert late is not None
    held = review(sqlite, late, Stage.SCALE_UP, continue_until=TODAY + timedelta(days=90))
    condition(sqlite, held, late, date(2026, 11, 2))
    with reading(sqlite, clock) as browser:
        text = browser.get("/produits").text.replace("\xa0", " ")
        board = browser.get("/produits?vue=tableau").text
    assert "depuis aujourd’hui" in text
    assert "depuis aujourd’hui" in board
    assert "depuis 0 jour" not in text + board
    assert "condition en retard depuis le 2 novembre 2026" in text
