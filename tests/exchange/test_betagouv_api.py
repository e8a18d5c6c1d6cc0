"""The public API's document, in each of its versions: the same products as the sheets, and less said of them."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import yaml

from fabrique import language
from fabrique.database import SiteVersion
from fabrique.exchange.betagouv import document, import_betagouv
from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.queries import incubators_by_key, product_sheets
from fabrique.portfolio.rules import Stage, Stay
from fabrique.tables.textfile import FileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.portfolio.queries import ProductSheet

SHEETS = {
    "_organisations/agence.md": "name: Agence\n",
    "_organisations/ministere.md": "name: Ministère\n",
    "_incubators/ici.md": "title: L’incubateur d’ici\nowner: /organisations/ministere\nwebsite: https://ici.exemple.fr\n",
    "_startups/aide-au-logement.md": """\
title: Aide au logement
mission: Trouver une aide que l'on ne connaissait pas.
contact: quelqu.un@exemple.fr
incubator: ici
sponsors: [/organisations/ministere, /organisations/agence]
link: https://aide.exemple.fr
repository: https://depot.exemple.fr/aide
stats: true
dashlord_url: https://dashlord.exemple.fr/aide
analyse_risques: true
mon_service_securise: true
accessibility_status: Partiellement conforme
usertypes: [particulier, etat]
thematiques: [Logement]
techno: [python, django]
phases:
  - {name: acceleration, start: 2025-04-01}
  - {name: investigation, start: 2024-01-08, end: 2024-03-31, comment: Une piste}
  - {name: construction, start: 2024-04-01, end: 2025-03-01}
events:
  - {name: committee, date: 2024-03-20, comment: Fin d'investigation}
  - {name: product_launch, date: 2024-06-01}
""",
    "_startups/nue.md": "title: Nue\nincubator: ici\nlink: ''\nphases: []\nanalyse_risques: false\nmon_service_securise: false\n",
    "_startups/partagee.md": "title: Partagée\nincubator: ici\nincubators: [la, ici]\nimpact_url: https://impact.exemple.fr\nlink: https://x.exemple.fr\n",
}
"""A folder of sheets; the API tells the same products."""


@pytest.fixture
def sheets(tmp_path: Path) -> Path:
    for name, keys in SHEETS.items():
        file = tmp_path / "fiches" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"---\n{keys}---\n", encoding="utf-8")
    return tmp_path / "fiches"


def front_matter(file: Path) -> dict[str, Any]:
    """By code of the test's own, not by the importer's."""
    loaded = yaml.safe_load(file.read_text(encoding="utf-8").split("\n---")[0].removeprefix("---"))
    assert isinstance(loaded, dict)
    return loaded


def written(value: object) -> str:
    """As a Liquid template writes it: nothing for nothing, true and false in small letters."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def as_api(sheet: dict[str, Any], key: str, version: str = "2.7") -> dict[str, Any]:
    """One product as startups.json writes it, after the template that beta.gouv.fr publishes for that version."""
    told: dict[str, Any] = {"name": written(sheet.get("title")), "pitch": written(sheet.get("mission")), "contact": ""}
    link, page = sheet.get("link"), sheet.get("stats_url")
    stats = page or (f"{written(link).strip()}/stats" if sheet.get("stats") is True else "")
    if version == "2.7" or sheet.get("stats") is True:
        told["stats_url"] = stats
    for name in ("budget_url", "link", "repository", "analyse_risques_url", "dashlord_url", "accessibility_status"):
        if sheet.get(name) is not None:
            told[name] = written(sheet[name])
    if sheet.get("analyse_risques") is True:
        told["analyse_risques"] = "true"
    told["events"] = [{part: written(one.get(part)) for part in ("name", "date", "comment")} for one in sheet.get("events") or ()]
    told["phases"] = [{part: written(one.get(part)) for part in ("name", "start", "end")} for one in sheet.get("phases") or ()]
    told["sponsors"] = [written(one) for one in sheet.get("sponsors") or ()]
    if version == "2.7":
        told["impact_url"] = written(sheet.get("impact_url"))
        told["sponsors"] = [one.removeprefix("/organisations/") for one in told["sponsors"]]
        told["thematiques"], told["technos"] = (list_of(sheet.get(name)) for name in ("thematiques", "techno"))
    homes = sheet.get("incubators") or [sheet.get("incubator")]
    relations = {"incubator": {"data": {"type": "incubator", "id": written(sheet.get("incubator"))}}}
    if version == "2.7":
        relations["incubators"] = {"data": [{"type": "incubator", "id": written(one)} for one in homes]}  # type: ignore[dict-item]
    return {"id": key, "type": "startup", "attributes": told, "relationships": relations}


def list_of(value: object) -> list[str]:
    """A Liquid loop over a text goes over it once."""
    return [written(one) for one in (value if isinstance(value, list) else [value] if value else [])]


def api_of(folder: Path, version: str = "2.7") -> dict[str, Any]:
    """A whole folder as startups.json."""
    return {
        "links": {"self": "https://exemple.fr/startups"},
        "data": [as_api(front_matter(file), file.stem, version) for file in sorted((folder / "_startups").glob("*.md"))],
        "included": [
            {"id": f"/incubators/{file.stem}", "type": "incubator", "attributes": front_matter(file) | {"github": ""}}
            for file in sorted((folder / "_incubators").glob("*.md"))
        ],
    }


def written_to(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "startups.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def known(database: Database) -> dict[str, ProductSheet]:
    with database.read() as session:
        return product_sheets(session, session.scalars(sa.select(ProductRow.slug)).all())


def site_version(database: Database) -> int:
    with database.read() as session:
        return session.scalars(sa.select(SiteVersion.version)).one()


@pytest.mark.parametrize("version", ["2.6", "2.7"])
def test_the_document_after_the_folder_changes_nothing(
    sqlite: Database, clock: FixedClock, tmp_path: Path, sheets: Path, version: str
) -> None:
    import_betagouv(sqlite, clock, sheets)
    before, at = known(sqlite), site_version(sqlite)
    report = import_betagouv(sqlite, clock, written_to(tmp_path, api_of(sheets, version)))
    assert (report.changes, report.kept, report.refused, report.batch) == ([], [], [], None)
    assert known(sqlite) == before
    assert site_version(sqlite) == at


def test_the_document_alone_tells_the_same_products_but_for_what_it_leaves_out(
    database: Database, clock: FixedClock, tmp_path: Path, sheets: Path
) -> None:
    report = import_betagouv(database, clock, written_to(tmp_path, api_of(sheets)))
    assert report.refused == []
    told = known(database)["aide-au-logement"]
    assert (told.name, told.pitch, told.incubator) == ("Aide au logement", "Trouver une aide que l'on ne connaissait pas.", "ici")
    assert (told.sponsors, told.technologies, told.themes) == (("agence", "ministere"), ("python", "django"), ("Logement",))
    assert told.qualities == (("risk_analysis", "yes"),)
    assert told.audiences == ()
    assert told.stays[:2] == (
        Stay(Stage.INVESTIGATION, date(2024, 1, 8), date(2024, 4, 1)),
        Stay(Stage.EXPERIMENTATION, date(2024, 4, 1), date(2025, 4, 1)),
    )
    with database.read() as session:
        assert incubators_by_key(session, ["ici"])["ici"].title == "L’incubateur d’ici"
    later = import_betagouv(database, clock, sheets)
    assert {one.field for one in later.changes if one.key == "aide-au-logement"} == {"audiences", "qualities"}
    assert known(database)["nue"].qualities == (("mon_service_securise", "no"), ("risk_analysis", "no"))
    assert known(database)["aide-au-logement"].audiences == ("particulier", "etat")


def test_what_an_entry_does_not_mention_stays_and_what_it_empties_goes(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    whole = {"name": "Aide", "link": "https://aide.exemple.fr", "repository": "https://depot.exemple.fr", "technos": ["python"]}
    import_betagouv(sqlite, clock, written_to(tmp_path, {"data": [{"id": "aide", "attributes": whole}]}))
    less = {"name": "Aide +", "link": ""}
    import_betagouv(sqlite, clock, written_to(tmp_path, {"data": [{"id": "aide", "attributes": less}]}))
    told = known(sqlite)["aide"]
    assert (told.name, told.website, told.repository, told.technologies) == (
        "Aide +",
        "",
        "https://depot.exemple.fr",
        ("python",),
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("<!doctype html><title>Page</title>", "is a web page"),
        ("  <html>", "is a web page"),
        ('{"data": [', "not JSON: it cannot be read from line 1, column 11"),
        ("title: Aide\n", "not JSON: it cannot be read from line 1"),
        ("[" * 100_000, "too deep"),
        ("1" * 5_000, "endless numbers"),
        ('{"data": "rien"}', "no list “data”"),
        ("[]", "no list “data”"),
        ("null", "no list “data”"),
        ('{"errors": [{"status": "404"}]}', "no list “data”"),
        ("---\ntitle: Aide\n---\n", "is one sheet"),
    ],
)
def test_what_is_not_the_document_is_refused_in_one_sentence(
    sqlite: Database, clock: FixedClock, tmp_path: Path, content: str, said: str
) -> None:
    with pytest.raises(FileUnreadable) as refused:
        import_betagouv(sqlite, clock, written_to(tmp_path, content))
    with language.speaking("en"):
        assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_other_encodings_and_sizes_are_refused_before_anything_is_read(
    sqlite: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "startups.json"
    path.write_bytes('{"data": ["é"]}'.encode("utf-16"))
    with pytest.raises(FileUnreadable, match="UTF-8"):
        import_betagouv(sqlite, clock, path)
    monkeypatch.setattr(document, "LARGEST_DOCUMENT", 10)
    with pytest.raises(FileUnreadable, match="50 Mo"):
        import_betagouv(sqlite, clock, path)


def test_a_bad_entry_is_refused_by_its_place_and_the_others_are_taken(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    good = {"id": "aide", "type": "startup", "attributes": {"name": "Aide"}}
    data = [
        good,
        "rien",
        {"id": "b", "type": "startup"},
        {"type": "startup", "attributes": {"name": "Sans clé"}},
        {"id": "d", "type": "startup", "attributes": {"name": ""}},
        {"id": "e", "attributes": {"name": "E", "phases": [{"name": "investigation", "start": "hier"}]}},
        {"id": "parcours", "attributes": {"name": "Une page"}},
        {"id": "../..", "attributes": {"name": "Ailleurs"}},
        {"id": "aide", "attributes": {"name": "Autre"}},
        {"id": "g", "type": "seedling", "attributes": {"name": "Graine"}},
        {"id": "h", "attributes": {"name": "H"}, "relationships": {"incubator": "ici"}},
        {"id": ["i"], "attributes": {"name": "I"}},
    ]
    included = ["rien", {"type": "autre"}, {"id": "vide", "type": "incubator", "attributes": {}}]
    with language.speaking("en"):
        report = import_betagouv(sqlite, clock, written_to(tmp_path, {"data": data, "included": included}))
    assert [(one.file, one.column, one.reason) for one in report.refused] == [
        ("startups.json included[2] vide", "title", "nothing is written here"),
        ("startups.json data[1]", "", "this name cannot be an address"),
        ("startups.json data[2] b", "attributes", "an entry with id, type and attributes was expected"),
        ("startups.json data[3]", "", "this name cannot be an address"),
        ("startups.json data[4] d", "title", "nothing is written here"),
        ("startups.json data[5] e", "phases[0].start", "this is not a date"),
        ("startups.json data[6] parcours", "", "a page of this site has that address"),
        ("startups.json data[7] ..", "", "this name cannot be an address"),
        ("startups.json data[8] aide", "id", "this key was told before: the first one is taken"),
        ("startups.json data[9] g", "type", "this is not a product"),
        ("startups.json data[10] h", "relationships.incubator", "a list of entries was expected"),
        ("startups.json data[11]", "", "this name cannot be an address"),
    ]
    assert {slug: sheet.name for slug, sheet in known(sqlite).items()} == {"aide": "Aide"}


def test_texts_that_no_database_can_carry_are_cleaned(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    raw = (
        '{"data": [{"id": "aide", "attributes": {"name": "A\\u0000\\ud800 \u202eedia", "pitch": "deux\nlignes\t",'
        ' "events": [{"name": "\\u0000", "date": "2025-01-01", "comment": "\\udfff"}], "technos": ["\\u0000"], "zzz\\ud800": 1}}]}'
    )
    report = import_betagouv(database, clock, written_to(tmp_path, raw))
    told = known(database)["aide"]
    assert (told.name, told.pitch, told.technologies) == ("A � edia", "deux lignes", ())
    assert [(one.kind, one.comment) for one in told.events] == [("other", "�")]
    assert [one.column for one in report.repaired] == ["zzz�"]
