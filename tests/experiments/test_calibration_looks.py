"""The study of looks, small samples and series: a sound plan, figures beside their targets, and the same answer twice."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fabrique.experiments.plan.reading import plan_from
from fabrique.experiments.plan.schema import Kind

FOLDER = Path(__file__).parents[2] / "experiments" / "calibration-looks"
SUMMARY = "## What was asked, and what was found"


def results() -> str:
    return (FOLDER / "results.md").read_text("utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """The body of the table below a heading."""
    part = text.split(heading, 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]
    lines = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("|")]
    return lines[2:]


def quick() -> str:
    """What the quick form prints."""
    command = [sys.executable, str(FOLDER / "study.py"), "--quick"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_plan_is_a_sound_pilot():
    plan = plan_from(tomllib.loads((FOLDER / "plan.toml").read_text("utf-8")))
    assert plan.design.kind is Kind.PILOT
    assert len(plan.pilot_criteria) == 4


@pytest.mark.parametrize(
    ("start", "asked"),
    [
        ("false positives, fabrique, looks planned, 1 to 60 looks", "4.5 to 5.5 %"),
        ("power lost to 60 looks", "2 points"),
        ("small samples, false positives", "≤ 5.5 %"),
        ("… coverage of a nil difference, as shown", "≥ 94.5 %"),
        ("… samples with an answer", "100 %"),
        ("series with AR(1) 0.4, false positives", "≤ 7 %"),
    ],
)
def test_every_target_stands_beside_its_figure(start, asked):
    assert [row[2] for row in rows(results(), SUMMARY) if row[0] == start] == [asked]


def test_a_figure_is_said_to_reach_its_target_only_where_it_does():
    for label, measured, asked, verdict in rows(results(), SUMMARY):
        figures = [float(one) for one in re.findall(r"[\d.]+", measured.split("±")[0].split(" points")[0])]
        targets = [float(one) for one in re.findall(r"[\d.]+", asked)]
        if not targets:
            continue
        if asked.startswith("≥") or asked == "100 %":
            held = min(figures) >= targets[0]
        elif len(targets) == 2:
            held = targets[0] <= min(figures) <= max(figures) <= targets[1]
        else:
            held = max(figures) <= targets[0]
        assert verdict == ("reached" if held else "**not reached**"), label


@pytest.mark.parametrize("scenario", ["S: 60 %", "M: 10 %", "L: 60 %"])
def test_planned_looks_keep_their_error_whatever_their_number(scenario):
    [own] = [row for row in rows(results(), f"### False positives, %; {scenario}") if row[0] == "fabrique, looks planned"]
    assert all(4.5 <= float(cell.split(" ± ")[0]) <= 5.5 for cell in own[1:7])


def test_the_peers_were_asked_themselves():
    assert re.search(r"gbstats [\d.]+ on the same 300 states: largest differences fixed \de-1\d", results())
    assert re.search(r"spotify-confidence [\d.]+ on (\d+) looks: the same verdict in \1,", results())


@pytest.mark.parametrize("name", ["false-positives.svg", "power.svg", "series.svg"])
def test_its_drawings_stand_in_its_readme(name):
    assert f"]({name})" in (FOLDER / "README.md").read_text("utf-8")
    assert (FOLDER / name).read_text("utf-8").startswith("<svg ")


@pytest.mark.slow
def test_the_study_says_the_same_thing_twice():
    before = {path: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()}
    first = quick()
    assert SUMMARY in first
    assert first == quick()
    assert {path: path.read_bytes() for path in FOLDER.iterdir() if path.is_file()} == before
