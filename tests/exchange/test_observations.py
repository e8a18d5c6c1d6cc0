"""Long tables of figures: what is taken, what is refused and why, and the same file again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique import language
from fabrique.accounts.model import BatchRow
from fabrique.exchange import observations
from fabrique.exchange.observations import import_observations
from fabrique.quality import queries
from fabrique.quality.model import ObservationRevisionRow, ObservationRow, SeriesRow, ServiceRow
from fabrique.quality.rules import Figures
from fabrique.tables.textfile import FileUnreadable
from factories import add_service

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.exchange.report import ImportReport

PROPORTION = "service,metric,period,numerator,denominator\n"
GOOD = PROPORTION + "aide,completion,2026-01,80,100\naide,completion,2026-02,70,100\naide,completion,2026-03,75,100\n"
Facts = list[tuple[object, ...]]


def taken(database: Database, clock: FixedClock, tmp_path: Path, content: str | bytes, **options: bool) -> ImportReport:
    path = tmp_path / "mesures.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_observations(database, clock, path, **options)


def facts(database: Database) -> Facts:
    """Every figure, without the marks of when and by what it came."""
    columns = (ServiceRow.slug, SeriesRow.metric_key, SeriesRow.segment, ObservationRow.granularity, ObservationRow.start)
    rows = (
        sa.select(*columns, *queries.FIGURE_COLUMNS, ObservationRow.source, ObservationRow.note)
        .join(SeriesRow, SeriesRow.id == ObservationRow.series_id)
        .join(ServiceRow, ServiceRow.id == SeriesRow.service_id)
        .order_by(*columns)
    )
    with database.read() as session:
        return [tuple(row) for row in session.execute(rows)]


def number_of(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def outcomes(report: ImportReport) -> tuple[int, int, int, int, int]:
    """Read, created, changed, unchanged, refused."""
    return (*report.counts().values(), report.refused_count)


@pytest.mark.parametrize(
    ("columns", "cells", "figures"),
    [
        ("numerator,denominator", "completion,2026-W11,80,100", Figures(numerator=80, denominator=100)),
        ("value", "page_time,2026-03-14,412.5", Figures(value=412.5)),
        ("value", "transactions,2026,-3", Figures(value=-3)),
        ("level_1,level_2,level_3", "satisfaction,2026-Q1,10,20,70", Figures(levels=(10, 20, 70))),
        ("level_5,level_4,level_3,level_2,level_1", "clarity,2026-03,5,4,3,2,1", Figures(levels=(1, 2, 3, 4, 5))),
        (",".join(f"level_{n}" for n in range(1, 12)), "nps,2026-03" + ",1" * 11, Figures(levels=(1,) * 11)),
        ("numerator,denominator,value", "completion,2026-03,0,0,", Figures(numerator=0, denominator=0)),
    ],
)
def test_each_form_is_read_from_its_own_columns(
    sqlite: Database, clock: FixedClock, tmp_path: Path, columns: str, cells: str, figures: Figures
) -> None:
    add_service(sqlite, "aide")
    report = taken(sqlite, clock, tmp_path, f"service,metric,period,{columns}\naide,{cells}\n")
    assert outcomes(report) == (1, 1, 0, 0, 0), report.refused
    (row,) = facts(sqlite)
    levels = None if figures.levels is None else list(figures.levels)
    assert row[5:12] == tuple((asdict(figures) | {"levels": levels}).values())


def test_a_mean_is_read_from_its_count_sum_and_sum_of_squares(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    add_service(sqlite, "aide")
    with sqlite.write() as session:
        shipped = "delay", 99, "Délai", "Delay", "Le délai", "The delay", "mean", "lower", "j", 1, 1.0, "[]", 0
        names = "key, position, label_fr, label_en, subject_fr, subject_en, form, better, symbol, decimals, factor, marks, minimum_answers"
        session.connection().exec_driver_sql(f"INSERT INTO metric ({names}) VALUES ({', '.join('?' * 13)})", shipped)
    rows = "aide,delay,2026-01,4,10,30\naide,delay,2026-02,4,10,24\naide,delay,2026-03,-1,10,30\naide,delay,2026-04,4,,30\n"
    report = taken(sqlite, clock, tmp_path, "service,metric,period,n,sum,sum_sq\n" + rows)
    assert [row[7:10] for row in facts(sqlite)] == [(4, 10, 30)]
    assert [(one.line, one.column) for one in report.refused] == [(3, "sum_sq"), (4, "n"), (5, "sum")]


def test_segment_source_note_and_an_older_name_of_a_metric_are_understood(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    add_service(sqlite, "aide")
    header = "note,period,source,segment,metric,service,denominator,numerator\n"
    taken(sqlite, clock, tmp_path, header + '"deux\nlignes",2026-03,JDMA,mobile,usage,aide,100,80\n')
    (row,) = facts(sqlite)
    assert row[:4] == ("aide", "digital_take_up", "mobile", "month")
    assert row[-2:] == ("JDMA", "deux\nlignes")


def test_a_french_table_with_semicolons_decimal_commas_and_an_old_encoding_is_read(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    add_service(sqlite, "aide")
    content = "service;metric;period;value;note\r\naide;page_time;2026-03;1 412,5;mesuré à l’été\r\n"
    report = taken(sqlite, clock, tmp_path, content.encode("cp1252"))
    assert report.read_as == {"encoding": "cp1252", "separator": ";"}
    (row,) = facts(sqlite)
    assert (row[10], row[-1]) == (1412.5, "mesuré à l’été")


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        ("inconnu,completion,2026-03,1,2,,", "service", "inconnu", "no service"),
        ("aide,humeur,2026-03,1,2,,", "metric", "humeur", "no metric"),
        ("aide,completion,2026-02-30,1,2,,", "period", "2026-02-30", "does not exist"),
        ("aide,completion,2026-W54,1,2,,", "period", "2026-W54", "does not exist"),
        ("aide,completion,2026-13,1,2,,", "period", "2026-13", "does not exist"),
        ("aide,completion,0000,1,2,,", "period", "0000", "does not exist"),
        ("aide,completion,hier,1,2,,", "period", "hier", "is not a period"),
        ("aide,completion,,1,2,,", "period", "", "is not a period"),
        ("aide,completion,2026-03,101,100,,", "numerator", "101", "above the denominator 100"),
        ("aide,completion,2026-03,-1,100,,", "numerator", "-1", "cannot be negative"),
        ("aide,completion,2026-03,1,-100,,", "denominator", "-100", "cannot be negative"),
        ("aide,completion,2026-03,NaN,100,,", "numerator", "NaN", "not a number"),
        ("aide,completion,2026-03,1,inf,,", "denominator", "inf", "not a number"),
        ("aide,completion,2026-03,1,1e400,,", "denominator", "1e400", "too large"),
        ("aide,completion,2026-03,1,1e308,,", "denominator", "1e308", "too large"),
        ("aide,completion,2026-03,,100,,", "numerator", "", "nothing is written"),
        ("aide,page_time,2026-03,1,2,,", "value", "", "page_time needs value"),
        ("aide,satisfaction,2026-03,,,1,2", "level_2", "2", "has 3 answer levels; 2 were given"),
        ("aide,satisfaction,2026-03,,,,2", "level_2", "", "before this one is empty"),
        ("aide,satisfaction,2026-03,,,,", "level_1", "", "needs counts in level_1 to level_3"),
        ("aide,completion,2026-03,1,2,", "", "aide,completion,2026-03,1,2,", "6 cells instead of 7"),
        ("aide;completion;2026-03;1;2;;", "", "aide;completion;2026-03;1;2;;", "1 cells instead of 7"),
        ('aide,completion,2026-03,"' + "9" * 500 + '",1,,', "numerator", "9" * 119 + "…", "too large"),
    ],
)
def test_a_refused_row_says_its_file_line_column_value_and_reason(
    sqlite: Database, clock: FixedClock, tmp_path: Path, row: str, column: str, value: str, reason: str
) -> None:
    add_service(sqlite, "aide")
    header = "service,metric,period,numerator,denominator,level_1,level_2\n"
    with language.speaking("en"):
        report = taken(
            sqlite, clock, tmp_path, f"{header}aide,completion,2026-01,1,2,,\n\n{row}\naide,completion,2026-02,1,2,,\n"
        )
    assert outcomes(report) == (3, 2, 0, 0, 1)
    (refused,) = report.refused
    assert (refused.file, refused.line, refused.column, refused.value) == ("mesures.csv", 4, column, value)
    assert reason in refused.reason
    assert [row[4] for row in facts(sqlite)] == [date(2026, 1, 1), date(2026, 2, 1)]


@pytest.mark.parametrize("column", ["segment", "source", "note"])
def test_a_text_without_end_is_refused(sqlite: Database, clock: FixedClock, tmp_path: Path, column: str) -> None:
    add_service(sqlite, "aide")
    report = taken(sqlite, clock, tmp_path, f"service,metric,period,value,{column}\naide,rgaa,2026,1,{'a' * 2001}\n")
    assert [one.column for one in report.refused] == [column]


def test_the_same_figure_twice_is_refused_the_second_time_however_the_two_are_written(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    add_service(sqlite, "aide")
    rows = "aide,usage,2026-03,1,2\naide,digital_take_up, 2026-03 ,1,2\naide,digital_take_up,2026-Q1,1,2\n"
    report = taken(sqlite, clock, tmp_path, PROPORTION + rows)
    assert outcomes(report) == (3, 2, 0, 0, 1)
    assert (report.refused[0].line, report.refused[0].column) == (3, "period")
    assert "2" in report.refused[0].reason


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("service,metric,value", "lacks period"),
        ("a,b,c", "lacks service, metric, period"),
        ("", "lacks service"),
        ("service,metric,period", "holds no figures"),
        ("service,metric,period,level_0", "holds no figures"),
        ("service,metric,period,value,humeur", "“humeur” is unknown"),
        ("service,metric,period,value,,", "“” is unknown"),
        ("service,metric,period,value,value", "stands twice"),
        ("Service,Metric,Period,Value", "lacks service"),
    ],
)
def test_a_wrong_header_is_refused_whole(sqlite: Database, clock: FixedClock, tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        taken(sqlite, clock, tmp_path, header + "\n1,2,3,4,5\n")
    with language.speaking("en"):
        assert said in str(refused.value)
    assert number_of(sqlite, BatchRow) == 0


def test_a_header_alone_is_an_empty_import(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    report = taken(sqlite, clock, tmp_path, PROPORTION)
    assert outcomes(report) == (0, 0, 0, 0, 0)
    assert report.batch is None


def test_the_same_file_twice_changes_nothing(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    add_service(database, "aide")
    first = taken(database, clock, tmp_path, GOOD)
    before = facts(database)
    clock.advance(timedelta(days=1))
    again = taken(database, clock, tmp_path, GOOD)
    assert outcomes(first) == (3, 3, 0, 0, 0)
    assert outcomes(again) == (3, 0, 0, 3, 0)
    assert again.batch is None
    assert facts(database) == before
    assert (number_of(database, BatchRow), number_of(database, ObservationRevisionRow)) == (1, 0)


def test_a_corrected_file_keeps_what_was_believed_before(database: Database, clock: FixedClock, tmp_path: Path) -> None:
    add_service(database, "aide")
    taken(database, clock, tmp_path, GOOD)
    first_day = clock.now()
    clock.advance(timedelta(days=7))
    corrected = taken(database, clock, tmp_path, GOOD.replace("2026-02,70,", "2026-02,71,"))
    clock.advance(timedelta(days=7))
    taken(database, clock, tmp_path, GOOD.replace("2026-02,70,", "2026-02,72,"))
    assert outcomes(corrected) == (3, 0, 1, 2, 0)
    assert corrected.batch is not None
    key = ("month", date(2026, 2, 1))
    with database.read() as session:
        (series_id,) = session.scalars(sa.select(SeriesRow.id))
        believed = [
            queries.as_known_on(session, series_id, first_day + timedelta(days=days))[key].numerator for days in (0, 6, 7, 13, 14)
        ]
        none_yet = queries.as_known_on(session, series_id, first_day - timedelta(seconds=1))
    assert believed == [70, 70, 71, 71, 72]
    assert none_yet == {}
    assert number_of(database, ObservationRevisionRow) == 2


@pytest.mark.parametrize("known", [False, True])
def test_a_dry_run_writes_nothing_and_tells_what_the_real_run_then_does(
    sqlite: Database, clock: FixedClock, tmp_path: Path, known: bool
) -> None:
    add_service(sqlite, "aide")
    if known:
        taken(sqlite, clock, tmp_path, GOOD)
    before = (facts(sqlite), number_of(sqlite, BatchRow), number_of(sqlite, SeriesRow))
    content = GOOD.replace(",70,", ",71,") + "aide,completion,2026-04,7,1\naide,completion,2026-05,1,7\n"
    rehearsal = taken(sqlite, clock, tmp_path, content, dry_run=True)
    assert (facts(sqlite), number_of(sqlite, BatchRow), number_of(sqlite, SeriesRow)) == before
    real = taken(sqlite, clock, tmp_path, content)
    assert outcomes(rehearsal) == outcomes(real) == ((5, 1, 1, 2, 1) if known else (5, 4, 0, 0, 1))
    assert rehearsal.refused == real.refused
    assert (rehearsal.dry_run, rehearsal.batch, real.dry_run) == (True, None, False)


def test_strict_takes_nothing_when_one_row_is_bad_and_all_when_none_is(
    sqlite: Database, clock: FixedClock, tmp_path: Path
) -> None:
    add_service(sqlite, "aide")
    bad = taken(sqlite, clock, tmp_path, GOOD + "aide,completion,2026-04,7,1\n", strict=True)
    assert outcomes(bad) == (4, 0, 0, 0, 1)
    assert (facts(sqlite), bad.batch, bad.dry_run) == ([], None, False)
    assert outcomes(taken(sqlite, clock, tmp_path, GOOD, strict=True)) == (3, 3, 0, 0, 0)


class Killed(BaseException):
    """What a test does to an import."""


@pytest.mark.parametrize("chunks_before", [1, 2, 3, 7])
def test_an_import_stopped_anywhere_and_run_again_ends_as_one_that_was_not(
    database: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks_before: int
) -> None:
    monkeypatch.setattr(observations, "CHUNK", 4)
    path = tmp_path / "mesures.csv"
    rows = [f"{slug},completion,2026-{month:02},{month},100\n" for slug in ("aide", "bail", "cerfa") for month in range(1, 11)]
    path.write_text(PROPORTION + "".join(rows) + "aide,completion,2026-13,1,1\n")
    for slug in ("aide", "bail", "cerfa"):
        add_service(database, slug)
    done = 0

    def stop(number: int) -> None:
        nonlocal done
        done += number
        if done >= 4 * chunks_before:
            raise Killed

    with pytest.raises(Killed):
        import_observations(database, clock, path, progress=stop)
    with database.read() as session:
        assert session.scalars(sa.select(BatchRow.finished_at)).all() == [None]
    assert len(facts(database)) == 4 * chunks_before
    clock.advance(timedelta(minutes=5))
    report = import_observations(database, clock, path)
    assert outcomes(report) == (31, 30 - done, 0, done, 1)
    assert [row[5:7] for row in facts(database)] == [(month, 100) for _slug in range(3) for month in range(1, 11)]
    assert (number_of(database, BatchRow), number_of(database, ObservationRevisionRow)) == (1, 0)
    with database.read() as session:
        assert session.scalars(sa.select(BatchRow.finished_at)).all() == [datetime(2026, 11, 23, 9, 5, tzinfo=UTC)]
    assert outcomes(import_observations(database, clock, path)) == (31, 0, 0, 30, 1)


def test_a_quotation_mark_that_is_never_closed_takes_nothing(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    add_service(sqlite, "aide")
    rows = 'aide,rgaa,2024,1,ok\naide,rgaa,2025,1,"oops\naide,rgaa,2026,1,lost\n'
    with pytest.raises(FileUnreadable) as refused:
        taken(sqlite, clock, tmp_path, "service,metric,period,value,note\n" + rows)
    assert refused.value.values["line"] == 3
    assert facts(sqlite) == []
