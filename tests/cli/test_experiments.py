"""`fabrique analyse` and `fabrique experiments`, as a person or a script meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiments.sample import counts, plan_document
from fabrique.cli import main
from fabrique.database import Database, migrate
from fabrique.experiments import queries
from fabrique.experiments.data.writing import plan_text
from factories import add_product

if TYPE_CHECKING:
    from collections.abc import Callable

    from fabrique.clock import FixedClock

    Run = Callable[..., tuple[int, str, str]]

EXAMPLES = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound folder that nobody registered."""
    made = tmp_path / "rappel"
    made.mkdir()
    (made / "plan.toml").write_text(plan_text(plan_document()), "utf-8")
    (made / "counts.csv").write_text(counts(0.6, 0.7, satisfied=(0.8, 0.83)), "utf-8")
    return made


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in English, in this process: its exit code and what it wrote."""
    monkeypatch.setenv("FABRIQUE_LANGUAGE", "en")
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", f"sqlite:///{tmp_path / 'only.sqlite3'}")

    def command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(one) for one in arguments])
        assert isinstance(left.value.code, int)
        return (left.value.code, *capfd.readouterr())

    return command


def change(folder: Path, old: str, new: str) -> None:
    text = (folder / "plan.toml").read_text("utf-8")
    assert old in text
    (folder / "plan.toml").write_text(text.replace(old, new), "utf-8")


def test_the_verdict_is_a_sentence_and_the_json_has_everything_a_script_needs(run: Run, folder: Path) -> None:
    code, out, _err = run("analyse", folder)
    assert code == 0
    assert "EXTEND (rule 4 of verdict-1)" in out
    assert "every guardrail is safe" in out
    _code, text, _err = run("analyse", folder, "--json")
    found = json.loads(text)
    assert {"verdict", "rule", "rules_version", "primary", "guardrails", "health", "plan_hash"} <= set(found)
    assert (found["verdict"], found["rule"], found["guardrails"][0]["verdict"]) == ("extend", 4, "safe")


def test_a_sheet_run_again_gives_the_same_bytes(run: Run, folder: Path, tmp_path: Path) -> None:
    _code, first, _err = run("analyse", folder, "--json")
    (tmp_path / "s.json").write_text(first, "utf-8")
    _code, second, _err = run("analyse", tmp_path / "s.json", "--json")
    assert first == second


def test_every_fault_is_a_line_of_its_own(run: Run, folder: Path) -> None:
    change(folder, "non_inferiority_margin", "non_inferiorty_margin")
    change(folder, 'title = "Un SMS rappelle le rendez-vous"\n', "")
    code, out, err = run("analyse", folder)
    assert (code, out) == (2, "")
    assert "fabrique: metrics.guardrails[0].non_inferiority_margin: missing\n" in err
    assert "fabrique: title: missing\n" in err
    code, out, _err = run("experiments", "check", folder)
    assert code == 1
    assert "metrics.guardrails[0].non_inferiorty_margin: unknown; did you mean non_inferiority_margin?" in out


def test_bad_figures_are_told_and_no_verdict_is_given(run: Run, folder: Path) -> None:
    with (folder / "counts.csv").open("a", encoding="utf-8") as file:
        file.write("2026-09-10,sms,venus,12,99\n2026-12-01,sms,venus,1,1\n")
    code, out, err = run("analyse", folder)
    assert (code, out) == (2, "")
    assert "more successes than units" in err
    assert "after the collection closed" in err


NO_FILES = [
    ("plan.toml", "ceci n'est pas"),
    ("plan.toml", ""),
    ("counts.csv", "\x00"),
    ("counts.csv", "a" * 2_000_000),
    ("plan.toml", "x = " * 99_999),
]


@pytest.mark.parametrize(("name", "content"), NO_FILES, ids=range(len(NO_FILES)))
def test_a_file_that_is_none_is_one_line(run: Run, folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content, "utf-8")
    code, out, err = run("analyse", folder)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert err.startswith("fabrique: ")


def test_a_folder_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    code, _out, err = run("analyse", tmp_path / "rien")
    assert code == 2
    assert err.count("\n") == 1
    (tmp_path / "x.json").write_text("[]")
    for json_text in ("[]", "{", '{"inputs": {}}'):
        (tmp_path / "x.json").write_text(json_text)
        code, _out, err = run("analyse", tmp_path / "x.json")
        assert (code, err.count("\n")) == (2, 1), err


def test_the_author_does_not_register_and_nobody_registers_twice(run: Run, folder: Path) -> None:
    for who, words in (
        ("Camille Rivière", "somebody else registers"),
        ("camille rivière ", "somebody else"),
        ("Autre", "names Noor"),
    ):
        code, _out, err = run("experiments", "register", folder, "--by", who)
        assert code == 2
        assert words in err
    code, out, _err = run("experiments", "register", folder, "--by", "Noor Vasseur")
    assert code == 0
    assert "after collection" in out
    code, _out, err = run("experiments", "register", folder, "--by", "Noor Vasseur")
    assert code == 2
    assert "registered already" in err


def test_a_plan_changed_after_registration_is_refused_until_a_deviation_is_filed(run: Run, folder: Path) -> None:
    run("experiments", "register", folder, "--by", "Noor Vasseur")
    change(folder, "0.08", "0.04")
    code, out, err = run("analyse", folder)
    assert (code, out) == (2, "")
    assert "metrics.primary.mde_abs" in err
    assert run("experiments", "deviate", folder, "--who", "Camille", "--why", "erreur de frappe")[0] == 2
    code, out, _err = run("experiments", "deviate", folder, "--who", "Camille", "--why", "erreur de frappe", "--results-unknown")
    assert code == 0
    assert "001.toml" in out
    code, out, _err = run("analyse", folder)
    assert code == 0
    assert "Deviation, metrics.primary.mde_abs: 0.08 → 0.04 (erreur de frappe; Camille; results unknown)" in out
    change(folder, "0.04", "0.05")
    assert run("analyse", folder)[0] == 2


def test_a_registration_changed_by_hand_is_refused(run: Run, folder: Path) -> None:
    run("experiments", "register", folder, "--by", "Noor Vasseur")
    path = folder / "registration.toml"
    path.write_text(
        path.read_text("utf-8").replace('"mde_abs":0.08', '"mde_abs":0.04').replace('\\"mde_abs\\":0.08', '\\"mde_abs\\":0.04')
    )
    change(folder, "0.08", "0.04")
    code, _out, err = run("analyse", folder)
    assert code == 2
    assert "changed by hand" in err


def test_looks_are_kept_and_the_next_one_needs_more_data(run: Run, folder: Path) -> None:
    change(folder, 'looks = "fixed"', 'looks = "group_sequential"\ninformation_fractions = [0.5, 1]')
    assert run("experiments", "look", folder)[0] == 2
    run("experiments", "register", folder, "--by", "Noor Vasseur")
    (folder / "counts.csv").write_text(counts(0.6, 0.645, days=26), "utf-8")
    code, out, _err = run("experiments", "look", folder, "--on", "2026-10-02")
    assert code == 0, out
    kept = json.loads((folder / "result" / "look-001.json").read_text("utf-8"))
    assert (kept["day"], kept["looks"][0]["recorded"]) == ("2026-10-02", True)
    code, _out, err = run("experiments", "look", folder)
    assert code == 2
    assert "Nothing came in since the last look" in err
    assert run("analyse", folder, "--as-of", "2026-10-03")[0] == 0


def test_a_look_before_any_data_is_refused(run: Run, folder: Path) -> None:
    run("experiments", "register", folder, "--by", "Noor Vasseur")
    (folder / "counts.csv").unlink()
    code, _out, err = run("experiments", "look", folder)
    assert code == 2
    assert "no figures to look at yet" in err


@pytest.mark.parametrize(
    ("form", "words"), [("html", "<title>Un SMS"), ("csv", "primary,venus,sms"), ("json", '"verdict": "extend"')]
)
def test_the_report_comes_in_every_form(run: Run, folder: Path, tmp_path: Path, form: str, words: str) -> None:
    code, out, _err = run("experiments", "report", folder, "--format", form, "--output", tmp_path / "r")
    assert code == 0
    assert "Kept in" in out
    assert words in (tmp_path / "r").read_text("utf-8-sig")


def test_a_folder_goes_into_the_database_and_out_again(run: Run, folder: Path, tmp_path: Path, clock: FixedClock) -> None:
    database = Database(f"sqlite:///{tmp_path / 'only.sqlite3'}")
    migrate(database)
    code, _out, err = run("experiments", "import", folder)
    assert code == 2
    assert "no product “produit”" in err
    add_product(database, clock)
    assert run("experiments", "import", folder)[1].strip() == "rappel: created"
    assert run("experiments", "import", folder)[1].strip() == "rappel: unchanged"
    assert run("experiments", "export", "rappel", tmp_path / "out" / "rappel")[0] == 0
    assert run("experiments", "export", "rappel", tmp_path / "out" / "rappel")[0] == 2
    assert run("experiments", "export", "rappel", tmp_path / "out" / "rappel", "--replace")[0] == 0
    first = json.loads(run("analyse", folder, "--json")[1])
    second = json.loads(run("analyse", tmp_path / "out" / "rappel", "--json")[1])
    assert first == second
    with database.read() as session:
        assert queries.experiment(session, "rappel").state == "draft"
    database.close()


def test_every_shipped_example_is_imported_registered_and_gives_the_same_verdict_on_a_page(
    run: Run, tmp_path: Path, clock: FixedClock
) -> None:
    """The page analyses what the database holds; the command what the folder holds: one function, one answer."""
    from fabrique.experiments.analysis.running import Context, analyse  # noqa: PLC0415

    database = Database(f"sqlite:///{tmp_path / 'only.sqlite3'}")
    migrate(database)
    add_product(database, clock, "demo-toit-clair")
    for path in sorted(EXAMPLES.glob("*/plan.toml")):
        if path.parent.name.startswith("calibration"):
            continue
        copy = tmp_path / path.parent.name
        shutil.copytree(path.parent, copy)
        assert run("experiments", "import", copy)[0] == 0
        from_folder = json.loads(run("analyse", copy, "--json", "--as-of", "2026-11-24")[1])
        with database.read() as session:
            whole = queries.experiment(session, path.parent.name)
            data = queries.data_of(session, whole.id, whole.plan)
        found = analyse(whole.plan, data, Context(as_of=clock.now().date(), plan_hash=from_folder["plan_hash"]))
        assert (found.verdict, found.rule, found.data_hash) == (
            from_folder["verdict"],
            from_folder["rule"],
            from_folder["data_hash"],
        )
    database.close()
