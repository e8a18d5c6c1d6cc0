"""`make calibrate`: what the watch promises, measured by simulation with a fixed seed, beside its peers in the same run."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import families
import numpy as np
import peers
import scoring

from fabrique.clock import SEASON
from fabrique.stats import changes
from fabrique.stats.changes import chance, stabilised
from fabrique.stats.engine import examine as engine
from fabrique.stats.measurements import proportions, values
from fabrique.stats.portfolio import FALSE_SHARE, trusted

HERE = Path(__file__).parent
SEED, SERIES, WARM_UP, WEEKS = 20261124, 2000, 26, 104
PEER_SERIES = 30
"""Peers look at far fewer series: they are slow, and their rates large."""
Pair = tuple[np.ndarray, np.ndarray]


def scale(counts: Pair) -> Pair:
    """Counts on the engine's scale."""
    x, n = counts
    y, v, _counted = stabilised(proportions(x.ravel(), n.ravel()), np.arange(x.size))
    return y.reshape(x.shape), v.reshape(x.shape)


def bare(y: np.ndarray) -> Pair:
    return y, np.ones_like(y)


def nothing_moves(random: np.random.Generator, size: int) -> dict[str, tuple[Pair, bool, int, float]]:
    """Each null family: values and variances, whether counted, first look, season."""
    shape, long = (size, WARM_UP + WEEKS), (size, 261)
    draw = families
    return {
        "binomial, 20 answers a week": (scale(draw.binomial(random, shape, answers=20)), True, WARM_UP, 0.0),
        "binomial, 200": (scale(draw.binomial(random, shape)), True, WARM_UP, 0.0),
        "binomial, 2,000": (scale(draw.binomial(random, shape, answers=2000)), True, WARM_UP, 0.0),
        "binomial, 20 to 2,000 in one series": (scale(draw.uneven(random, shape)), True, WARM_UP, 0.0),
        "beta-binomial, ICC 0.02, 20 answers": (scale(draw.beta_binomial(random, shape, 0.02, 20)), True, WARM_UP, 0.0),
        "beta-binomial, ICC 0.005": (scale(draw.beta_binomial(random, shape, 0.005)), True, WARM_UP, 0.0),
        "beta-binomial, ICC 0.02": (scale(draw.beta_binomial(random, shape, 0.02)), True, WARM_UP, 0.0),
        "AR(1) 0.3, values": (bare(draw.autocorrelated(random, shape)), False, WARM_UP, 0.0),
        "AR(1) 0.3 in the share, ± 3 points": (scale(draw.autocorrelated_share(random, shape)), True, WARM_UP, 0.0),
        "AR(1) 0.3 in the share, ± 1.6 points": (scale(draw.autocorrelated_share(random, shape, 0.016)), True, WARM_UP, 0.0),
        "independent values": (bare(random.standard_normal(shape)), False, WARM_UP, 0.0),
        "season ± 3 points, after two years": (scale(draw.seasonal(random, long)), True, 106, families.YEAR),
        "one holiday week a year": (scale(draw.holidays(random, shape)), True, WARM_UP, 0.0),
    }


def false_flags() -> list[list[str]]:
    """Flags a series-year where nothing moves, with the error of the estimate."""
    rows = []
    for name, ((y, v), counted, first, season) in nothing_moves(np.random.default_rng(SEED), SERIES).items():
        flagged, _look, _index = engine.replay_many(y, v, first, counted, season)
        years = (y.shape[1] - first) / 52
        rows.append([name, f"{flagged.mean() / years:.3f}", f"± {2 * flagged.std() / np.sqrt(SERIES) / years:.3f}", "0.05"])
    return rows


def peers_false_flags() -> list[list[str]]:
    """The same for the peers, on binomial weeks."""
    x, n = families.binomial(np.random.default_rng(SEED), (PEER_SERIES, WARM_UP + 52))
    rows = []
    for name, find in (("Apache Otava", peers.otava), ("ruptures PELT", peers.pelt)):
        flags = sum(replayed_by(find, share, WARM_UP)[0] for share in x / n)
        rows.append([name, f"{flags / PEER_SERIES:.2f}"])
    return rows


def replayed_by(find: object, share: np.ndarray, first: int) -> tuple[int, int]:
    """How many distinct changes a peer flags looking every week, and the first look that flagged any."""
    seen: list[int] = []
    when = -1
    for now in range(first, len(share) + 1):
        for index in find(share[:now]):  # type: ignore[operator]
            if all(abs(index - one) > changes.TOLERANCE for one in seen):
                seen.append(index)
                when = now if when < 0 else when
    return len(seen), when


def delays() -> list[list[str]]:
    """Weeks of the new level it takes to flag a fall, median; ours after 52 and 104 weeks of history, peers after 52."""
    random = np.random.default_rng(SEED + 1)
    rows = []
    for drop, target in ((0.10, 2), (0.05, 6), (0.03, 13), (0.02, 0)):
        row = [f"{100 * drop:.0f} points", str(target or "–")]
        for before in (52, 104):
            y, v = scale(families.falling(random, SERIES, before, 60, drop))
            _flagged, look, _index = engine.replay_many(y, v, before + 1, True, 0.0)
            row.append(f"{np.median(np.where(look > 0, look - before, 99)):.1f}")
        x, n = families.falling(random, PEER_SERIES, 52, 40, drop)
        for find in (peers.otava, peers.pelt):
            weeks = [when - 52 if (when := replayed_by(find, share, 53)[1]) > 0 else 99 for share in x / n]
            row.append(f"{np.median(weeks):.1f}")
        rows.append(row)
    return rows


def intervals() -> list[list[str]]:
    """How often the intervals of dates and effects hold the truth, for falls of 60 + 40 weeks that were found."""
    random = np.random.default_rng(SEED + 2)
    rows = []
    for drop in (0.10, 0.05):
        x, n = families.falling(random, 1500, 60, 40, drop)
        found = [changes.detect(proportions(a, b), "higher").changes for a, b in zip(x, n, strict=True)]
        single = [one[0] for one in found if len(one) == 1]
        dated = np.mean([one.earliest <= 60 <= one.latest for one in single])
        sized = np.mean([one.effect_low <= -drop <= one.effect_high for one in single])
        rows.append(
            [f"{100 * drop:.0f} points", f"{100 * len(single) / 1500:.1f} %", f"{100 * dated:.1f} %", f"{100 * sized:.1f} %"]
        )
    return rows


def chances() -> list[list[str]]:
    """Is `Evidence.chance` right? Flags at least so clear a series-year, measured against what is told, in the families that show most."""
    random, shape = np.random.default_rng(SEED + 3), (SERIES, WARM_UP + WEEKS)
    drawn = (families.binomial(random, shape), families.holidays(random, shape),
             families.autocorrelated_share(random, shape), families.autocorrelated_share(random, shape, 0.016))  # fmt: skip
    strengths = [clearest(*scale(counts), WARM_UP) for counts in drawn]
    rows = []
    for strength in (changes.STANDARD, 15.0, 17.0, 19.0, 23.0, 27.0):
        measured = [sum(one >= strength for one in found) / SERIES / (WEEKS / 52) for found in strengths]
        rows.append([f"{strength:g}", *(f"{rate:.4f}" for rate in measured), f"{chance(strength, changes.STANDARD):.4f}"])
    return rows


def clearest(y: np.ndarray, v: np.ndarray, first: int) -> list[float]:
    """The greatest strength that each distinct false flag ever had."""
    best: list[float] = []
    places = np.arange(y.shape[1]).astype(float)
    for one, variance in zip(y, v, strict=True):
        seen: dict[int, float] = {}
        for now in range(first, y.shape[1] + 1):
            rows, summary = engine.examine(one[:now], variance[:now], places[:now], True, 0.0)
            for row in rows:
                index, strength = int(row[engine.INDEX]), changes.STANDARD * row[engine.GAIN] / summary[engine.THRESHOLD]
                same = next((known for known in seen if abs(known - index) <= changes.TOLERANCE), index)
                seen[same] = max(seen.get(same, 0.0), strength)
        best += seen.values()
    return best


def turing() -> list[list[str]]:
    """Agreement with people on the 15 shared series of the Turing set."""
    series = json.loads((HERE / "turing.json").read_text())["series"]
    found: dict[str, list[tuple[float, float]]] = {}
    for one in series:
        given = np.array([np.nan if value is None else value for value in one["values"]], dtype=float)
        known = np.flatnonzero(np.isfinite(given))
        season = SEASON.get(one["granularity"], 0.0)
        said = {
            "fabrique": [change.index for change in changes.detect(values(given), None, season).changes],
            "Apache Otava": [int(known[i]) for i in peers.otava(given[known])],
            "ruptures PELT": [int(known[i]) for i in peers.pelt(given[known])],
            "nothing flagged": [],
        }
        for name, points in said.items():
            score = scoring.f1(one["marks"], points), scoring.covering(one["marks"], points, len(given))
            found.setdefault(name, []).append(score)
    rows = [[name, *(f"{mean:.3f}" for mean in np.mean(scores, axis=0))] for name, scores in found.items()]
    return [*rows, ["people, one against the others", "0.877", "0.784"], ["target", "0.80", "0.75"]]


def portfolio() -> list[list[str]]:
    """Three years of nightly looks at 1,250 weekly series: how many flags are told, and what share of them is false."""
    rows = []
    for moving in (0.0, 0.1, 0.5):
        told, false, missed = three_years(np.random.default_rng(SEED + 4), moving)
        share = f"{100 * false / told:.1f} %" if told else "–"
        rows.append([f"{100 * moving:.0f} %", str(told), str(false), share, f"{100 * FALSE_SHARE:.0f} %", missed])
    return rows


def three_years(random: np.random.Generator, moving: float, size: int = 1250) -> tuple[int, int, str]:
    """Flags told, false ones among them, and the share of real changes told within the three years.

    A weekly series is the same on each of a week's seven nights, so that one look a week is what nightly looks see. A flag is true if
    the series moved within its plausible dates, give or take `changes.TOLERANCE` weeks. A third of the series vary as counting does, a
    third have an intra-class correlation of 0.005, a third wander by 1.6 points with an autocorrelation of 0.3.
    """
    weeks = WARM_UP + 156
    moves = random.random(size) < moving
    at = random.integers(WARM_UP + 10, weeks - 20, size)
    drop = random.choice([0.03, 0.05, 0.10], size)
    share = np.where(moves[:, None] & (np.arange(weeks) >= at[:, None]), 0.8 - drop[:, None], 0.8)
    kind = random.integers(0, 3, (size, 1))
    wander = np.where(kind == 1, 0.028 * random.standard_normal((size, weeks)), 0.0)
    wander = np.where(kind == 2, 0.016 * families.autocorrelated(random, (size, weeks)), wander)
    y, v = scale(families.binomial(random, (size, weeks), np.clip(share + wander, 0, 1)))
    places = np.arange(weeks).astype(float)
    known: list[list[Told]] = [[] for _ in range(size)]
    for now in range(WARM_UP, weeks + 1):
        for i in range(size):
            rows, summary = engine.examine(y[i, :now], v[i, :now], places[:now], True, 0.0)
            known[i] = followed(known[i], rows, float(summary[engine.THRESHOLD]))
        year = [flag for flags in known for flag in flags if flag.week < 0 or flag.week > now - 52]
        if year:
            for flag, tell in zip(year, trusted([flag.chance for flag in year], size), strict=True):
                if tell and flag.week < 0:
                    flag.week = now
    told = [(i, flag) for i in range(size) for flag in known[i] if flag.week >= 0]
    true = [i for i, flag in told if moves[i] and flag.earliest - changes.TOLERANCE <= at[i] <= flag.latest + changes.TOLERANCE]
    return len(told), len(told) - len(true), f"{100 * len(set(true)) / moves.sum():.0f} %" if moves.any() else "–"


@dataclass
class Told:
    """A flag as the watch keeps it."""

    earliest: int
    latest: int
    chance: float
    week: int = -1
    """When it was told; -1: it waits."""


def followed(flags: list[Told], rows: np.ndarray, threshold: float) -> list[Told]:
    """The flags of a series after a look: the same change is the same flag; one that waited and vanished is forgotten."""
    left, after = list(flags), []
    for row in rows:
        earliest, latest = int(row[engine.EARLIEST]), int(row[engine.LATEST])
        same = next((one for one in left if one.earliest <= latest and earliest <= one.latest), None)
        if same is not None:
            left.remove(same)
        seen = chance(float(row[engine.GAIN]), threshold)
        after.append(Told(earliest, latest, seen, same.week if same is not None else -1))
    return after + [one for one in left if one.week >= 0]


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def svg(width: int, height: int, title: str, lines: list[str]) -> str:
    """A drawing on a white ground, so that it reads on any page."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img">'
    return (
        "\n".join([head, f"<title>{title}</title>", f'<rect width="{width}" height="{height}" fill="#fff"/>', *lines, "</svg>"])
        + "\n"
    )


def word(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#161616">{text}</text>'


def drawn_flags(rows: list[list[str]], limit: float) -> str:
    """False flags by family, with the promise as a line."""
    height, left, width = 26 * len(rows) + 60, 270, 660
    across = (width - left - 60) / (max(float(row[1]) for row in [*rows, ["", str(limit)]]) * 1.15)
    lines = []
    for place, (name, rate, *_rest) in enumerate(rows):
        y, length = 26 * place + 30, across * float(rate)
        lines += [word(left - 8, y + 4, name, "end"), word(width - 8, y + 4, rate, "end")]
        lines.append(f'<rect x="{left}" y="{y - 8}" width="{length:.1f}" height="16" fill="#6a6af4"/>')
    x = left + across * limit
    lines.append(f'<path d="M{x:.1f} 12V{height - 30}" stroke="#161616" stroke-dasharray="4 3"/>')
    lines.append(word(x, height - 12, f"{limit} asked", "middle"))
    return svg(width, height, "False flags a series-year in each family where nothing moves; the promise is 0.05", lines)


def drawn_delays(rows: list[list[str]], false: dict[str, str]) -> str:
    """Weeks until a fall is flagged, by fall and engine, each engine with its false flags: speed alone says nothing."""
    engines = [
        ("fabrique, 104 weeks known", 3, "#000091"),
        ("fabrique, 52", 2, "#6a6af4"),
        ("Otava", 4, "#b34000"),
        ("PELT", 5, "#929292"),
    ]
    left, width, step = 110, 660, 20
    height = len(rows) * (len(engines) * step + 18) + 40
    across = (width - left - 330) / max(float(row[2]) for row in rows)
    lines, y = [], 30.0
    for row in rows:
        lines.append(word(left - 8, y + step * 1.7, row[0], "end"))
        for name, column, colour in engines:
            weeks = float(row[column])
            length = across * weeks
            told = f"{weeks:g} {'week' if weeks <= 1 else 'weeks'} · {name} ({false[name.split(',')[0]]} false flags a year)"
            lines += [
                f'<rect x="{left}" y="{y - 8}" width="{length:.1f}" height="14" fill="{colour}"/>',
                word(left + length + 6, y + 4, told),
            ]
            y += step
        y += 18
    return svg(width, height, "Median weeks until a fall is flagged, ours beside Otava and PELT", lines)


def main() -> None:
    begun = time.perf_counter()
    nulls, beside, falls = false_flags(), peers_false_flags(), delays()
    parts = [
        (
            "# What the watch promises, measured\n\n`make calibrate` wrote this with seed "
            f"{SEED}; {SERIES} series a family, {WEEKS // 52} years of weekly looks after {WARM_UP} weeks; engine {changes.VERSION}."
        ),
        "## False flags a series-year, where nothing moves\n\n" + table(["family", "false flags", "error", "asked"], nulls),
        "The peers at their defaults, on binomial weeks of 200 answers:\n\n" + table(["engine", "false flags"], beside),
        "## Weeks until a fall is flagged (median; 80 % of 200 answers a week falls once)\n\n"
        + table(["fall", "asked", "fabrique, 52 weeks known", "104 weeks known", "Otava", "PELT"], falls),
        "## Do the intervals hold the truth? (60 weeks, then 40)\n\n"
        + table(["fall", "found", "date inside", "effect inside"], intervals()),
        "## Is the chance that flags tell of right? (flags at least this clear a series-year)\n\n"
        + table(
            ["strength", "binomial, 200", "holiday weeks", "AR(1) ± 3 points", "AR(1) ± 1.6 points", "told: at most"], chances()
        ),
        "## The Turing change-point series (15 shared ones)\n\n" + table(["engine", "F1", "covering"], turing()),
        "## A portfolio of 1,250 series over three years\n\n"
        + table(["series that really move", "flags told", "false", "false share", "promised", "real changes told"], portfolio()),
    ]
    text = "\n\n".join(parts) + "\n"
    (HERE / "results.md").write_text(text)
    (HERE / "false-flags.svg").write_text(drawn_flags(nulls, 0.05))
    rates = {"fabrique": next(row[1] for row in nulls if row[0] == "binomial, 200"), "Otava": beside[0][1], "PELT": beside[1][1]}
    (HERE / "delays.svg").write_text(drawn_delays(falls, rates))
    sys.stdout.write(text + f"\n({time.perf_counter() - begun:.0f} s)\n")


if __name__ == "__main__":
    main()
