"""The real portfolio of beta.gouv.fr, all of it: nothing refused, every repair told, counted again from the sheets' own text."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import yaml

from fabrique import language
from fabrique.accounts.model import AuditRow, BatchRow
from fabrique.database import SiteVersion
from fabrique.exchange.betagouv import import_betagouv
from fabrique.portfolio.model import ProductRow, RevisionRow
from fabrique.portfolio.queries import Wanted, find_products, product_sheets
from fabrique.portfolio.rules import Stage

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.portfolio.queries import ProductSheet

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "betagouv"
TODAY = date(2026, 11, 23)
ALONG = {
    "investigation": Stage.INVESTIGATION, "construction": Stage.EXPERIMENTATION, "acceleration": Stage.SCALE_UP,
    "consolidation": Stage.CONSOLIDATION, "opere": Stage.OPERATED, "transfere": Stage.TRANSFERRED,
    "abandon-investigation": Stage.INCONCLUSIVE, "abandon": Stage.STOPPED,
}  # fmt: skip
ROAD = list(ALONG)
LINKS = ("link", "repository", "stats_url", "impact_url", "budget_url", "dashlord_url", "analyse_risques_url")
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real sheets are not beside this repository")
Keys = dict[str, Any]


def raw(kind: str) -> dict[str, Keys]:
    """The keys of each sheet, as YAML reads them: none of our code has seen them."""
    return {
        file.stem: yaml.safe_load(file.read_text(encoding="utf-8-sig").split("\n---")[0].removeprefix("---"))
        for file in sorted((REAL / kind).glob("*.md"))
    }


def in_order(keys: Keys) -> list[Keys]:
    """A sheet's phases by their days; of the same one twice in a row, the first."""
    phases = sorted(keys.get("phases") or [], key=lambda one: (one["start"], ROAD.index(one["name"])))
    return [one for place, one in enumerate(phases) if place == 0 or phases[place - 1]["name"] != one["name"]]


def current(keys: Keys) -> Stage | None:
    begun = [one["name"] for one in in_order(keys) if one["start"] <= TODAY]
    return ALONG[begun[-1]] if begun else None


def expected_repairs(keys: Keys, organisations: set[str]) -> Counter[str]:
    """Everything about a sheet that cannot stand as it is written."""
    found: Counter[str] = Counter()
    written = keys.get("phases") or []
    kept = in_order(keys)
    ends = [one.get("end") if one.get("end") and one["end"] >= one["start"] else None for one in kept]
    following = [one["start"] for one in kept[1:]]
    starts = [one["start"] for one in kept]
    found["not in the order of their dates"] += [one["start"] for one in written] != sorted(one["start"] for one in written)
    found["the same phase twice in a row"] += len(written) - len(kept)
    found["two phases start the same day"] += sum(before == after for before, after in zip(starts, following, strict=False))
    found["the end is before the start"] += sum(bool(one.get("end")) and one["end"] < one["start"] for one in written)
    found["is not the next one's start"] += sum(
        end is not None and end != after for end, after in zip(ends, following, strict=False)
    )
    found["none follows: it is kept open"] += bool(ends) and ends[-1] is not None
    found["a product has one incubator"] += bool(keys.get("incubators")) and set(keys["incubators"]) != {keys["incubator"]}
    found["no organisation has this key"] += len({one.split("/")[-1] for one in keys.get("sponsors") or []} - organisations)
    found["/stats of the site"] += keys.get("stats") is True and bool(keys.get("link")) and not keys.get("stats_url")
    found["HTML’s codes"] += sum("&#x2F;" in (keys.get(name) or "") for name in LINKS)
    return +found


def as_api(products: dict[str, Keys], incubators: dict[str, Keys]) -> dict[str, Any]:
    """The sheets as the public API would tell them if it left nothing out: its names for keys, keys of sponsors, dates as texts."""

    def entry(slug: str, keys: Keys) -> dict[str, Any]:
        told = {**keys, "name": keys["title"], "technos": keys.get("techno", [])}
        for gone in ("title", "techno", "incubator", "incubators"):
            told.pop(gone, None)
        told["sponsors"] = [one.split("/")[-1] for one in keys.get("sponsors") or []]
        homes = keys.get("incubators") or [keys["incubator"]]
        return {
            "id": slug, "type": "startup", "attributes": told,
            "relationships": {
                "incubator": {"data": {"type": "incubator", "id": keys["incubator"]}},
                "incubators": {"data": [{"type": "incubator", "id": one} for one in homes]},
            },
        }  # fmt: skip

    return {
        "data": [entry(slug, keys) for slug, keys in products.items()],
        "included": [{"id": key, "type": "incubator", "attributes": keys} for key, keys in incubators.items()],
    }


def as_published(document: dict[str, Any]) -> dict[str, Any]:
    """The same with only what the API of November 2026 (v2.7) publishes: no audiences, no answers “no”, statistics worked out."""
    published = {
        "name", "link", "repository", "budget_url", "impact_url", "stats_url", "events", "phases", "sponsors", "thematiques",
        "technos", "analyse_risques_url", "dashlord_url", "accessibility_status",
    }  # fmt: skip
    entries = []
    for one in document["data"]:
        told = one["attributes"]
        said = {name: value for name, value in told.items() if name in published}
        if told.get("stats") is True and not told.get("stats_url"):
            said["stats_url"] = f"{told.get('link', '').strip()}/stats" if told.get("link") else ""
        if told.get("analyse_risques"):
            said["analyse_risques"] = "true"
        entries.append({**one, "attributes": said})
    return {**document, "data": entries}


@pytest.fixture
def products() -> dict[str, Keys]:
    return raw("_startups")


@pytest.fixture
def document(tmp_path: Path, products: dict[str, Keys]) -> dict[str, Any]:
    return as_api(products, raw("_incubators"))


def saved(tmp_path: Path, document: dict[str, Any]) -> Path:
    path = tmp_path / "startups.json"
    path.write_text(json.dumps(document, ensure_ascii=False, default=str))
    return path


def sheets(database: Database, slugs: list[str]) -> dict[str, ProductSheet]:
    with database.read() as session:
        return product_sheets(session, slugs)


def written(database: Database) -> tuple[int, ...]:
    """How often anything was written: the site's version, batches, revisions, lines of the trail."""
    with database.read() as session:
        version = session.scalar(sa.select(SiteVersion.version)) or 0
        counts = [session.scalar(sa.select(sa.func.count()).select_from(table)) for table in (BatchRow, RevisionRow, AuditRow)]
    return (version, *(count or 0 for count in counts))


def test_all_of_the_real_products_come_in_and_every_repair_is_told(
    sqlite: Database, clock: FixedClock, products: dict[str, Keys]
) -> None:
    with language.speaking("en"):
        report = import_betagouv(sqlite, clock, REAL)
    assert report.refused == []
    assert {kind: counts["created"] for kind, counts in report.kinds.items()} == {
        kind.removeprefix("_").replace("startups", "products"): len(raw(kind))
        for kind in ("_organisations", "_incubators", "_startups")
    }
    assert len(products) == report.kinds["products"]["created"] == 377
    organisations = set(raw("_organisations"))
    wanted = {f"_startups/{slug}.md": expected_repairs(keys, organisations) for slug, keys in products.items()}
    reasons = {reason for counts in wanted.values() for reason in counts}
    told: dict[str, Counter[str]] = {file: Counter() for file in wanted}
    for one in report.repaired:
        known = [reason for reason in reasons if reason in one.reason]
        assert len(known) == 1, f"{one.file}: {one.column}: {one.reason} was not expected"
        told[one.file][known[0]] += 1
    assert told == wanted
    assert reasons >= {"two phases start the same day", "is not the next one's start", "a product has one incubator"}


def test_the_real_products_stand_where_their_sheets_put_them(
    database: Database, clock: FixedClock, products: dict[str, Keys]
) -> None:
    import_betagouv(database, clock, REAL)
    with database.read() as session:
        found = find_products(session, Wanted(size=1), TODAY).counts.by_stage
    expected = Counter(current(keys) for keys in products.values())
    assert {stage: count for stage, count in found.items() if count} == expected
    for slug, sheet in sheets(database, list(products)).items():
        keys, kept = products[slug], in_order(products[slug])
        assert [(one.stage, one.start) for one in sheet.stays] == [(ALONG[one["name"]], one["start"]) for one in kept]
        assert [one.end for one in sheet.stays] == [*(one["start"] for one in kept[1:]), None][: len(kept)]
        assert sheet.name == " ".join(keys["title"].split())
        assert sheet.technologies == tuple(" ".join(word.split()) for word in keys.get("techno") or [])
        assert sheet.dashlord_url == (keys.get("dashlord_url") or "").strip()
        assert len(sheet.events) == len(keys.get("events") or [])


def test_a_quality_is_what_its_own_key_says_and_nothing_where_it_is_silent(
    sqlite: Database, clock: FixedClock, products: dict[str, Keys]
) -> None:
    import_betagouv(sqlite, clock, REAL)
    names = {"stats": "public_statistics", "analyse_risques": "risk_analysis", "mon_service_securise": "mon_service_securise"}
    for slug, sheet in sheets(sqlite, list(products)).items():
        keys = products[slug]
        assert dict(sheet.qualities) == {to: "yes" if keys[name] else "no" for name, to in names.items() if name in keys}
        assert sheet.accessibility == keys.get("accessibility_status", "")


def test_the_real_products_twice_change_and_write_nothing(database: Database, clock: FixedClock) -> None:
    import_betagouv(database, clock, REAL)
    before = written(database)
    again = import_betagouv(database, clock, REAL)
    assert (again.total("unchanged"), again.total("created"), again.total("changed")) == (again.total("read"), 0, 0)
    assert (again.batch, again.changes, again.kept) == (None, [], [])
    assert written(database) == before


@pytest.mark.parametrize("first", ["folder", "document"])
def test_the_real_products_as_json_are_the_same_both_ways_round(
    sqlite: Database, clock: FixedClock, tmp_path: Path, products: dict[str, Keys], document: dict[str, Any], first: str
) -> None:
    file = saved(tmp_path, document)
    order = [REAL, file] if first == "folder" else [file, REAL]
    one = import_betagouv(sqlite, clock, order[0])
    standing = sheets(sqlite, list(products))
    other = import_betagouv(sqlite, clock, order[1])
    assert (one.refused, other.refused) == ([], [])
    assert one.kinds["products"]["created"] == other.kinds["products"]["unchanged"] == 377
    assert [one for one in other.changes if one.kind == "products"] == []
    assert sheets(sqlite, list(products)) == standing


def test_what_the_published_api_leaves_out_is_not_taken_away(
    sqlite: Database, clock: FixedClock, tmp_path: Path, products: dict[str, Keys], document: dict[str, Any]
) -> None:
    import_betagouv(sqlite, clock, REAL)
    standing, before = sheets(sqlite, list(products)), written(sqlite)
    report = import_betagouv(sqlite, clock, saved(tmp_path, as_published(document)))
    assert report.refused == []
    assert [(one.key, one.field, one.before, one.after) for one in report.changes] == []
    assert sheets(sqlite, list(products)) == standing
    assert written(sqlite) == before


def test_a_dry_run_of_the_real_products_tells_the_difference_and_writes_nothing(
    sqlite: Database, clock: FixedClock, tmp_path: Path, document: dict[str, Any]
) -> None:
    import_betagouv(sqlite, clock, REAL)
    before = written(sqlite)
    for one in document["data"]:
        one["attributes"]["link"] = f"https://{one['id']}.exemple.fr"
    file = saved(tmp_path, document)
    rehearsal = import_betagouv(sqlite, clock, file, dry_run=True)
    assert written(sqlite) == before
    assert {one.key for one in rehearsal.changes if one.field == "website"} == {one["id"] for one in document["data"]}
    with sqlite.read() as session:
        was = {row.slug: row.website for row in session.execute(sa.select(ProductRow.slug, ProductRow.website))}
    assert all(one.before == ((was[one.key],) if was[one.key] else ()) for one in rehearsal.changes if one.field == "website")
    real = import_betagouv(sqlite, clock, file)
    assert (real.changes, real.kinds) == (rehearsal.changes, rehearsal.kinds)
