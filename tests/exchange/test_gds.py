"""The UK services table: one row a service, its figures by quarter."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique import language
from fabrique.accounts.model import BatchRow
from fabrique.exchange import gds
from fabrique.exchange.gds import import_gds
from fabrique.quality.model import ObservationRow, SeriesRow, ServiceRow
from fabrique.tables.textfile import FileUnreadable

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.exchange.report import ImportReport

HEADER = '"Slug","Name of service","Department","Agency/body","2012-Q4 Vol.","2012-Q4 Digital vol.","2012-Q4 CPT (£)"'
REAL = Path(__file__).parents[2].parent / "shared" / "data" / "gds" / "services.csv"
Q4 = date(2012, 10, 1)


def taken(
    database: Database, clock: FixedClock, tmp_path: Path, *rows: str, header: str = HEADER, **options: bool
) -> ImportReport:
    path = tmp_path / "services.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return import_gds(database, clock, path, **options)


def figures(database: Database) -> dict[tuple[str, str, str], tuple[float | None, ...]]:
    """What is known, by service, metric and unit."""
    columns = ObservationRow.value, ObservationRow.numerator, ObservationRow.denominator
    rows = (
        sa.select(ServiceRow.slug, SeriesRow.metric_key, SeriesRow.unit, *columns)
        .join(SeriesRow, SeriesRow.id == ObservationRow.series_id)
        .join(ServiceRow, ServiceRow.id == SeriesRow.service_id)
    )
    with database.read() as session:
        return {(slug, metric, unit): tuple(numbers) for slug, metric, unit, *numbers in session.execute(rows)}


def kinds(report: ImportReport, kind: str) -> tuple[int, ...]:
    """Read, created, changed, unchanged."""
    return tuple(report.kinds.get(kind, Counter())[outcome] for outcome in ("read", "created", "changed", "unchanged"))


def test_volume_take_up_and_cost_are_read_with_their_thousands(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    report = taken(sqlite, clock, tmp_path, 'car-tax,"Car tax, paid",DfT,DVLA,"1,234,567","1,000,000",3.25')
    assert figures(sqlite) == {
        ("car-tax", "transactions", ""): (1234567, None, None),
        ("car-tax", "digital_take_up", ""): (None, 1000000, 1234567),
        ("car-tax", "cost_per_transaction", "£"): (3.25, None, None),
    }
    assert (kinds(report, "services"), kinds(report, "observations")) == ((1, 1, 0, 0), (3, 3, 0, 0))
    with sqlite.read() as session:
        service = session.scalars(sa.select(ServiceRow)).one()
        observation = session.scalars(sa.select(ObservationRow)).first()
        assert (service.name, service.department, service.agency, service.origin) == ("Car tax, paid", "DfT", "DVLA", "gds")
        assert observation is not None
        assert (observation.granularity, observation.start) == ("quarter", Q4)
        assert session.scalars(sa.select(BatchRow.licence)).one() == gds.LICENCE


@pytest.mark.parametrize(
    ("cells", "metrics"),
    [
        (",,", set()),
        ("-,–, ", set()),
        ("100,-,", {"transactions"}),
        (",50,", set()),
        ("100,50,", {"transactions", "digital_take_up"}),
        ("-,-,2.5", {"cost_per_transaction"}),
        ("0,0,0", {"transactions", "digital_take_up", "cost_per_transaction"}),
    ],
)
def test_a_blank_or_a_dash_is_no_figure(
    sqlite: Database, clock: FixedClock, tmp_path: Path, cells: str, metrics: set[str]
) -> None:
    report = taken(sqlite, clock, tmp_path, f"a,A,,,{cells}")
    assert {metric for _slug, metric, _unit in figures(sqlite)} == metrics
    assert (report.refused, kinds(report, "services")) == ([], (1, 1, 0, 0))


@pytest.mark.parametrize(
    ("row", "column", "value", "reason", "metrics"),
    [
        ("b,B,,,100,101,2", "2012-Q4 Digital vol.", "101", "above the denominator", {"transactions", "cost_per_transaction"}),
        ("b,B,,,-5,1,2", "2012-Q4 Vol.", "-5", "cannot be negative", {"cost_per_transaction"}),
        ("b,B,,,n/a,1,", "2012-Q4 Vol.", "n/a", "not a number", set()),
        ("b,B,,,100,NaN,", "2012-Q4 Digital vol.", "NaN", "not a number", {"transactions"}),
        ("b,B,,,100,,1e400", "2012-Q4 CPT (£)", "1e400", "too large", {"transactions"}),
        ('b,B,,,"12,34",,', "2012-Q4 Vol.", "12,34", "not a number", set()),
        ("B b,B,,,1,,", "Slug", "B b", "small letters", None),
        (",B,,,1,,", "Slug", "", "small letters", None),
        ("b,,,,1,,", "Name of service", "", "nothing is written", None),
        ("a,Again,,,1,,", "Slug", "a", "line 2", None),
        ("b,B,,,1,", "", "b,B,,,1,", "6 cells instead of 7", None),
    ],
)
def test_a_wrong_cell_or_row_is_refused_with_its_place_and_the_rest_is_taken(
    sqlite: Database, clock: FixedClock, tmp_path: Path, row: str, column: str, value: str, reason: str, metrics: set[str] | None
) -> None:
    with language.speaking("en"):
        report = taken(sqlite, clock, tmp_path, "a,A,,,1,,", row, "c,C,,,1,,")
    (refused,) = report.refused
    assert (refused.file, refused.line, refused.column, refused.value) == ("services.csv", 3, column, value)
    assert reason in refused.reason
    known = figures(sqlite)
    assert {metric for slug, metric, _unit in known if slug == "b"} == (metrics or set())
    assert {("a", "transactions", ""), ("c", "transactions", "")} <= known.keys()
    assert kinds(report, "services")[:2] == (3, 2 if metrics is None else 3)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Name of service,2012-Q4 Vol.", "lacks “Slug”"),
        ("Slug,2012-Q4 Vol.", "lacks “Name of service”"),
        ("Slug,Name of service,2012-Q5 Vol.,2012 Vol.", "no column is named like"),
    ],
)
def test_another_table_is_refused_whole(sqlite: Database, clock: FixedClock, tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        taken(sqlite, clock, tmp_path, "1,2,3", header=header)
    with language.speaking("en"):
        assert said in str(refused.value)


def test_the_same_table_twice_changes_nothing_and_a_corrected_one_only_what_differs(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    rows = [f'service-{number},Name {number},D,A,"1,00{number}",50{number},1.{number}' for number in range(5)]
    taken(database, clock, tmp_path, *rows)
    before = figures(database)
    again = taken(database, clock, tmp_path, *rows)
    assert (again.batch, again.counts()) == (None, {"read": 20, "created": 0, "changed": 0, "unchanged": 20})
    assert figures(database) == before
    rows[2] = rows[2].replace("Name 2", "New name").replace("1.2", "1.25")
    corrected = taken(database, clock, tmp_path, *rows)
    assert (kinds(corrected, "services"), kinds(corrected, "observations")) == ((5, 0, 1, 4), (15, 0, 1, 14))
    assert figures(database)["service-2", "cost_per_transaction", "£"] == (1.25, None, None)


def test_a_dry_run_writes_nothing_and_tells_what_the_real_run_then_does(
    sqlite: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gds, "SERVICES_AT_ONCE", 2)
    taken(sqlite, clock, tmp_path, "a,A,,,1,,", "b,B,,,100,50,2")
    rows = ["a,A,,,2,1,", "b,New name,,,100,50,2", "c,C,,,100,101,2", "d,D,,,7,7,7", "e,E,,,,,"]
    before = figures(sqlite)
    rehearsal = taken(sqlite, clock, tmp_path, *rows, dry_run=True)
    assert figures(sqlite) == before
    real = taken(sqlite, clock, tmp_path, *rows)
    assert rehearsal.kinds == real.kinds
    assert rehearsal.refused == real.refused
    assert (rehearsal.batch, real.refused_count) == (None, 1)


def test_strict_takes_nothing_when_one_cell_is_bad(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    report = taken(sqlite, clock, tmp_path, "a,A,,,1,,", "b,B,,,1,2,", strict=True)
    assert (report.refused_count, report.batch, report.total("created")) == (1, None, 0)
    with sqlite.read() as session:
        assert session.scalars(sa.select(ServiceRow)).all() == []
    assert taken(sqlite, clock, tmp_path, "a,A,,,1,,", "b,B,,,2,1,", strict=True).total("created") == 5


@pytest.mark.skipif(not REAL.exists(), reason="the shared table is not beside the repository")
def test_the_real_table_gives_the_counts_that_a_few_lines_of_csv_give(sqlite: Database, clock: FixedClock) -> None:
    report = import_gds(sqlite, clock, REAL)
    expected: Counter[str] = Counter()
    with REAL.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            expected["services"] += 1
            number = {name: float(cell.replace(",", "")) for name, cell in row.items() if cell[:1].isdigit() and "Q" in name}
            for quarter in {name[:7] for name in number}:
                volume, digital, cost = (number.get(f"{quarter} {kind}") for kind in ("Vol.", "Digital vol.", "CPT (£)"))
                expected["transactions"] += volume is not None
                expected["cost_per_transaction"] += cost is not None
                if volume is not None and digital is not None:
                    expected["digital_take_up" if digital <= volume else "refused"] += 1
    with sqlite.read() as session:
        known = dict(
            session.execute(
                sa.select(SeriesRow.metric_key, sa.func.count())
                .join(ObservationRow, ObservationRow.series_id == SeriesRow.id)
                .group_by(SeriesRow.metric_key)
            ).all()
        )
        known["services"] = session.scalar(sa.select(sa.func.count()).select_from(ServiceRow))
    assert known | {"refused": report.refused_count} == dict(expected)
    assert expected["refused"] > 0
    assert import_gds(sqlite, clock, REAL).total("unchanged") == report.total("created")
