"""Time in stage, from sheets to curves, against a second computation that shares nothing with ours: the sheets' raw YAML, a literal
product-limit loop in exact fractions, Greenwood's variance summed without rounding, and the normal quantile of the standard library."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from fabrique.clock import today as today_of
from fabrique.dashboards.queries.journeys import read_journeys
from fabrique.exchange.betagouv import import_betagouv
from fabrique.portfolio.journeys import by_entry, lengths
from fabrique.portfolio.rules import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.portfolio.journeys import Lengths

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "betagouv"
ALONG = [
    "investigation", "construction", "acceleration", "consolidation", "opere", "transfere", "abandon-investigation", "abandon",
]  # fmt: skip
STAGES = {
    "investigation": Stage.INVESTIGATION,
    "construction": Stage.EXPERIMENTATION,
    "acceleration": Stage.SCALE_UP,
    "consolidation": Stage.CONSOLIDATION,
    "opere": Stage.OPERATED,
    "transfere": Stage.TRANSFERRED,
    "abandon-investigation": Stage.INCONCLUSIVE,
    "abandon": Stage.STOPPED,
}
NEAR = 1e-9


class Told(NamedTuple):
    """A stay as the sheet tells it: its product's incubator and first year, how many days, whether it is over."""

    incubator: str
    year: int
    phase: str
    days: int
    over: bool


def told(folder: Path, today: date) -> list[Told]:
    """Every stay in the sheets, from their own text."""
    found = []
    for file in sorted((folder / "_startups").glob("*.md")):
        keys = yaml.safe_load(file.read_text(encoding="utf-8-sig").split("\n---")[0].removeprefix("---"))
        phases = sorted((phase["start"], ALONG.index(phase["name"])) for phase in keys.get("phases") or [])
        kept = [one for place, one in enumerate(phases) if place == 0 or phases[place - 1][1] != one[1]]
        begun = [(start, ALONG[place]) for start, place in kept if start <= today]
        home = (keys.get("incubator") or (keys.get("incubators") or [""])[0]).rstrip("/").split("/")[-1]
        for place, (start, name) in enumerate(begun):
            over = place + 1 < len(begun)
            end = begun[place + 1][0] if over else today
            found.append(Told(home, begun[0][0].year, name, (end - start).days, over))
    return found


def agree(ours: Lengths, theirs: list[Told]) -> None:
    """Our curve of these stays is theirs, at each moment at which one ends, within a billionth."""
    assert sorted(zip(ours.days, ours.ended, strict=True)) == sorted((one.days, one.over) for one in theirs)
    if len(theirs) < 5:
        assert ours.curve is None
        return
    curve = ours.curve
    assert curve is not None
    share, greenwood, z = Fraction(1), Fraction(0), NormalDist().inv_cdf(0.975)
    moments = sorted({one.days for one in theirs if one.over})
    assert curve.times.tolist() == moments
    halves: list[list[float]] = [[], [], []]
    for place, moment in enumerate(moments):
        risk = sum(one.days >= moment for one in theirs)
        over = sum(one.over and one.days == moment for one in theirs)
        share *= Fraction(risk - over, risk)
        low = high = float(share)
        if risk > over:
            greenwood += Fraction(over, risk * (risk - over))
            width = math.exp(z * math.sqrt(greenwood) / -math.log(share))
            low, high = float(share) ** width, float(share) ** (1 / width)
        assert (curve.at_risk[place], curve.ended[place]) == (risk, over)
        assert curve.share[place] == pytest.approx(float(share), abs=NEAR)
        assert (curve.low[place], curve.high[place]) == pytest.approx((low, high), abs=NEAR)
        for reached, value in zip(halves, (share, low, high), strict=True):
            if value <= Fraction(1, 2):
                reached.append(moment)
    median, earliest, latest = (min(reached, default=math.inf) for reached in halves)
    assert (curve.median, curve.median_interval.low, curve.median_interval.high) == (median, earliest, latest)


def agree_everywhere(database: Database, folder: Path, today: date) -> int:
    """Every stage: of all products, of each incubator, of each entry year. How many curves there were to compare."""
    with database.read() as session:
        _titles, everyone = read_journeys(session, today)
    stays = told(folder, today)
    compared = 0
    for phase, stage in STAGES.items():
        here = [one for one in stays if one.phase == phase]
        agree(lengths(everyone, stage, today), here)
        for home, theirs in parted(here, "incubator").items():
            agree(lengths((one for one in everyone if one.incubator == home), stage, today), theirs)
            compared += len(theirs) >= 5
        cohorts = by_entry(everyone)
        for year, theirs in parted(here, "year").items():
            agree(lengths(cohorts[year], stage, today), theirs)
            compared += len(theirs) >= 5
    return compared


def parted(stays: Iterable[Told], by: str) -> dict[object, list[Told]]:
    parts: dict[object, list[Told]] = defaultdict(list)
    for one in stays:
        parts[getattr(one, by)].append(one)
    return parts


@pytest.mark.skipif(not REAL.exists(), reason="the shared product sheets are not beside the repository")
def test_the_real_portfolios_curves_agree_with_a_second_computation(sqlite: Database, clock: FixedClock) -> None:
    report = import_betagouv(sqlite, clock, REAL)
    assert report.refused_count == 0
    assert agree_everywhere(sqlite, REAL, today_of(clock)) > 40


def test_a_random_portfolios_curves_agree_with_a_second_computation(sqlite: Database, clock: FixedClock, tmp_path: Path) -> None:
    write_portfolio(tmp_path, today_of(clock))
    report = import_betagouv(sqlite, clock, tmp_path)
    assert report.refused_count == 0
    assert agree_everywhere(sqlite, tmp_path, today_of(clock)) > 40


def write_portfolio(folder: Path, today: date) -> None:
    """Three hundred sheets with the dirt of real ones: newest first, twice the same, the same day, steps back, ends that contradict
    what follows, phases still to come, none at all."""
    drawn = random.Random(20261124)
    for name in ("_startups", "_incubators"):
        (folder / name).mkdir()
    homes = [f"incubateur-{letter}" for letter in "abcdefg"]
    for home in homes:
        (folder / "_incubators" / f"{home}.md").write_text(f"---\ntitle: {home}\n---\n")
    for number in range(300):
        phases = [
            f"  - name: {name}\n    start: {start}\n" + (f"    end: {start + timedelta(days=drawn.randrange(400))}\n" * told_end)
            for name, start, told_end in drawn_phases(drawn, today)
        ]
        drawn.shuffle(phases)
        home = drawn.choices(homes, weights=[40, 25, 15, 8, 6, 4, 2])[0]
        text = f"---\ntitle: Produit {number}\nincubator: {home}\nphases:\n{''.join(phases) or '  []'}\n---\nUn produit.\n"
        (folder / "_startups" / f"produit-{number}.md").write_text(text)


def drawn_phases(drawn: random.Random, today: date) -> list[tuple[str, date, bool]]:
    start = today - timedelta(days=drawn.randrange(1, 3000))
    place, found = drawn.choices([0, 1, 2], weights=[8, 2, 1])[0], []
    while drawn.random() < 0.93:
        found.append((ALONG[place], start, drawn.random() < 0.3))
        if place > 3:
            break
        start += timedelta(days=drawn.choice([0, drawn.randrange(30, 160), drawn.randrange(100, 900), 91]))
        # On, mostly; or out of the road, the same again, or a step back.
        place = drawn.choices([place + 1, drawn.randrange(4, 8), place, max(0, place - 1)], weights=[12, 6, 1, 1])[0]
    return found
