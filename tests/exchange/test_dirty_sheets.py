"""A folder of sheets (dirty/) with every fault that real ones have: what can be read is, what was put right is told."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique import language
from fabrique.accounts.model import BatchRow
from fabrique.accounts.rules import Role
from fabrique.exchange.betagouv import import_betagouv
from fabrique.portfolio import actions, queries
from fabrique.portfolio.queries import product_sheets
from fabrique.portfolio.rules import Mark, Stage, Stay, stay_on
from people import added_person

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.exchange.report import ImportReport
    from fabrique.portfolio.queries import ProductSheet

DIRTY = Path(__file__).parent / "dirty"
REFUSED = {
    "nouveau": "a page of this site has that address",
    "refus-jour-impossible": "this date does not exist",
    "refus-latin1": "not UTF-8",
    "refus-phase-inconnue": "no phase is called this",
    "refus-phases-en-texte": "a list of entries was expected",
    "refus-sans-debut": "a phase needs its first day",
    "refus-sans-nom": "nothing is written here",
    "refus-sans-tete": "does not begin",
    "refus-yaml": "YAML is broken",
}
REPAIRS = {
    "balises": ["link: this is not a web address", "repository: written with HTML"],
    "commanditaire-inconnu": ["sponsors: no organisation has this key"],
    "date-partielle": [
        "events[0].date: not told to the day", "phases[0].end: not told to the day", "phases[0].start: not told to the day",
        "phases[1].start: not told to the day",
    ],
    "deux-fois": ["phases: the same phase twice"],
    "deux-incubateurs": ["incubators: a product has one incubator"],
    "doublons": [
        "events[1]: what is told twice", "sponsors: what is told twice", "techno: what is told twice", "thematiques: what is told twice",
    ],
    "evenements": [
        "events[0].date: an event without a date", "events[2].date: this is not a date", "events[3].date: this date does not exist",
        "events[4].comment: a text was expected",
    ],
    "fin-ailleurs": [
        "phases: the last phase ends and none follows", "phases: the phase's end is not", "phases[1].end: the end is before the start",
    ],
    "listes-en-texte": [
        "incubator: a list where a text", "link: a list where a text", "techno: a list written as one text",
        "usertypes: a list written as one text",
    ],
    "meme-jour": ["phases: two phases start the same day"],
    "publics": [*["usertypes: a text was expected"] * 3, "usertypes: what is told twice"],
    "recent-dabord": ["phases: the phases are not in the order"],
    "reponses": ["accessibility_status: written as the law", "nouvelle_cle: nobody knows", "stats: statistics without an address"],
    "reponses-douteuses": [
        "accessibility_status: the law knows no such", "analyse_risques: neither yes nor no", "stats: neither yes nor no",
    ],
    "tres-long": [
        "events[0].name: 12,000 characters", "link: an address of 10,024 characters", "title: 10,000 characters",
        "usertypes: 10,000 characters",
    ],
    "veille": ["phases: the phase's end is not"],
}  # fmt: skip
EARLY, MIDDLE, LATE, TODAY = date(2024, 1, 8), date(2024, 6, 3), date(2025, 6, 2), date(2026, 11, 23)


def brought(database: Database, clock: FixedClock) -> ImportReport:
    with language.speaking("en"):
        return import_betagouv(database, clock, DIRTY)


@pytest.fixture
def sheets(sqlite: Database, clock: FixedClock) -> dict[str, ProductSheet]:
    brought(sqlite, clock)
    return known(sqlite)


def known(database: Database) -> dict[str, ProductSheet]:
    with database.read() as session:
        return product_sheets(session, [file.stem for file in (DIRTY / "_startups").glob("*.md")])


def test_only_what_cannot_be_read_is_refused_and_every_repair_is_told(database: Database, clock: FixedClock) -> None:
    report = brought(database, clock)
    refused = {one.file: one.reason for one in report.refused}
    assert refused.keys() == {f"_startups/{name}.md" for name in REFUSED}
    assert all(reason in refused[f"_startups/{name}.md"] for name, reason in REFUSED.items())
    told: dict[str, list[str]] = {}
    for one in report.repaired:
        told.setdefault(Path(one.file).stem, []).append(f"{one.column}: {one.reason}")
    assert told.pop("dgfip")[0].startswith("type: a list where a text was expected")
    assert told.pop("sans-adresse")[0].startswith("website: this is not a web address")
    assert told.keys() == REPAIRS.keys()
    for name, expected in REPAIRS.items():
        assert len(told[name]) == len(expected), told[name]
        assert all(one.startswith(start) for one, start in zip(sorted(told[name]), expected, strict=True)), sorted(told[name])
    assert all(max(len(one.value), len(one.kept)) <= 120 for one in report.repaired)


def test_dirty_sheets_twice_change_and_write_nothing(database: Database, clock: FixedClock) -> None:
    first = brought(database, clock)
    before = known(database)
    again = brought(database, clock)
    assert (again.total("created"), again.total("changed"), again.batch) == (0, 0, None)
    assert again.total("unchanged") == first.total("created")
    assert (again.repaired, again.refused, known(database)) == (first.repaired, first.refused, before)


def test_the_batch_keeps_what_was_met_on_the_way_for_a_page_to_show(sqlite: Database, clock: FixedClock) -> None:
    report = brought(sqlite, clock)
    with sqlite.read() as session:
        batch = session.scalars(sa.select(BatchRow)).one()
    assert batch.counts["refused"] == len(batch.details["refused"]) == len(REFUSED)
    assert batch.counts["repaired"] == len(batch.details["repaired"]) == len(report.repaired)
    assert batch.counts["kept"] == len(batch.details["kept"]) == 0
    assert batch.details["refused"][0].keys() >= {"file", "line", "column", "value", "reason"}


def test_dirty_phases_become_stays_that_follow_each_other(sheets: dict[str, ProductSheet]) -> None:
    def stays(slug: str) -> list[tuple[Stage, date, date | None]]:
        return [(one.stage, one.start, one.end) for one in sheets[slug].stays]

    begun = (Stage.INVESTIGATION, EARLY, MIDDLE)
    assert stays("sans-fin") == stays("veille") == [begun, (Stage.EXPERIMENTATION, MIDDLE, None)]
    assert stays("recent-dabord") == [begun, (Stage.EXPERIMENTATION, MIDDLE, LATE), (Stage.SCALE_UP, LATE, None)]
    assert stays("fin-ailleurs") == [begun, (Stage.EXPERIMENTATION, MIDDLE, LATE), (Stage.STOPPED, LATE, None)]
    assert stays("meme-jour") == [(Stage.INVESTIGATION, EARLY, EARLY), (Stage.EXPERIMENTATION, EARLY, None)]
    assert stays("deux-fois") == [(Stage.INVESTIGATION, EARLY, None)]
    assert sheets["sans-phase"].stays == ()


def test_a_month_or_a_year_alone_gives_an_estimated_first_day(sheets: dict[str, ProductSheet]) -> None:
    assert sheets["date-partielle"].stays == (
        Stay(Stage.INVESTIGATION, date(2022, 1, 1), date(2022, 6, 1), Mark.ESTIMATED),
        Stay(Stage.EXPERIMENTATION, date(2022, 6, 1), None, Mark.ESTIMATED),
    )
    assert [one.day for one in sheets["date-partielle"].events] == [date(2023, 2, 1)]


def test_what_is_planned_is_no_present_phase(sheets: dict[str, ProductSheet]) -> None:
    current = {slug: stay_on(sheets[slug].stays, TODAY) for slug in ("a-venir", "tout-a-venir")}
    assert current["a-venir"] is not None
    assert current["a-venir"].stage is Stage.INVESTIGATION
    assert current["tout-a-venir"] is None


def test_texts_of_every_script_and_length_are_kept_as_far_as_a_page_can_show_them(sheets: dict[str, ProductSheet]) -> None:
    assert sheets["nul"].name == "N ul"
    assert (sheets["nul"].audiences, sheets["nul"].website) == (("parti culier",), "https://nul.exemple.fr/")
    assert sheets["droite-a-gauche"].name == "مرحبا بالعالم gpj.exe", "what turns the text around it is gone"
    assert sheets["emoji"].name == "🎈🎉 👩🏽‍💻 famille"
    assert sheets["balises"].name == "<script>alert(1)</script> & « co »"
    assert len(sheets["tres-long"].name) == 300
    assert (sheets["tres-long"].website, len(sheets["tres-long"].audiences[0])) == ("", 300)


def test_lists_hold_each_thing_once_however_they_are_written(sheets: dict[str, ProductSheet]) -> None:
    for sheet in sheets.values():
        for items in (sheet.sponsors, sheet.audiences, sheet.themes, sheet.technologies, sheet.events):
            assert max(Counter(items).values(), default=1) == 1, sheet.slug
    assert sheets["doublons"].sponsors == ("anct",)
    assert sheets["publics"].audiences == ("particulier", "42")
    text = sheets["listes-en-texte"]
    assert (text.incubator, text.website, text.sponsors) == ("dinum", "https://liste.exemple.fr", ("anct",))
    assert (text.audiences, text.themes, text.technologies) == (
        ("particulier", "entreprise"),
        ("Logement",),
        ("python", "django"),
    )
    assert sheets["deux-incubateurs"].incubator == sheets["publics"].incubator == "dinum"
    assert sheets["sans-phase"].website == ""


def test_an_answer_comes_from_its_own_key_and_doubt_is_no_answer(sheets: dict[str, ProductSheet]) -> None:
    assert dict(sheets["reponses"].qualities) == {
        "public_statistics": "yes",
        "risk_analysis": "no",
        "mon_service_securise": "yes",
    }
    assert sheets["reponses"].accessibility == "non conforme"
    assert sheets["reponses"].dashlord_url == "https://dashlord.exemple.fr"
    assert sheets["reponses-douteuses"].qualities == ()
    assert sheets["reponses-douteuses"].accessibility == "en cours"


def test_what_people_wrote_here_stays_and_the_report_the_batch_and_the_dry_run_say_so(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    (tmp_path / "_startups").mkdir()
    told = tmp_path / "_startups" / "aide.md"
    told.write_text("---\ntitle: Aide\nlink: https://ici.exemple.fr\nstats: false\n---\n")
    import_betagouv(sqlite, clock, tmp_path)
    with sqlite.read() as session:
        product = queries.product_id_of(session, "aide")
    assert product is not None
    camille = added_person(sqlite, clock, "Camille", Role.INTRAPRENEUR, product)
    with sqlite.write() as session:
        at = queries.version_of(session, product)
        actions.save_sheet(session, camille, "aide", at, {"website": "https://nous.exemple.fr"}, clock.now())
    told.write_text("---\ntitle: Aide +\nlink: https://ailleurs.exemple.fr\nstats: true\nstats_url: https://s.exemple.fr\n---\n")
    rehearsal = import_betagouv(sqlite, clock, tmp_path, dry_run=True)
    real = import_betagouv(sqlite, clock, tmp_path)
    assert (rehearsal.changes, rehearsal.kept) == (real.changes, real.kept)
    assert [one.field for one in real.changes] == ["name", "statistics_url", "qualities"]
    (kept,) = real.kept
    assert (kept.key, kept.field, kept.before, kept.after) == (
        "aide", "website", ("https://nous.exemple.fr",), ("https://ailleurs.exemple.fr",),
    )  # fmt: skip
    assert known_one(sqlite, "aide").website == "https://nous.exemple.fr"
    with sqlite.read() as session:
        details = session.scalars(sa.select(BatchRow.details).order_by(BatchRow.id.desc())).first()
    assert details["kept"] == [kept.as_json()]
    assert import_betagouv(sqlite, clock, tmp_path).kept == []


def known_one(database: Database, slug: str) -> ProductSheet:
    with database.read() as session:
        return product_sheets(session, [slug])[slug]
