"""The `fabrique` command, as a person or a script meets it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.cli import COMMANDS, main
from fabrique.database import Database
from fabrique.quality.model import ObservationRevisionRow, ObservationRow, SeriesRow, ServiceRow
from factories import add_service, dropping, week

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

HEADER = "service,metric,period,numerator,denominator\n"
GOOD = HEADER + "aide,completion,2026-01,80,100\n"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and a database that does not exist yet, in French."""
    for name in [name for name in os.environ if name.startswith("FABRIQUE_")]:
        monkeypatch.delenv(name)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", f"sqlite:///{tmp_path / 'only.sqlite3'}")
    monkeypatch.setenv("FABRIQUE_CHECK_HOUR", "0")
    monkeypatch.setenv("COLUMNS", "130")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(environment: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: its exit code and what it wrote on each stream."""

    def command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(one) for one in arguments])
        assert isinstance(left.value.code, int)
        return (left.value.code, *capfd.readouterr())

    return command


def alone(*arguments: object, **environ: str) -> tuple[int, str, str]:
    """The command in a process of its own."""
    given = [sys.executable, "-W", "error", "-m", "fabrique", *(str(one) for one in arguments)]
    done = subprocess.run(given, env=os.environ | environ, capture_output=True, encoding="utf-8", timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def assert_one_line(told: tuple[int, str, str], said: str = "") -> None:
    code, out, err = told
    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1, err
    assert err.startswith("fabrique: ")
    assert "Traceback" not in err
    assert said in err


def series(path: Path, shares: list[float]) -> Path:
    rows = (f"{week(place)},{round(400 * share)},400\n" for place, share in enumerate(shares))
    path.write_text("period,numerator,denominator\n" + "".join(rows))
    return path


# help and languages


def test_help_names_every_command_in_french_and_english(environment: Path) -> None:
    (code, french, _err), (_code, english, _e) = alone("--help"), alone("-h", FABRIQUE_LANGUAGE="en")
    assert code == 0
    assert all(f"\n  {name} " in french and f"\n  {name} " in english for name in COMMANDS)
    assert "Suit les services publics" in french
    assert "Follows digital public services" in english


@pytest.mark.parametrize("arguments", [(), ("import",)])
def test_a_command_without_arguments_shows_its_help_on_lines_of_their_own(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") > 5


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "Il n’y a pas de fichier"),
        ({"FABRIQUE_LANGUAGE": "en"}, "There is no file"),
        ({"LANG": "en_GB.UTF-8"}, "There is no file"),
        ({"LANG": "en_GB.UTF-8", "FABRIQUE_LANGUAGE": "fr"}, "Il n’y a pas de fichier"),
    ],
)
def test_french_is_spoken_unless_english_is_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], said: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert_one_line(run("detect", "absent.csv"), said)


@pytest.mark.parametrize(
    "arguments",
    [("danse",), ("import", "danse"), ("detect",), ("detect", "--better", "up", "x"), ("serve", "--port", "99999"), ("--nope",)],
)
def test_a_wrong_command_line_is_told_in_one_line(run: Run, arguments: tuple[str, ...]) -> None:
    assert_one_line(run(*arguments))


# the whole road


def test_migrate_import_check_and_status_follow_one_another(run: Run, environment: Path) -> None:
    table = environment / "services.csv"
    quarters = [f"{year}-Q{quarter}" for year in range(2012, 2018) for quarter in range(1, 5)]
    columns = ",".join(f"{quarter} Vol.,{quarter} Digital vol." for quarter in quarters)
    cells = ",".join(f"10000,{8000 if place < 21 else 5000}" for place in range(len(quarters)))
    table.write_text(f"Slug,Name of service,{columns}\ncar-tax,Car tax,{cells}\n")
    assert run("migrate")[0] == 0
    code, out, err = run("import", "gds", table, "--json")
    told = json.loads(out)
    assert (code, err, told["created"], told["refused"], told["batch"]) == (0, "", 49, [], 1)
    code, out, _err = run("check", "--json")
    checked = json.loads(out)
    assert (code, checked["done"], checked["raised"], checked["left"]) == (0, 1, 1, 0)
    code, out, _err = run("status", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["services"], found["series"], found["observations"]) == (1, 2, 48)
    assert run("check")[0] == run("status")[0] == 0


@pytest.mark.parametrize("command", [("status",), ("check",), ("import", "gds", "x.csv"), ("serve", "--port", "0")])
def test_a_database_without_tables_says_what_to_run(run: Run, command: tuple[str, ...]) -> None:
    assert_one_line(run(*command), "fabrique migrate")


# import


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "pas de fichier"),
        ("folder", "est un dossier"),
        (b"", "est vide"),
        (b"PK\x03\x04\x00\x00", "ZIP"),
        (b"a,b\n\x00\x01", "nuls"),
        (b"service,metric,value\n", "period"),
        (b"date,value\n", "service, metric, period"),
    ],
)
@pytest.mark.parametrize("flag", [(), ("--json",), ("--dry-run",), ("--strict",)])
def test_a_file_that_cannot_be_imported_is_told_in_one_line(
    run: Run, sqlite: Database, environment: Path, content: bytes | str | None, said: str, flag: tuple[str, ...]
) -> None:
    path = environment / "mesures.csv"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    assert_one_line(run("import", "observations", path, *flag), said)


def test_a_fault_is_told_in_one_line_by_the_real_command_too(environment: Path, sqlite: Database) -> None:
    (environment / "vide.csv").touch()
    assert_one_line(alone("import", "observations", "vide.csv"), "est vide")
    assert_one_line(alone("import", "observations", "a" * 300), "ne peut pas être lu")


@pytest.mark.parametrize("kind", ["gds", "observations", "betagouv"])
@pytest.mark.parametrize("name", ["absent", "a" * 300, "only.sqlite3"])
def test_every_importer_tells_what_it_cannot_read(run: Run, sqlite: Database, kind: str, name: str) -> None:
    assert_one_line(run("import", kind, name))


def test_an_import_exits_with_one_when_rows_were_refused_and_with_nothing_otherwise(
    run: Run, sqlite: Database, environment: Path
) -> None:
    add_service(sqlite, "aide")
    path = environment / "mesures.csv"
    path.write_text(GOOD + "aide,completion,2026-02,101,100\n")
    code, out, err = run("import", "observations", path)
    assert code == 1
    assert "2 dans le fichier, 1 création" in out
    assert "mesures.csv:3: numerator «\u00a0101\u00a0»" in err
    code, out, err = run("import", "observations", path, "--json")
    told = json.loads(out)
    assert (code, err, told["unchanged"], told["batch"]) == (1, "", 1, None)
    assert {"file": "mesures.csv", "line": 3, "column": "numerator", "value": "101"}.items() <= told["refused"][0].items()
    path.write_text(GOOD)
    assert run("import", "observations", path)[0] == 0
    assert run("import", "observations", path, "--strict", "--dry-run")[0] == 0


def test_only_the_first_refused_rows_are_printed_and_all_are_in_json(run: Run, sqlite: Database, environment: Path) -> None:
    (environment / "mesures.csv").write_text(HEADER + "inconnu,completion,2026-01,1,2\n" * 50)
    code, _out, err = run("import", "observations", "mesures.csv")
    assert (code, err.count("\n")) == (1, 21)
    assert len(json.loads(run("import", "observations", "mesures.csv", "--json")[1])["refused"]) == 50


def test_a_file_named_in_an_old_encoding_is_imported(environment: Path, sqlite: Database) -> None:
    add_service(sqlite, "aide")
    name = os.fsdecode(b"mes\xe9.csv")
    (environment / name).write_text(GOOD + "inconnu,completion,2026-01,1,2\n")
    code, out, err = alone("import", "observations", name, "--json")
    assert (code, err) == (1, "")
    told = json.loads(out)
    assert (told["created"], told["refused"][0]["file"]) == (1, "mes?.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("kind", ["gds", "observations"])
def test_a_file_without_read_permission_is_told_in_one_line(run: Run, sqlite: Database, environment: Path, kind: str) -> None:
    (environment / "secret.csv").write_text(GOOD)
    (environment / "secret.csv").chmod(0)
    assert_one_line(run("import", kind, "secret.csv"), "ne peut pas être lu")


# detect


def test_detect_tells_everything_as_json(run: Run, environment: Path) -> None:
    path = series(environment / "serie.csv", dropping())
    code, out, err = run("detect", path, "--better", "higher", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert {"file", "form", "n_periods", "changes", "limits", "signals", "notes"} <= found.keys()
    assert (found["file"], found["form"], found["n_periods"]) == (str(path), "proportion", 60)
    (change,) = found["changes"]
    assert (change["index"], change["period"], change["direction"]) == (40, str(week(40)), "regression")
    assert change["period_interval"][0] <= change["period"] <= change["period_interval"][1]
    assert {len(found["limits"][name]) for name in ("centre", "lower", "upper")} == {60}


def test_detect_needs_no_database_and_speaks_to_a_person(run: Run, environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", "nonsense")
    series(environment / "a.csv", dropping())
    series(environment / "b.csv", [0.8] * 30)
    code, out, _err = run("detect", environment, "--better", "lower")
    assert code == 0
    assert out.count("parts (n = ") == 2
    assert "amélioration" in out
    assert "Aucun changement" in out
    assert len(json.loads(run("detect", "a.csv", "b.csv", "--json")[1])) == 2


@pytest.mark.parametrize(
    ("name", "said"), [("absent.csv", "pas de fichier"), (".", "ne contient aucun"), ("a" * 300, "ne peut pas être lu")]
)
def test_detect_tells_what_it_cannot_read_in_one_line(run: Run, name: str, said: str) -> None:
    assert_one_line(run("detect", name), said)


@pytest.mark.parametrize("rows", [[], ["1,1"], ["1,"], ["1,5", "2,5"], ["1,1e15", "2,-1e15"] + [f"{n},0" for n in range(3, 30)]])
def test_detect_survives_the_strangest_series(run: Run, environment: Path, rows: list[str]) -> None:
    (environment / "serie.csv").write_text("\n".join(("period,value", *rows)))
    code, out, err = run("detect", "serie.csv", "--json")
    if rows:
        assert (code, err, json.loads(out)["n_periods"]) == (0, "", len(rows))
    else:
        assert_one_line((code, out, err))


def test_detect_refuses_ten_million_periods_before_reading_them_all(run: Run, environment: Path) -> None:
    rows = "".join(f"{n},{n % 7}\n" for n in range(1_000_002))
    (environment / "serie.csv").write_text("period,value\n" + rows)
    assert_one_line(run("detect", "serie.csv"), "1000000")


def test_detect_replays_when_each_change_would_have_been_known(run: Run, environment: Path) -> None:
    path = series(environment / "serie.csv", dropping())
    found = json.loads(run("detect", path, "--better", "higher", "--replay-from", "26", "--json")[1])
    (change,) = found["changes"]
    assert change["index"] == 40
    assert 41 <= change["first_seen"] <= 44
    assert change["first_seen_period"] == str(week(change["first_seen"]))
    assert found["withdrawn"] == []
    assert json.loads(run("detect", path, "--better", "higher", "--replay", "--json")[1])["changes"] == found["changes"]
    code, out, _err = run("detect", path, "--replay")
    assert (code, "vu dès" in out) == (0, True)


def test_detect_tells_of_a_change_that_a_later_look_took_back(run: Run, environment: Path) -> None:
    level = [0.80, 0.81, 0.79, 0.80, 0.78, 0.82] * 6
    path = series(environment / "serie.csv", [*level, 0.60, 0.61, *level[:24]])
    found = json.loads(run("detect", path, "--better", "higher", "--replay-from", "26", "--json")[1])
    told = [*found["changes"], *found["withdrawn"]]
    assert any(one["index"] == 36 and one["direction"] == "regression" for one in told)
    assert len(found["changes"]) in {0, 2}
    assert run("detect", path, "--replay-from", "0")[0] == 2


# the database


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "FABRIQUE_DATABASE_URL"),
        ("mysql://a/b", "mysql"),
        ("sqlite:////proc/nowhere/x.sqlite3", "/proc/nowhere"),
        ("sqlite:////proc", "unable to open"),
        ("sqlite:///garbage.sqlite3", "not a database"),
        ("postgresql://nobody:secret@127.0.0.1:1/x", "127.0.0.1"),
    ],
)
def test_a_database_that_cannot_be_opened_is_told_in_one_line(
    run: Run, environment: Path, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg")
    (environment / "garbage.sqlite3").write_text("this is no database\n" * 200)
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", url)
    for command in ("status", "migrate"):
        told = run(command)
        assert_one_line(told, said)
        assert "secret" not in told[2]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_database_folder_without_write_permission_is_told_in_one_line(
    run: Run, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (environment / "closed").mkdir(mode=0o500)
    for place in ("closed/x.sqlite3", "closed/below/x.sqlite3"):
        monkeypatch.setenv("FABRIQUE_DATABASE_URL", f"sqlite:///{place}")
        assert_one_line(run("migrate"))


@pytest.mark.parametrize("command", [("status",), ("migrate",), ("import", "observations", "x.csv"), ("check", "--json")])
def test_a_database_from_a_newer_version_is_told_in_one_line(run: Run, sqlite: Database, command: tuple[str, ...]) -> None:
    with sqlite.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    assert_one_line(run(*command), "plus récente")


def test_an_unknown_revision_is_told_in_one_line(run: Run, sqlite: Database) -> None:
    assert_one_line(run("migrate", "--to", "nonsense"), "nonsense")
    assert run("migrate", "--to", "base", "--json")[:2] == (0, '{"revision": null}\n')


# serve, invite


def test_a_port_in_use_is_told_in_one_line(environment: Path, sqlite: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_one_line(alone("serve", "--port", port), f"127.0.0.1:{port}")


def test_an_invitation_prints_a_link_alone_on_the_output(run: Run, sqlite: Database) -> None:
    code, out, err = run("invite", "ana@exemple.fr", "--role", "coach")
    assert code == 0
    assert out.startswith("http://127.0.0.1:8000/connexion/lien/")
    assert (out.count("\n"), err.count("\n")) == (1, 1)
    assert_one_line(run("invite", "not an address"), "not an address")


# kill -9


def figures(database: Database) -> list[tuple[object, ...]]:
    """Every figure by service and metric, without the marks of when and by what it came."""
    left_out = {"series_id", "batch_id", "recorded_at"}
    columns = [column for column in ObservationRow.__table__.columns if column.name not in left_out]
    rows = (
        sa.select(ServiceRow.slug, ServiceRow.name, SeriesRow.metric_key, SeriesRow.unit, *columns)
        .join(SeriesRow, SeriesRow.id == ObservationRow.series_id)
        .join(ServiceRow, ServiceRow.id == SeriesRow.service_id)
        .order_by(ServiceRow.slug, SeriesRow.metric_key, ObservationRow.start)
    )
    with database.read() as session:
        return [tuple(row) for row in session.execute(rows)]


def wait_for_figures(database: Database, at_least: int) -> None:
    for _ in range(2_000):
        with database.read() as session:
            if (session.scalar(sa.select(sa.func.count()).select_from(ObservationRow)) or 0) >= at_least:
                return
        time.sleep(0.005)
    pytest.fail("the import recorded nothing")


@pytest.mark.slow
def test_an_import_killed_in_mid_run_and_run_again_ends_as_one_that_was_not(
    run: Run, sqlite: Database, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, table = 1_500, environment / "services.csv"
    header = "Slug,Name of service,2012-Q4 Vol.,2012-Q4 Digital vol.,2013-Q1 Vol.,2013-Q1 CPT (£)\n"
    rows = (f'service-{place},Service {place},"1,{place % 1000:03}",{place % 7 * 200},{place},2.5\n' for place in range(services))
    table.write_text(header + "".join(rows))
    command = [sys.executable, "-m", "fabrique", "import", "gds", str(table)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for_figures(sqlite, 500)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the import was done before it could be killed: give it more rows"
    at_kill = len(figures(sqlite))
    code, out, _err = run("import", "gds", table, "--json")
    again = json.loads(out)
    ended = figures(sqlite)
    assert (code, again["kinds"]["observations"]["created"]) == (1, len(ended) - at_kill)
    assert 500 <= at_kill < len(ended)
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", f"sqlite:///{environment / 'whole.sqlite3'}")
    assert run("migrate")[0] == 0
    code, out, _err = run("import", "gds", table, "--json")
    uninterrupted = json.loads(out)
    whole = Database(f"sqlite:///{environment / 'whole.sqlite3'}")
    assert ended == figures(whole)
    whole.close()
    assert uninterrupted["refused"] == again["refused"]
    with sqlite.read() as session:
        assert session.scalars(sa.select(ObservationRevisionRow)).all() == []
