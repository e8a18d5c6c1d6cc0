"""The worked examples under experiments/: each is sound, earns its verdict, can be run again, and holds nobody's data."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fabrique.cli import main
from fabrique.demonstration.story import PERSONAS, PRODUCTS, SERVICES
from fabrique.experiments.analysis.running import Context
from fabrique.experiments.data.folder import open_folder
from fabrique.experiments.sheet import sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str]]

ROOT = Path(__file__).parents[2] / "experiments"
VERDICTS = {
    "rappel-sms": ("extend", 4),
    "page-de-confirmation": ("no_useful_effect", 6),
    "option-par-defaut-villages": ("extend", 4),
    "incitation-resultat": ("extend", 4),
    "don-organes-formulation": ("undecidable", 7),
    "deces-temperature": ("signal", 5),
    "deploiement-progressif": ("signal", 4),
}
INVENTED = {"rappel-sms", "page-de-confirmation", "deploiement-progressif"}
STUDIES = {"calibration-watch"}
"""Examples that must be there; other folders are our own studies, whose data are simulated on the way."""
COLUMNS = {
    "counts.csv": {"date", "arm", "metric", "device", "n", "x", "sum", "sum_sq", "level_1", "level_2", "level_3"},
    "units.csv": {"unit", "cluster", "arm", "y"},
    "series.csv": {"period", "unit", "value", "treated", "temp"},
}
PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.\w|\b0[1-9](?:[ .]?\d\d){4}\b|\+\d{2}[ .]?\d[ .\d]{7,}")
"""E-mail addresses and telephone numbers."""
example = pytest.mark.parametrize("slug", VERDICTS)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: its exit code and what it printed."""
    monkeypatch.setenv("FABRIQUE_LANGUAGE", "en")

    def command(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as left:
            main([str(one) for one in arguments])
        out, err = capfd.readouterr()
        assert err == ""
        return int(left.value.code or 0), out

    return command


@cache
def analysed(slug: str) -> dict:
    """The calculation sheet, as on a day when every collection is over."""
    found = open_folder(ROOT / slug).sound()
    return sheet(found.document, found.data, Context(as_of=date(2026, 11, 24), plan_hash=found.plan_hash))


def plan(slug: str) -> dict:
    return tomllib.loads((ROOT / slug / "plan.toml").read_text("utf-8"))


def readme(slug: str) -> str:
    return (ROOT / slug / "README.md").read_text("utf-8")


def beside(slug: str) -> dict[str, dict]:
    """The second readings of the primary metric, by key."""
    return {one["key"]: one for one in analysed(slug)["primary"]["beside"]}


def test_every_folder_without_code_is_an_example_of_the_table():
    folders = {one.parent.name for one in ROOT.glob("*/plan.toml") if not any(one.parent.glob("*.py"))}
    assert folders - STUDIES == set(VERDICTS)


@example
def test_check_finds_no_fault(slug, run):
    code, out = run("experiments", "check", ROOT / slug, "--json")
    told = json.loads(out)
    assert (code, told["faults"], told["slug"]) == (0, [], slug)


@example
def test_an_example_earns_its_verdict_by_its_rule(slug):
    told = analysed(slug)
    assert (told["verdict"], told["rule"]) == VERDICTS[slug]


@example
def test_the_sheet_tells_what_a_reader_looks_for(slug):
    told, primary = analysed(slug), analysed(slug)["primary"]
    assert told["rules_version"].startswith("verdict-")
    assert re.fullmatch(r"[0-9a-f]{64}", told["plan_hash"])
    assert primary["metric"] == plan(slug)["metrics"]["primary"]["key"]
    assert primary["low"] <= primary["estimate"] <= primary["high"]
    assert [one["metric"] for one in told["guardrails"]] == [one["key"] for one in plan(slug)["metrics"].get("guardrails", [])]
    assert not told["health"]["sample_ratio_mismatch"]
    assert told["sentence"]["fr"]
    assert told["sentence"]["en"]


@example
def test_a_sheet_that_is_run_again_gives_the_same_bytes(slug, run, tmp_path):
    code, first = run("analyse", ROOT / slug, "--json", "--as-of", "2026-11-24")
    assert code == 0
    kept = tmp_path / "sheet.json"
    kept.write_text(first, "utf-8")
    assert run("analyse", kept, "--json") == (0, first)


@example
def test_the_readme_names_its_source_its_licence_and_its_command(slug):
    text = readme(slug)
    assert "**Source**:" in text
    assert "**Licence**:" in text
    assert f"fabrique analyse experiments/{slug}" in text
    assert len(text.splitlines()) < 25
    assert ("**Source**: invented" in text) == (slug in INVENTED)


@example
def test_the_readme_and_the_index_tell_the_verdict_that_is_earned(slug):
    verdict, rule = VERDICTS[slug]
    words = {"signal": "a signal, no proof"}.get(verdict, verdict.replace("_", " "))
    assert re.search(rf"\*\*Says\*\*: \*{words}\* \(rule {rule}[,)]", readme(slug))
    index = (ROOT / "README.md").read_text("utf-8")
    origin = "invented" if slug in INVENTED else "real"
    assert re.search(rf"^\| \[{slug}\]\({slug}/README.md\) \| {origin} \|.*\| {words} \|$", index, re.MULTILINE)


@example
def test_invented_data_say_so_first(slug):
    first = (ROOT / slug / "plan.toml").read_text("utf-8").splitlines()[0]
    assert first.startswith("# Données inventées" if slug in INVENTED else "# Figures réelles")
    assert plan(slug)["legal_basis"].startswith("Données inventées") == (slug in INVENTED)


@example
def test_plans_belong_to_the_demonstration(slug):
    told = plan(slug)
    assert told["product"] in {one.slug for one in PRODUCTS}
    assert told.get("service", SERVICES[0].slug) in {one.slug for one in SERVICES if one.product == told["product"]}
    assert {told["owner"], told["coach"]} <= {name for _mail, name, *_rest in PERSONAS}
    assert told["owner"] != told["coach"]


@example
def test_no_file_of_an_example_holds_anything_personal(slug):
    files = sorted(one for one in (ROOT / slug).rglob("*") if one.is_file())
    tables = [one for one in files if one.suffix == ".csv"]
    assert {one.name for one in files if one not in tables} == {"README.md", "plan.toml"}
    for path in files:
        assert not PERSONAL.search(path.read_text("utf-8")), path
    for path in tables:
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        assert set(rows[0]) <= COLUMNS[path.name]
        if path.name == "units.csv":
            assert all(re.fullmatch(r"u\d+", row["unit"]) and re.fullmatch(r"v\d+", row["cluster"]) for row in rows)
            order = [(row["cluster"], row["arm"], row["y"]) for row in rows]
            assert order == sorted(order), "the published order would let the other columns be joined again"
        elif "unit" in rows[0]:
            assert len({row["unit"] for row in rows}) < 50, "agencies and States are few; people would be many"


def test_the_text_message_is_extended_at_the_third_look_only():
    told = analysed("rappel-sms")
    first, second, third = told["looks"]
    assert first["p_value"] < 0.05, "read as if it were the end, the first look would have crossed"
    assert (first["crossed"], second["crossed"], third["crossed"]) == (False, False, True)
    assert third["fraction"] >= 1
    assert [one["verdict"] for one in told["guardrails"]] == ["safe", "safe"]
    assert {one["name"] for one in told["subgroups"]} == {"device"}
    assert [one["metric"] for one in told["secondaries"]] == ["rendez-vous-manques"]
    assert "stopped_early" not in told["notes"]


def test_the_illustrated_page_is_shown_to_bring_less_than_half_a_mark():
    told, primary = analysed("page-de-confirmation"), analysed("page-de-confirmation")["primary"]
    assert primary["high"] < primary["mde"] == 0.5
    assert told["health"]["counted_by"] == "exposure"
    assert [one["verdict"] for one in told["guardrails"]] == ["safe"]
    means = primary["value_treat"] - primary["value_ctrl"]
    assert means == pytest.approx(primary["estimate"], abs=0.01), "the sentence must not contradict itself"


def test_the_default_option_has_the_effect_of_the_published_counts():
    primary, found = analysed("option-par-defaut-villages")["primary"], beside("option-par-defaut-villages")
    assert primary["estimate"] == pytest.approx(354 / 683 - 300 / 727, abs=1e-12)
    assert primary["method"] == "cr1"
    assert (found["clusters_treat"]["value"], found["clusters_ctrl"]["value"]) == (81, 85)
    assert found["icc"]["value"] == pytest.approx(0.0739167, abs=1e-6)
    assert (primary["low"], primary["high"]) == pytest.approx((0.0389534, 0.1723404), abs=1e-6)


def test_the_voucher_has_the_effect_that_thornton_found():
    primary = analysed("incitation-resultat")["primary"]
    assert primary["estimate"] == pytest.approx(1745 / 2207 - 211 / 623, abs=1e-12)
    assert primary["estimate"] == pytest.approx(0.45198, abs=1e-5)
    assert (primary["low"], primary["high"]) == pytest.approx((0.4066606, 0.4973039), abs=1e-6)
    assert (primary["n_treat"], primary["n_ctrl"]) == (2207, 623)


def test_one_state_proves_nothing_about_organ_donors():
    primary = analysed("don-organes-formulation")["primary"]
    assert primary["p_value"] == pytest.approx(5 / 27, abs=1e-9)
    assert primary["estimate"] == pytest.approx(-0.0224589743590, abs=1e-9)
    assert primary["low"] < 0 < primary["mde"] < primary["high"]
    assert "one_treated_unit" in primary["notes"]


def test_deaths_since_2020_are_an_unfavourable_signal_capped_below_a_verdict():
    told, found = analysed("deces-temperature"), beside("deces-temperature")
    assert told["capped"]
    assert told["primary"]["estimate"] == pytest.approx(7377.281, abs=0.01)
    assert told["primary"]["p_value"] == pytest.approx(1 / 2000)
    assert found["slope_change"]["value"] == pytest.approx(-222.829, abs=0.01)
    assert found["autocorrelation"]["value"] == pytest.approx(0.17273, abs=1e-4)


def test_a_two_way_regression_would_mistake_the_growing_effect_of_the_shared_desk():
    told, found = analysed("deploiement-progressif"), beside("deploiement-progressif")
    primary = told["primary"]
    assert told["capped"]
    assert "twoway_differs" in primary["notes"]
    assert not primary["low"] <= found["twoway_fixed_effects"]["value"] <= primary["high"]
    assert found["event_+8"]["value"] < found["event_+4"]["value"] < found["event_+0"]["value"] < 0
    assert found["pre_trend_p"]["value"] > 0.05
