"""Product sheets as teams really write them: put right and told, or refused with file, line and key."""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import UTC, date
from typing import TYPE_CHECKING

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fabrique import language
from fabrique.accounts.model import BatchRow
from fabrique.database import Database
from fabrique.exchange.betagouv import FOLDERS, import_betagouv, running
from fabrique.exchange.betagouv.entry import Entry, EntryRefused
from fabrique.exchange.betagouv.telling import READ, product
from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.queries import Event, incubators_by_key, organisations_by_key, product_sheets
from fabrique.portfolio.rules import Stage, Stay
from fabrique.portfolio.sheet import as_document, from_document, ordered
from fabrique.tables.textfile import FileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.clock import FixedClock
    from fabrique.exchange.report import ImportReport
    from fabrique.portfolio.queries import ProductSheet
    from fabrique.portfolio.sheet import Telling

INVESTIGATION = "  - name: investigation\n    start: 2025-01-06\n"
CONSTRUCTION = "  - name: construction\n    start: 2025-07-01\n"
WHOLE = f"""\
title: "Aide  au logement"
incubator: dinum
sponsors:
  - /organisations/anct
  - /organisations/dgfip
link: https://aide.exemple.fr
repository: https://depot.exemple.fr/aide
stats_url: https://aide.exemple.fr/stats
accessibility_status: partiellement conforme
usertypes: [particulier, entreprise]
thematiques: logement
phases:
{INVESTIGATION}    end: 2025-07-01
{CONSTRUCTION}events:
  - name: committee
    date: 2025-06-15
    comment: "Un\\n  comité"
"""


def sheet(keys: str, prose: str = "Le produit.\n") -> str:
    return f"---\n{keys}---\n{prose}"


def folder(tmp_path: Path, **files: str | bytes) -> Path:
    """A folder of sheets: `product=`, or `incubators__dinum=` for another kind."""
    whole = tmp_path / "fiches"
    for name in FOLDERS:
        (whole / name).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        kind, _sep, stem = name.rpartition("__")
        path = whole / f"_{kind or 'startups'}" / f"{stem}.md"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return whole


def known(database: Database, slug: str) -> ProductSheet:
    with database.read() as session:
        return product_sheets(session, [slug])[slug]


def with_phases(phases: str) -> str:
    return sheet(f"title: Aide\nphases:\n{phases}")


def test_a_whole_sheet_is_known_as_it_was_told(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    files = {
        "incubators__dinum": sheet("title: Incubateur\nowner: /organisations/dinum\nwebsite: https://beta.exemple.fr\n"),
        "organisations__anct": sheet("name: Agence\nacronym: ANCT\ntype: établissement\n"),
        "aide": sheet(WHOLE),
    }
    report = import_betagouv(database, clock, folder(tmp_path, **files))
    told = known(database, "aide")
    assert (told.name, told.incubator, told.sponsors) == ("Aide au logement", "dinum", ("anct", "dgfip"))
    assert (told.audiences, told.themes) == (("particulier", "entreprise"), ("logement",))
    assert told.stays == (
        Stay(Stage.INVESTIGATION, date(2025, 1, 6), date(2025, 7, 1)),
        Stay(Stage.EXPERIMENTATION, date(2025, 7, 1), None),
    )
    assert told.events == (Event("committee", date(2025, 6, 15), "Un comité"),)
    with database.read() as session:
        assert incubators_by_key(session, ["dinum"])["dinum"].title == "Incubateur"
        assert organisations_by_key(session, ["anct"])["anct"].acronym == "ANCT"
        assert session.scalars(sa.select(BatchRow.file)).one() == "fiches"
    assert report.refused == []
    assert [(one.file, one.column, one.value) for one in report.repaired] == [("_startups/aide.md", "sponsors", "dgfip")]
    assert report.counts() == {"read": 3, "created": 3, "changed": 0, "unchanged": 0}


@pytest.mark.parametrize(
    ("phases", "stays", "repaired"),
    [
        (INVESTIGATION + CONSTRUCTION, [("investigation", "2025-01-06", "2025-07-01"), ("experimentation", "2025-07-01", None)], []),
        (CONSTRUCTION + INVESTIGATION, [("investigation", "2025-01-06", "2025-07-01"), ("experimentation", "2025-07-01", None)],
         ["not in the order"]),
        (INVESTIGATION + "    end: 2025-03-01\n" + CONSTRUCTION,
         [("investigation", "2025-01-06", "2025-07-01"), ("experimentation", "2025-07-01", None)], ["not the next one's start"]),
        (INVESTIGATION + "    end: 2024-01-06\n", [("investigation", "2025-01-06", None)], ["the end is before the start"]),
        (INVESTIGATION + "    end: 2025-03-01\n", [("investigation", "2025-01-06", None)], ["kept open"]),
        (CONSTRUCTION.replace("2025-07-01", "2025-01-06") + INVESTIGATION,
         [("investigation", "2025-01-06", "2025-01-06"), ("experimentation", "2025-01-06", None)],
         ["start the same day"]),
        (INVESTIGATION + INVESTIGATION.replace("2025-01-06", "2025-02-01"), [("investigation", "2025-01-06", None)],
         ["same phase twice"]),
        (INVESTIGATION.replace("2025-01-06", "2031-01-06"), [("investigation", "2031-01-06", None)], []),
        (INVESTIGATION.replace("2025-01-06", "2025-01-06T10:00:00Z"), [("investigation", "2025-01-06", None)], []),
        (INVESTIGATION.replace("2025-01-06", '"2025-01-06"') + '    end: ""\n', [("investigation", "2025-01-06", None)], []),
        ("  []\n", [], []),
        ("", [], []),
    ],
)  # fmt: skip
def test_phases_become_stays_without_gap_and_every_repair_is_told(
    sqlite: Database,
    clock: FixedClock,
    tmp_path: Path,
    phases: str,
    stays: list[tuple[str, str, str | None]],
    repaired: list[str],
) -> None:
    with language.speaking("en"):
        report = import_betagouv(sqlite, clock, folder(tmp_path, aide=with_phases(phases)))
    assert report.refused == []
    assert [(one.stage, str(one.start), one.end and str(one.end)) for one in known(sqlite, "aide").stays] == stays
    reasons = sorted(one.reason for one in report.repaired)
    assert len(reasons) == len(repaired)
    assert all(any(said in reason for reason in reasons) for said in repaired), reasons
    assert import_betagouv(sqlite, clock, folder(tmp_path)).total("unchanged") == 1


@pytest.mark.parametrize(
    ("keys", "incubator", "repairs"),
    [
        ("incubator: dinum\n", "dinum", 0),
        ("incubators: [dinum]\n", "dinum", 0),
        ("incubators: dinum\n", "dinum", 0),
        ("incubators: [dinum, autre]\n", "dinum", 1),
        ("incubator: dinum\nincubators: [autre]\n", "dinum", 1),
        ("incubator: /incubators/dinum/\n", "dinum", 0),
        ("incubator:\n", "", 0),
    ],
)
def test_a_product_has_one_incubator_however_the_sheet_names_it(
    sqlite: Database, clock: FixedClock, tmp_path: Path, keys: str, incubator: str, repairs: int
) -> None:
    report = import_betagouv(sqlite, clock, folder(tmp_path, aide=sheet(f"title: Aide\nlink:\n{keys}")))
    assert (known(sqlite, "aide").incubator, known(sqlite, "aide").website, len(report.repaired)) == (incubator, "", repairs)


def test_an_event_without_a_date_is_left_out_and_that_is_said(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    events = "events:\n  - name: comité\n  - date: 2025-02-01\n  - name: début\n    date: 2025-01-01\n    comment: 12\n"
    report = import_betagouv(sqlite, clock, folder(tmp_path, aide=sheet(f"title: Aide\n{events}")))
    assert known(sqlite, "aide").events == (Event("début", date(2025, 1, 1), "12"), Event("other", date(2025, 2, 1)))
    assert [one.column for one in report.repaired] == ["events[0].date"]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n" for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "line", "column", "reason"),
    [
        (sheet("title: [unclosed\nlink: x\n"), 3, "", "YAML is broken"),
        (sheet("title: A\n\tlink: x\n"), 3, "", "YAML is broken"),
        (sheet("title: A\nlink: \x07\n"), None, "", "YAML is broken"),
        (sheet("title: !!python/object/apply:os.system [ls]\n"), 2, "", "YAML is broken"),
        (sheet("title: A\nstart: 2026-02-30\n"), None, "", "YAML is broken"),
        (sheet("title: " + "[" * 5000 + "\n"), None, "", "YAML is broken"),
        (sheet("- a\n- b\n"), None, "", "holds no keys"),
        ("", 1, "", "does not begin"),
        ("# Aide\n", 1, "", "does not begin"),
        ("---\ntitle: Aide\n", None, "", "no closing"),
        (sheet("title: Été\n").encode("cp1252"), None, "", "not UTF-8"),
        (sheet("title: Aide\n", "a" * 1_000_001), None, "", "larger than 1 MB"),
        (sheet("link: x\n"), None, "title", "nothing is written"),
        (sheet("title: {fr: Aide}\n"), None, "title", "nothing is written"),
        (with_phases("  - name: rêverie\n    start: 2025-01-01\n"), None, "phases[0].name", "no phase is called"),
        (with_phases(INVESTIGATION + "  - name: construction\n"), None, "phases[1].start", "needs its first day"),
        (with_phases("  - name: investigation\n    start: '2025-02-30'\n"), None, "phases[0].start", "does not exist"),
        (with_phases("  - name: investigation\n    start: 1.5\n"), None, "phases[0].start", "not a date"),
        (with_phases("  - name: investigation\n    start: true\n"), None, "phases[0].start", "not a date"),
        (with_phases("  - name: investigation\n    start: [2025-01-01]\n"), None, "phases[0].start", "not a date"),
        (with_phases("  - name: investigation\n    start: 01/02/2025\n"), None, "phases[0].start", "not a date"),
        (with_phases("  - name: investigation\n    start: 2025-13\n"), None, "phases[0].start", "does not exist"),
        (with_phases("  - name: investigation\n    start: 0202-01-01\n"), None, "phases[0].start", "not a day of a product"),
        (with_phases("  - name: investigation\n    start: 20250101\n"), None, "phases[0].start", "not a date"),
        (with_phases("  - name: alumni\n    start: 2025-01-01\n"), None, "phases[0].name", "no phase is called"),
        (with_phases("  - name: null\n    start: 2025-01-01\n"), None, "phases[0].name", "no phase is called"),
        (with_phases("  - {}\n"), None, "phases[0].name", "no phase is called"),
        (sheet("title: Aide\nevents: [bientôt]\n"), None, "events", "list of entries"),
        (sheet("title: Aide\nevents: &e [*e]\n"), None, "events", "list of entries"),
        (sheet("title: Aide\nevents:\n" + "  - {}\n" * 1_001), None, "events", "no product has so many"),
        (with_phases("  - name: investigation\n    start: 0x" + "f" * 5_000 + "\n"), None, "phases[0].start", "not a date"),
        (with_phases("  - name: investigation\n    start: 0001-01-01T00:00:00+14:00\n"), None, "phases[0].start", "not exist"),
        (with_phases("  - name: investigation\n    start: !!binary aGllcg==\n"), None, "phases[0].start", "not a date"),
        (with_phases("  investigation\n"), None, "phases", "list of entries"),
        (with_phases("  - investigation\n"), None, "phases", "list of entries"),
        (sheet(f"title: Aide\n{BOMB}phases: *i\n"), None, "phases", "list of entries"),
        (sheet(f"title: Aide\n{BOMB}phases:\n  - name: *i\n    start: 2025-01-01\n"), None, "phases[0].name", "no phase"),
    ],
)
def test_a_sheet_that_cannot_be_taken_is_told_and_the_others_are_taken(
    sqlite: Database, clock: FixedClock, tmp_path: Path, content: str | bytes, line: int | None, column: str, reason: str
) -> None:
    whole = folder(tmp_path, aide=sheet("title: Aide\n"), mauvaise=content, zone=sheet("title: Zone\n"))
    with language.speaking("en"):
        report = import_betagouv(sqlite, clock, whole)
    (refused,) = report.refused
    assert refused.file == "_startups/mauvaise.md"
    assert reason in refused.reason
    assert refused.column == column
    assert line is None or refused.line == line
    assert len(refused.value) <= 120
    assert report.counts() == {"read": 3, "created": 2, "changed": 0, "unchanged": 0}


def test_a_folder_or_a_dead_link_among_the_sheets_is_refused_like_a_sheet(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    whole = folder(tmp_path, aide=sheet("title: Aide\n"))
    (whole / "_startups" / "dossier.md").mkdir()
    (whole / "_startups" / "lien.md").symlink_to("nulle-part.md")
    (whole / "_startups" / "avec espace.md").write_text(sheet("title: Espace\n"))
    (whole / "_startups" / os.fsdecode(b"ann\xe9e.md")).write_text(sheet("title: Ancien\n"))
    report = import_betagouv(sqlite, clock, whole)
    assert (report.refused_count, report.total("created")) == (4, 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_sheet_without_read_permission_is_refused_alone(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    whole = folder(tmp_path, aide=sheet("title: Aide\n"), secret=sheet("title: Secret\n"))
    (whole / "_startups" / "secret.md").chmod(0)
    report = import_betagouv(sqlite, clock, whole)
    assert (report.refused_count, report.total("created")) == (1, 1)


def test_why_a_sheet_is_refused_is_told_in_french(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    whole = folder(tmp_path, jour=sheet("title: Jour\nstart: 2025-02-30\n"))
    (whole / "_startups" / "dossier.md").mkdir()
    with language.speaking("fr"):
        reasons = [one.reason for one in import_betagouv(sqlite, clock, whole).refused]
    why = "une date qui n’existe pas, ou un nombre que personne n’écrirait"
    assert reasons == ["ceci est un dossier, pas un fichier", f"le YAML est incorrect\u00a0: {why}"]


def test_null_characters_do_not_reach_the_database(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    events = 'events:\n  - {name: "c\\0", date: 2025-01-01, comment: "\\0oui"}\n'
    keys = 'title: "A\\0ide"\nusertypes: ["parti\\0culier"]\nlink: "\\0"\n' + events
    report = import_betagouv(database, clock, folder(tmp_path, aide=sheet(keys)))
    assert report.refused == []
    told = known(database, "aide")
    assert (told.name, told.audiences, told.website) == ("A ide", ("parti culier",), "")
    assert told.events == (Event("c", date(2025, 1, 1), "oui"),)


def test_the_same_folder_twice_changes_nothing_and_a_changed_sheet_is_changed(
    database: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 2)
    files = {f"produit-{number}": sheet(WHOLE) for number in range(5)} | {"incubators__dinum": sheet("title: Incubateur\n")}
    first = import_betagouv(database, clock, folder(tmp_path, **files))
    again = import_betagouv(database, clock, folder(tmp_path))
    changed = import_betagouv(database, clock, folder(tmp_path, **{"produit-3": sheet(WHOLE.replace("committee", "national"))}))
    assert first.counts() == {"read": 6, "created": 6, "changed": 0, "unchanged": 0}
    assert (again.counts(), again.batch) == ({"read": 6, "created": 0, "changed": 0, "unchanged": 6}, None)
    assert changed.counts() == {"read": 6, "created": 0, "changed": 1, "unchanged": 5}
    assert known(database, "produit-3").events[0].kind == "national"
    assert {first.batch, changed.batch} == {1, 2}


def test_a_dry_run_writes_nothing_and_tells_what_the_real_run_then_does(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    import_betagouv(sqlite, clock, folder(tmp_path, aide=sheet(WHOLE), bail=sheet("title: Bail\n")))
    more = {
        "aide": sheet(WHOLE.replace("logement", "loyer")),
        "cerfa": sheet("title: Cerfa\n"),
        "mal": "",
        "organisations__anct": sheet("name: A\n"),
    }
    whole = folder(tmp_path, **more)
    rehearsal = import_betagouv(sqlite, clock, whole, dry_run=True)
    assert known(sqlite, "aide").name == "Aide au logement"
    real = import_betagouv(sqlite, clock, whole)
    assert rehearsal.kinds == real.kinds
    assert (rehearsal.refused, rehearsal.repaired) == (real.refused, real.repaired)
    assert (rehearsal.batch, real.counts()) == (None, {"read": 5, "created": 1, "changed": 2, "unchanged": 1})
    assert known(sqlite, "aide").name == "Aide au loyer"


def test_strict_takes_nothing_when_one_sheet_is_bad(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    report = import_betagouv(sqlite, clock, folder(tmp_path, aide=sheet(WHOLE), mal=""), strict=True)
    assert (report.refused_count, report.batch, report.dry_run, report.total("created")) == (1, None, False, 0)
    with sqlite.read() as session:
        assert session.scalars(sa.select(ProductRow)).all() == []
    report = import_betagouv(sqlite, clock, folder(tmp_path, mal=sheet("title: Bien\n")), strict=True)
    assert report.total("created") == 2


def test_values_that_nobody_would_write_end_in_no_traceback(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    odd = f"""
title: 0x{"f" * 5_000}
2024: un nombre
null: rien
stats: 0x{"f" * 5_000}
mission: !!binary aGllcg==
usertypes: &moi [*moi, !!set {{a, b}}, .nan, 2024-01-01, true, 0x{"f" * 5_000}]
link: {{a: b}}
thematiques: {{a: b}}
techno: 12
incubator: "///"
incubators: 3
sponsors: ["/", "//"]
phases: ""
events:
  - {{name: [a], date: 2025-01-01T23:30:00Z, comment: [b]}}
"""
    report = import_betagouv(database, clock, folder(tmp_path, aide=sheet(odd)))
    assert report.refused == []
    told = known(database, "aide")
    assert (len(told.name), told.technologies, told.incubator, told.sponsors) == (120, ("12",), "3", ())
    assert [one.day for one in told.events] == [date(2025, 1, 2)], "half past eleven in Greenwich is tomorrow in Paris"
    assert import_betagouv(database, clock, folder(tmp_path)).total("unchanged") == 1


class Killed(BaseException):
    """What a test does to an import."""


def test_an_import_stopped_and_run_again_ends_as_one_that_was_not(
    database: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 2)
    whole = folder(tmp_path, **{f"produit-{number}": sheet(WHOLE) for number in range(5)})

    def stop(_number: int) -> None:
        raise Killed

    for _ in range(2):
        with pytest.raises(Killed):
            import_betagouv(database, clock, whole, progress=stop)
    report = import_betagouv(database, clock, whole)
    assert report.counts() == {"read": 5, "created": 3, "changed": 0, "unchanged": 2}
    assert {known(database, f"produit-{number}").name for number in range(5)} == {"Aide au logement"}
    with database.read() as session:
        assert [one is not None for one in session.scalars(sa.select(BatchRow.finished_at))] == [True]


@pytest.mark.parametrize("looking", ["fabrique.exchange.betagouv.running.known_as", "fabrique.portfolio.actions.plan_products"])
def test_an_import_counts_nothing_that_another_made_between_its_look_and_its_writing(
    database: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looking: str
) -> None:
    source = folder(tmp_path, aide=sheet(WHOLE), incubators__dinum=sheet("title: DINUM\n"))
    module, _dot, name = looking.rpartition(".")
    look = getattr(sys.modules[module], name)
    quicker: list[ImportReport] = []

    def looked(*asked: object) -> object:
        found = look(*asked)
        monkeypatch.undo()
        quicker.append(import_betagouv(database, clock, source))
        return found

    monkeypatch.setattr(looking, looked)
    slower = import_betagouv(database, clock, source)
    brought = "incubators" if name == "known_as" else "products"
    assert quicker[0].kinds[brought]["created"] == 1
    assert dict(slower.kinds[brought]) == {"read": 1, "unchanged": 1}
    assert [kind for kind, _key, _name in slower.created if kind == brought] == []


def test_two_imports_of_the_same_new_products_at_one_moment_both_end_well(
    database_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    whole = folder(tmp_path, **{f"produit-{number}": sheet(WHOLE) for number in range(40)})
    ready, reports = threading.Barrier(2), []

    def bring() -> None:
        own = Database(database_url)
        ready.wait()
        reports.append(import_betagouv(own, clock, whole))
        own.close()

    threads = [threading.Thread(target=bring) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(one.total("created") for one in reports) == [0, 40]
    assert [one.total("unchanged") for one in reports if not one.total("created")] == [40]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent", "There is no file or folder"),
        ("fichier", "is one sheet; name the folder"),
        ("vide", "holds no folder _startups"),
        ("a" * 300, "cannot be read"),
    ],
)
def test_what_is_not_a_folder_of_sheets_is_refused_in_one_line(
    sqlite: Database, clock: FixedClock, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "fichier").write_text("---\n")
    (tmp_path / "vide").mkdir()
    with pytest.raises(FileUnreadable) as refused:
        import_betagouv(sqlite, clock, tmp_path / name)
    with language.speaking("en"):
        assert said in str(refused.value)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.dates() | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "start", "end", "date", "comment"]), inner),
    max_leaves=12,
)  # fmt: skip
DATES = st.sampled_from(["2025-01-06", "2025-02", "2025", 2025, date(2025, 3, 1), "", None, "31/12/2025", "2025-02-30"])
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["investigation", "Construction", "abandon", "committee", ""])},
        optional={"start": DATES, "end": DATES, "date": DATES, "comment": ODD},
    ),
    max_size=5,
)


def taken(entry: Entry) -> Telling | None:
    """What it tells; None where it is refused, which says why."""
    try:
        return product(entry)
    except EntryRefused as refused:
        return None if refused.reason else pytest.fail("refused without a reason")


@hypothesis.settings(max_examples=300)
@given(
    st.fixed_dictionaries({"title": st.just("Aide") | ODD}, optional=dict.fromkeys(sorted(READ - {"title"}), ODD | ENTRIES)),
    st.booleans(),
)
def test_whatever_stands_in_a_sheet_is_told_or_refused_in_words(keys: dict[str, object], partial: bool) -> None:
    entry = Entry("fiche", "aide", keys, partial=partial)
    told = taken(entry)
    if told is None:
        return
    document = as_document(told.sheet)
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    assert from_document(json.loads(text)) == told.sheet
    assert "\\u0000" not in text
    text.encode()
    assert ordered(told.sheet) == ordered(ordered(told.sheet))
    assert all(one.reason and len(one.value) <= 120 and len(one.kept) <= 120 for one in entry.repaired)
