"""`make calibrate-looks`: what experiments promise, measured with fixed seeds beside the peers: daily looks, small samples, series."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special, stats

from fabrique.stats.confidence_sequence import always_valid, mixing_rho
from fabrique.stats.group_sequential import Spending, inflation, required_drift, spending_bounds
from fabrique.stats.group_sequential import power as power_of
from fabrique.stats.interrupted import interrupted_series, segmented_regression
from fabrique.stats.proportions import (
    EXACT_BELOW,
    boschloo_p,
    compare_proportions,
    newcombe_interval,
    pooled_z,
    relative_lift,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Truths = NDArray[np.bool_]

HERE = Path(__file__).parent
BENCH = HERE.parents[1] / ".venv-bench"
PYTHONS = {"gbstats": BENCH / "gbstats" / "bin" / "python", "spotify": BENCH / "bin" / "python"}
"""Where each peer is installed: gbstats asks for an older numpy than ours and lives apart."""
SEED, ALPHA, DAYS = 20261124, 0.05, 60
NORMAL = float(special.ndtri(1 - ALPHA / 2))
OURS, POOLED, ANYTIME = "fabrique, looks planned", "… with the pooled z alone", "fabrique, at any moment"
LOW, HIGH, LOSS, COVERED, IN_SERIES = 4.5, 5.5, 2.0, 94.5, 7.0
"""What STATISTICS asks, in %: false positives between the first two, power lost, coverage, false positives in series."""


@dataclass(frozen=True)
class Scenario:
    """A trial of 60 days: shares without and with the change, people an arm each day."""

    key: str
    share: float
    changed: float
    daily: int

    @property
    def words(self) -> str:
        planned = f"{self.daily} an arm a day, {DAYS * self.daily:,} an arm"
        return f"{self.key}: {100 * self.share:.0f} % → {100 * self.changed:.0f} %, {planned}"


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    scenarios: tuple[Scenario, ...]
    trials: int
    looks: tuple[int, ...]
    sizes: tuple[int, ...]
    shares: tuple[float, ...]
    designs: tuple[tuple[int, int], ...]
    series: int
    checked: int
    """States on which a formula is held against what it stands for."""
    peers: bool


SMALL, MEDIUM, LARGE = Scenario("S", 0.60, 0.68, 10), Scenario("M", 0.10, 0.12, 64), Scenario("L", 0.60, 0.62, 157)
WHOLE = Extent(
    (SMALL, MEDIUM, LARGE), 20_000, (1, 2, 5, 10, 20, 60), (20, 30, 50, 75, 100, 150, 200, 300),
    (0.05, 0.10, 0.20, 0.30, 0.50, 0.70, 0.80, 0.90), ((12, 12), (24, 12), (36, 24), (52, 26)), 1000, 300, peers=True,
)  # fmt: skip
QUICK = Extent((SMALL, MEDIUM), 400, (1, 5), (20, 50), (0.10, 0.50), ((12, 12), (24, 12)), 15, 10, peers=False)


# Looking every day ------------------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """Many trials at once, at the end of each day: successes so far in each arm (trials × days)."""

    treat: Counts
    ctrl: Counts
    daily: int

    @classmethod
    def draw(cls, random: np.random.Generator, scenario: Scenario, share: float, trials: int) -> Seen:
        shape = trials, DAYS
        treat = random.binomial(scenario.daily, share, shape).cumsum(axis=1)
        return cls(treat, random.binomial(scenario.daily, scenario.share, shape).cumsum(axis=1), scenario.daily)

    @cached_property
    def n(self) -> Counts:
        """People an arm at the end of each day."""
        return self.daily * np.arange(1, DAYS + 1)

    @cached_property
    def pooled(self) -> Floats:
        return pooled_z(self.treat, self.n, self.ctrl, self.n)[1]

    @cached_property
    def unpooled(self) -> Floats:
        """|z| with each arm's own variance; 0 where there is none."""
        p, q = self.treat / self.n, self.ctrl / self.n
        return ratio(np.abs(p - q), np.sqrt((p * (1 - p) + q * (1 - q)) / self.n))

    @cached_property
    def lift(self) -> tuple[Floats, Floats]:
        return lift_of(self.treat, self.ctrl, self.n)


def ratio(estimate: Floats, error: Floats) -> Floats:
    return np.divide(estimate, error, out=np.zeros_like(error), where=error > 0)


def lift_of(treat: Counts, ctrl: Counts, n: Counts | int) -> tuple[Floats, Floats]:
    """GrowthBook's reading of two shares: z of the relative effect and its Welch degrees of freedom; z = 0 where it gives no answer."""
    p, q = treat / n, ctrl / n
    v, w = p * (1 - p), q * (1 - q)
    answered = (v > 0) & (w > 0)
    base = np.where(answered, q, 1.0)
    z = np.where(answered, ratio((p - base) / base, np.sqrt(v / (base**2 * n) + w * p**2 / (base**4 * n))), 0.0)
    freedom = np.where(answered, (n - 1) * (v + w) ** 2 / np.where(answered, v**2 + w**2, 1.0), 1.0)
    return z, freedom


def t_tail(z: Floats, freedom: Floats) -> Floats:
    return np.asarray(2 * special.stdtr(freedom, -np.abs(z)))


def anytime_p(z: Floats, n: Counts, n_star: float) -> Floats:
    """p-value of the confidence sequence, as `always_valid` computes it, for many states."""
    informed = n * mixing_rho(n_star, ALPHA) ** 2
    return np.exp(-np.maximum(0.5 * z**2 * informed / (informed + 1) - 0.5 * np.log1p(informed), 0.0))


def days_of(looks: int) -> Counts:
    """The days of equally spaced looks, counted from 0."""
    return DAYS * np.arange(1, looks + 1) // looks - 1


def levels(days: Counts, spending: Spending = "obrien_fleming", *, separate: bool = False) -> Floats:
    """The p-value that each look has to reach, at its information fraction."""
    fractions = tuple(float(one) for one in (days + 1) / DAYS)
    return np.array(spending_bounds(fractions, alpha=ALPHA, spending=spending, separate=separate).nominal_p)


def ours(seen: Seen, days: Counts) -> Truths:
    """As fabrique analyses: an exact p-value below 317 people an arm, the pooled z test beyond."""
    found = np.zeros((len(seen.treat), len(days)), dtype=bool)
    for place, (day, level) in enumerate(zip(days, levels(days), strict=True)):
        n, treat, ctrl = int(seen.n[day]), seen.treat[:, day], seen.ctrl[:, day]
        if n * n < EXACT_BELOW:
            found[:, place] = rejected(n, float(level))[treat, ctrl]
        else:
            few = np.minimum(treat + ctrl, 2 * n - treat - ctrl).min() / 2 < 10
            assert not few, "a cell so small that fabrique takes Fisher's p-value"
            found[:, place] = seen.pooled[:, day] <= level
    return found


def chance_to_win(seen: Seen) -> Floats:
    return np.asarray(special.ndtr(seen.lift[0]))


ENGINES: dict[str, Callable[[Seen, Counts], Truths]] = {
    OURS: ours,
    POOLED: lambda seen, days: seen.pooled[:, days] <= levels(days),
    ANYTIME: lambda seen, days: anytime_p(seen.unpooled, 2 * seen.n, 2 * DAYS * seen.daily)[:, days] <= ALPHA,
    "one look's test at each look": lambda seen, days: seen.pooled[:, days] <= ALPHA,
    "GrowthBook, fixed horizon": lambda seen, days: t_tail(*seen.lift)[:, days] < ALPHA,
    "GrowthBook, sequential, N* 5,000": lambda seen, days: anytime_p(seen.lift[0], 2 * seen.n, 5000)[:, days] < ALPHA,
    "GrowthBook, chance to win 95 %": lambda seen, days: np.abs(chance_to_win(seen)[:, days] - 0.5) > 0.45,
    "Spotify, group sequential": lambda seen, days: (
        2 * special.ndtr(-seen.unpooled[:, days]) < levels(days, "power", separate=True)
    ),
}


def called(seen: Seen, crossed: Truths, days: Counts) -> tuple[Truths, Truths]:
    """Which trials crossed at some look, and which of them crossed first for the better."""
    first = crossed.argmax(axis=1)
    rows = np.arange(len(first))
    ever = crossed.any(axis=1)
    return ever, ever & (seen.treat[rows, days[first]] > seen.ctrl[rows, days[first]])


Shares = dict[str, dict[str, dict[int, float]]]
"""By scenario, engine and number of looks."""


@dataclass(frozen=True)
class Looked:
    """Shares of trials called; the power that looking costs ours, with its error, both in points."""

    false: Shares
    power: Shares
    lost: dict[str, dict[int, tuple[float, float]]]
    checks: list[str]


def looking(extent: Extent) -> Looked:
    """False positives where nothing differs, power where the planned change is there: the same trials for all engines and looks."""
    random = np.random.default_rng(SEED)
    false: Shares = {}
    power: Shares = {}
    lost: dict[str, dict[int, tuple[float, float]]] = {}
    kept = []
    for scenario in extent.scenarios:
        nothing = Seen.draw(random, scenario, scenario.share, extent.trials)
        change = Seen.draw(random, scenario, scenario.changed, extent.trials)
        kept += [nothing, change]
        false[scenario.key], _ = over_looks(nothing, 0, extent)
        power[scenario.key], lost[scenario.key] = over_looks(change, 1, extent)
    return Looked(false, power, lost, checks(kept, extent))


def over_looks(seen: Seen, side: int, extent: Extent) -> tuple[dict[str, dict[int, float]], dict[int, tuple[float, float]]]:
    """Shares called by engine and number of looks; what ours loses beside a single look, trial by trial."""
    shares: dict[str, dict[int, float]] = {}
    own: dict[int, Truths] = {}
    for name, engine in ENGINES.items():
        found = {looks: called(seen, engine(seen, days_of(looks)), days_of(looks))[side] for looks in extent.looks}
        shares[name] = {looks: float(hits.mean()) for looks, hits in found.items()}
        own = found if name == OURS else own
    gaps = {looks: own[1].astype(float) - hits for looks, hits in own.items()}
    return shares, {looks: (100 * float(gap.mean()), 100 * float(gap.std()) / len(gap) ** 0.5) for looks, gap in gaps.items()}


def theory(looks: int) -> tuple[float, float]:
    """By quadrature, without simulation: points that the looks cost a trial with 80 % power, and how much larger one must be for them."""
    information = tuple(look / looks for look in range(1, looks + 1))
    bounds = spending_bounds(information, alpha=ALPHA)
    drift = required_drift((NORMAL,), (1.0,), 0.8)
    return max(0.0, 80 - 100 * power_of(bounds.bounds_z, information, drift)), inflation(bounds, power=0.8)


# Held against what the formulas stand for -------------------------------------------------------------------------------------


def checks(kept: Sequence[Seen], extent: Extent) -> list[str]:
    """Each formula above beside the function or the package that it stands for, on states drawn from the trials."""
    random = np.random.default_rng(SEED + 1)
    states = [drawn_state(random, kept, DAYS) for _ in range(extent.checked)]
    gaps = [abs(anytime_of(*state) - beside_anytime(*state)) for state in states]
    said = [f"`always_valid` of fabrique on {extent.checked} states: largest difference of p {max(gaps):.0e}."]
    said.append(check_exact(random, kept, extent))
    return said + (check_gbstats(states) + check_spotify(random, kept, extent) if extent.peers else [])


def drawn_state(random: np.random.Generator, kept: Sequence[Seen], days: int) -> tuple[Seen, int, int]:
    seen = kept[random.integers(len(kept))]
    return seen, int(random.integers(len(seen.treat))), int(random.integers(min(days, DAYS)))


def state_of(seen: Seen, trial: int, day: int) -> tuple[int, int, int, int]:
    n = int(seen.n[day])
    return int(seen.treat[trial, day]), n, int(seen.ctrl[trial, day]), n


def anytime_of(seen: Seen, trial: int, day: int) -> float:
    n = 2 * seen.n[day : day + 1]
    return float(anytime_p(seen.unpooled[trial, day : day + 1], n, 2 * DAYS * seen.daily)[0])


def beside_anytime(seen: Seen, trial: int, day: int) -> float:
    found = compare_proportions(*state_of(seen, trial, day))
    n = 2.0 * float(seen.n[day])
    return always_valid(found.difference, found.standard_error, n, alpha=ALPHA, n_star=2 * DAYS * seen.daily).p_value


def check_exact(random: np.random.Generator, kept: Sequence[Seen], extent: Extent) -> str:
    """The exact test's region beside `compare_proportions`, on small states and the levels of their looks."""
    agreed = 0
    for _ in range(extent.checked):
        seen, trial, _day = drawn_state(random, kept, DAYS)
        looks = int(random.choice(extent.looks))
        day = int(random.choice(days_of(looks)))
        level = float(levels(days_of(looks))[days_of(looks) == day][0])
        mine = ours(Seen(seen.treat[trial : trial + 1], seen.ctrl[trial : trial + 1], seen.daily), days_of(looks))
        theirs = compare_proportions(*state_of(seen, trial, day)).p_value <= level
        agreed += bool(mine[0, days_of(looks) == day][0]) == theirs
    return f"`compare_proportions` of fabrique on {extent.checked} looks: the same side of the boundary in {agreed}."


def ask(peer: str, asked: object) -> dict[str, Any] | None:
    """What the peer's own package answers; None where it is not installed."""
    if not PYTHONS[peer].exists():
        return None
    command = [str(PYTHONS[peer]), "-W", "ignore", str(HERE / "peers.py"), peer]
    ran = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    return json.loads(ran.stdout) if ran.returncode == 0 else None


def check_gbstats(states: Sequence[tuple[Seen, int, int]]) -> list[str]:
    answers = ask("gbstats", [state_of(*state) for state in states])
    if answers is None:
        return ["gbstats is not installed here: its formula, computed here."]
    mine: dict[str, list[float]] = {"fixed": [], "sequential": [], "chance": []}
    for seen, trial, day in states:
        z, freedom = (one[trial, day : day + 1] for one in seen.lift)
        mine["fixed"].append(float(t_tail(z, freedom)[0]))
        mine["sequential"].append(float(anytime_p(z, 2 * seen.n[day : day + 1], 5000)[0]))
        mine["chance"].append(float(special.ndtr(z)[0]))
    gaps = ", ".join(f"{name} {np.abs(np.subtract(mine[name], answers[name])).max():.0e}" for name in mine)
    return [f"gbstats {answers['version']} on the same {len(states)} states: largest differences {gaps}."]


def check_spotify(random: np.random.Generator, kept: Sequence[Seen], extent: Extent) -> list[str]:
    gap, agreed, asked, version = 0.0, 0, 0, ""
    for looks in extent.looks:
        days = days_of(looks)
        seen = kept[random.integers(len(kept))]
        some = random.integers(len(seen.treat), size=4)
        trials = [[state_of(seen, int(trial), int(day)) for day in days] for trial in some]
        answers = ask("spotify", {"planned": 2 * DAYS * seen.daily, "trials": trials})
        if answers is None:
            return ["spotify-confidence is not installed here: its formula, computed here."]
        version = answers["version"]
        gap = max(gap, float(np.abs(np.array(answers["levels"]) - levels(days, "power", separate=True)).max()))
        mine = ENGINES["Spotify, group sequential"](Seen(seen.treat[some], seen.ctrl[some], seen.daily), days)
        agreed += int((mine == np.array(answers["significant"])).sum())
        asked += mine.size
    return [
        f"spotify-confidence {version} on {asked} looks: the same verdict in {agreed}, largest difference of a level {gap:.0e}."
    ]


# Few people: every table ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def rejected(n: int, level: float) -> Truths:
    """Which tables of two arms of n people have a Boschloo p-value of at most the level (successes of one × of the other).

    That p-value grows with the smaller of Fisher's one-sided ones: so few calls find where it passes the level.
    """
    least = fisher_tails(n)
    order = np.argsort(least, axis=None, kind="stable")
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        treat, ctrl = divmod(int(order[middle]), n + 1)
        if boschloo_p(treat, n, ctrl, n) <= level:
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return np.zeros_like(least, dtype=bool)
    return np.asarray(least <= least.flat[order[low - 1]] * (1 + 1e-7))


@lru_cache(maxsize=128)
def fisher_tails(n: int) -> Floats:
    """The smaller of Fisher's one-sided p-values of each table."""
    first, both = np.arange(n + 1)[:, None], np.arange(2 * n + 1)[None, :]
    inside = (both >= first) & (both - first <= n)
    log = special.gammaln(np.arange(2 * n + 1) + 1.0)
    second = np.clip(both - first, 0, n)
    chance = 2 * log[n] - log[first] - log[n - first] - log[second] - log[n - second]
    chance = chance - (log[2 * n] - log[both] - log[2 * n - both])
    tails = np.cumsum(np.where(inside, np.exp(chance), 0.0)[::-1], axis=0)[::-1]
    up = tails[first, first + first.T]
    return np.asarray(np.minimum(up, up.T))


@dataclass(frozen=True)
class Tables:
    """Every table of two arms of n people: what each way to read it says (successes treated × control)."""

    n: int
    reject: dict[str, Truths]
    low: dict[str, Floats]
    high: dict[str, Floats]
    unanswered: Truths
    """Where the relative lift has none, by GrowthBook's rule: an arm in which nobody or everybody succeeded."""

    @classmethod
    def of(cls, n: int) -> Tables:
        treat, ctrl = np.mgrid[0 : n + 1, 0 : n + 1]
        z, freedom = lift_of(treat, ctrl, n)
        p, q = treat / n, ctrl / n
        half = NORMAL * np.sqrt((p * (1 - p) + q * (1 - q)) / n)
        exact = rejected(n, ALPHA)
        found = [newcombe_interval(a, n, b, n) for a in range(n + 1) for b in range(n + 1)]
        low, high = (np.array([getattr(one, side) for one in found]).reshape(n + 1, n + 1) for side in ("low", "high"))
        return cls(
            n,
            {
                "fabrique": exact,
                "pooled": pooled_z(treat, n, ctrl, n)[1] <= ALPHA,
                "lift": t_tail(z, freedom) < ALPHA,
                "wald": np.abs(p - q) > half,
            },
            {"newcombe": low, "shown": np.where(exact, low, np.minimum(low, 0.0)), "wald": p - q - half},
            {"newcombe": high, "shown": np.where(exact, high, np.maximum(high, 0.0)), "wald": p - q + half},
            (treat % n == 0) | (ctrl % n == 0),
        )

    def chance(self, share: float, other: float) -> Floats:
        """How likely each table is."""
        places = np.arange(self.n + 1)
        return np.outer(stats.binom.pmf(places, self.n, share), stats.binom.pmf(places, self.n, other))

    def covered(self, method: str, share: float, gap: float) -> float:
        """In how many samples, in %, the interval holds the true difference."""
        inside = (self.low[method] <= gap + 1e-12) & (self.high[method] >= gap - 1e-12)
        return 100 * float((self.chance(share + gap, share) * inside).sum())

    def errs(self, method: str, share: float) -> float:
        """In how many samples, in %, a difference is found where there is none."""
        return 100 * float((self.chance(share, share) * self.reject[method]).sum())


GAP = 0.10
"""The difference, beside none, at which coverage is measured."""


@dataclass(frozen=True)
class Enumerated:
    """By size and share, in %."""

    errs: dict[str, Floats]
    covers: dict[tuple[str, float], Floats]
    unanswered: Floats
    answered: Floats
    check: str


def enumerated(extent: Extent) -> Enumerated:
    """Small samples without any simulation: every table, with its chance."""
    every = [Tables.of(n) for n in extent.sizes]
    errs = {name: np.array([[one.errs(name, p) for p in extent.shares] for one in every]) for name in every[0].reject}
    covers = {
        (name, gap): np.array([[one.covered(name, p, gap) if p + gap < 1 else np.nan for p in extent.shares] for one in every])
        for name in every[0].low
        for gap in (0.0, GAP)
    }
    missing = np.array([[100 * float((one.chance(p, p) * one.unanswered).sum()) for p in extent.shares] for one in every])
    finite = np.array(
        [
            [100 * float((one.chance(p, p) * np.isfinite(one.high["shown"] - one.low["shown"])).sum()) for p in extent.shares]
            for one in every
        ]
    )
    return Enumerated(errs, covers, missing, finite, check_tables(every, extent))


def check_tables(every: Sequence[Tables], extent: Extent) -> str:
    """Verdicts, intervals and lifts beside `compare_proportions` and `relative_lift`, on tables drawn from all."""
    random = np.random.default_rng(SEED + 2)
    agreed, widest = 0, 0.0
    for _ in range(extent.checked):
        one = every[random.integers(len(every))]
        share = random.choice(extent.shares)
        treat, ctrl = (int(random.binomial(one.n, min(1.0, share + shift))) for shift in (random.choice([0.0, 0.1, 0.2]), 0.0))
        found = compare_proportions(treat, one.n, ctrl, one.n)
        agreed += (found.p_value <= ALPHA) == bool(one.reject["fabrique"][treat, ctrl])
        widest = max(widest, abs(found.interval.low - one.low["shown"][treat, ctrl]))
        widest = max(widest, abs(found.interval.high - one.high["shown"][treat, ctrl]))
        if not one.unanswered[treat, ctrl]:
            z, freedom = lift_of(np.array([treat]), np.array([ctrl]), one.n)
            widest = max(widest, abs(relative_lift(treat, one.n, ctrl, one.n).p_value - float(t_tail(z, freedom)[0])))
    return (
        f"`compare_proportions` and `relative_lift` on {extent.checked} tables: the same verdict in {agreed}, "
        f"largest difference of an end or a p {widest:.0e}."
    )


# Before and after, in a series ------------------------------------------------------------------------------------------------

JUMP = 1.5
"""Size of the change whose power is measured, in standard deviations of the errors."""
CORRELATIONS = (0.0, 0.4, 0.6)
SERIES_METHODS = ("fabrique", "Welch", "Newey–West", "Newey–West, lag 12")
"""The first Newey–West has the usual lag, 4·(n/100)^(2/9): 2 or 3 periods here; twelve is what `segmented_regression` takes."""


def autocorrelated(random: np.random.Generator, size: int, periods: int, phi: float) -> Floats:
    """Stationary AR(1) errors of variance 1: series × periods."""
    errors = random.standard_normal((size, periods))
    errors[:, 1:] *= np.sqrt(1 - phi * phi)
    for period in range(1, periods):
        errors[:, period] += phi * errors[:, period - 1]
    return errors


def judged(values: Floats, before: int) -> list[int]:
    """How many of the series each method calls changed at 5 %."""
    own = sum(found <= ALPHA for one in values if (found := interrupted_series(one, before, placebo=False).p_value) is not None)
    welch = stats.ttest_ind(values[:, before:], values[:, :before], axis=1, equal_var=False).pvalue <= ALPHA
    reach = float(stats.t.isf(ALPHA / 2, values.shape[1] - 4))
    usual = int(4 * (values.shape[1] / 100) ** (2 / 9))
    hac = []
    for lag in (usual, 12):
        fitted = [segmented_regression(one, before, lag=lag) for one in values]
        hac.append(sum(abs(one.level_change) > reach * one.level_hac_se for one in fitted))
    return [own, int(welch.sum()), *hac]


@dataclass(frozen=True)
class Task:
    """Some series of one design."""

    before: int
    after: int
    phi: float
    jump: float
    seed: tuple[int, ...]
    size: int

    def run(self) -> list[int]:
        values = autocorrelated(np.random.default_rng(self.seed), self.size, self.before + self.after, self.phi)
        values[:, self.before :] += self.jump
        return judged(values, self.before)


Key = tuple[tuple[int, int], float, float]


Series = dict[Key, tuple[int, list[float]]]
"""Number of series, and shares called changed by each method, by design, autocorrelation and jump."""


def tasks_of(extent: Extent) -> list[tuple[Key, Task]]:
    """Every design, autocorrelation and jump; twice as many series where a target is asked."""
    tasks: list[tuple[Key, Task]] = []
    for place, (before, after) in enumerate(extent.designs):
        for phi in CORRELATIONS:
            for jump in (0.0, JUMP):
                parts = 2 if phi == 0.4 and jump == 0 else 1
                seeds = [(SEED, 3, place, round(10 * phi), round(10 * jump), part) for part in range(parts)]
                tasks += [(((before, after), phi, jump), Task(before, after, phi, jump, seed, extent.series)) for seed in seeds]
    return tasks


def gathered(keys: Sequence[Key], counts: Sequence[list[int]], size: int) -> Series:
    """The shares of tasks of that size each, those of the same key together."""
    by_key: dict[Key, list[list[int]]] = {}
    for key, one in zip(keys, counts, strict=True):
        by_key.setdefault(key, []).append(one)
    return {
        key: (size * len(parts), [sum(one) / (size * len(parts)) for one in zip(*parts, strict=True)])
        for key, parts in by_key.items()
    }


def measured(extent: Extent, processes: int) -> tuple[Looked, Enumerated, Series]:
    """All three parts; the answer does not depend on the number of processes."""
    keys, tasks = zip(*tasks_of(extent), strict=True)
    if processes == 1:
        return looking(extent), enumerated(extent), gathered(keys, [task.run() for task in tasks], extent.series)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read by the processes when they import numpy: theirs are small matrices
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        looked, small = pool.submit(looking, extent), pool.submit(enumerated, extent)
        counts = list(pool.map(Task.run, tasks))
        return looked.result(), small.result(), gathered(keys, counts, extent.series)


# What is written --------------------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def error(share: float, size: int) -> float:
    """Monte Carlo standard error of a share."""
    return float(np.sqrt(share * (1 - share) / size))


def cell(share: float, size: int) -> str:
    return f"{100 * share:.1f} ± {100 * error(share, size):.1f}"


def verdict(reached: bool) -> str:
    return "reached" if reached else "**not reached**"


def summary(extent: Extent, looked: Looked, small: Enumerated, series: Series) -> str:
    """Each target beside its worst figure."""
    false = [100 * share for one in looked.false.values() for share in one[OURS].values()]
    anytime = [100 * share for one in looked.false.values() for share in one[ANYTIME].values()]
    most = max(extent.looks)
    loss, unsure = max(one[most] for one in looked.lost.values())
    cost, larger = theory(most)
    fewer = max(looks for looks in extent.looks if theory(looks)[0] <= LOSS)
    waited = max(100 * (one[OURS][1] - one[ANYTIME][most]) for one in looked.power.values())
    errs = float(small.errs["fabrique"].max())
    nil, moved = (float(np.nanmin(small.covers["shown", gap])) for gap in (0.0, GAP))
    alone, apart = (float(np.nanmin(small.covers["newcombe", gap])) for gap in (0.0, GAP))
    kept = [100 * shares[0] for (_, phi, jump), (_, shares) in series.items() if phi == 0.4 and jump == 0]
    answered = float(small.answered.min())
    rows = [
        [f"false positives, {OURS}, 1 to {max(extent.looks)} looks", f"{min(false):.1f} to {max(false):.1f} %",
         f"{LOW} to {HIGH} %", verdict(min(false) >= LOW and max(false) <= HIGH)],
        [f"power lost to {most} looks", f"{loss:.1f} ± {unsure:.1f} points", f"{LOSS:g} points", verdict(loss <= LOSS)],
        ["… in theory, a trial of 80 %", f"{cost:.2f} points with {most} looks, {theory(fewer)[0]:.2f} with {fewer}",
         f"{LOSS:g} points", verdict(cost <= LOSS)],
        ["… what a plan adds to lose none", f"{100 * (larger - 1):.1f} % more people", "–", "`fabrique experiments check` adds it"],
        [f"false positives, {ANYTIME}", f"{min(anytime):.1f} to {max(anytime):.1f} %", f"≤ {HIGH} %", verdict(max(anytime) <= HIGH)],
        [f"… its power lost with {most} looks", f"{waited:.1f} points", "–", "the price of no plan"],
        ["small samples, false positives", f"≤ {errs:.2f} %", f"≤ {HIGH} %", verdict(errs <= HIGH)],
        ["… coverage of a nil difference, as shown", f"≥ {nil:.2f} %", f"≥ {COVERED} %", verdict(nil >= COVERED)],
        ["… of a nil difference, Newcombe’s alone", f"≥ {alone:.2f} %", f"≥ {COVERED} %", verdict(alone >= COVERED)],
        ["… coverage of 10 points, as shown", f"≥ {moved:.2f} %", f"≥ {COVERED} %", verdict(moved >= COVERED)],
        ["… of 10 points, Newcombe’s alone", f"≥ {apart:.2f} %", f"≥ {COVERED} %", verdict(apart >= COVERED)],
        ["… samples with an answer", f"{answered:.0f} %", "100 %", verdict(answered > 100 - 1e-6)],
        ["series with AR(1) 0.4, false positives", f"{min(kept):.1f} to {max(kept):.1f} %", f"≤ {IN_SERIES:g} %",
         verdict(max(kept) <= IN_SERIES)],
    ]  # fmt: skip
    return table(["", "measured (worst)", "asked", ""], rows)


def looks_tables(extent: Extent, looked: Looked) -> list[str]:
    """False positives, then power, a table a scenario."""
    parts = []
    for scenario in extent.scenarios:
        head = [*(f"{looks} {'look' if looks == 1 else 'looks'}" for looks in extent.looks), "asked"]
        for title, shares in (("False positives", looked.false), ("Power", looked.power)):
            rows = []
            for name, by_looks in shares[scenario.key].items():
                asked = "–"
                if name in {OURS, POOLED}:
                    asked = f"{LOW} to {HIGH}" if title != "Power" else f"≥ {100 * by_looks[1] - LOSS:.1f}"
                elif name == ANYTIME and title != "Power":
                    asked = f"≤ {HIGH}"
                rows.append([name, *(cell(by_looks[looks], extent.trials) for looks in extent.looks), asked])
            parts.append(f"### {title}, %; {scenario.words}\n\n" + table(["", *head], rows))
    rows = [
        [scenario.key, *(f"{gap:.1f} ± {unsure:.1f}" for gap, unsure in looked.lost[scenario.key].values()), f"≤ {LOSS:g}"]
        for scenario in extent.scenarios
    ]
    rows.append(["in theory, 80 %", *(f"{theory(looks)[0]:.2f}" for looks in extent.looks), f"≤ {LOSS:g}"])
    rows.append(["people to add to lose none, %", *(f"{100 * theory(looks)[1] - 100:.1f}" for looks in extent.looks), "–"])
    parts.append(f"### Power lost to looking, points; {OURS}, trial by trial\n\n" + table(["", *head], rows))
    return parts


def small_tables(extent: Extent, small: Enumerated) -> list[str]:
    """Worst cases by size, then ours at every size and share."""
    worst = []
    for place, n in enumerate(extent.sizes):
        figures = [small.errs[name][place].max() for name in ("fabrique", "pooled", "lift", "wald")]
        told = [f"{one:.2f}" for one in figures]
        lowest = [np.nanmin(small.covers[key][place]) for key in (
            ("shown", 0.0), ("newcombe", 0.0), ("shown", GAP), ("newcombe", GAP), ("wald", 0.0), ("wald", GAP))]  # fmt: skip
        worst.append(
            [str(n), told[0], f"≤ {HIGH}", *told[1:3], f"{small.unanswered[place].max():.1f}", told[3], f"{COVERED}",
             *(f"{one:.2f}" for one in lowest)]
        )  # fmt: skip
    head = ["people an arm", "fabrique", "asked", "pooled z", "relative lift t", "… without an answer", "Wald"]
    parts = ["### False positives, %: the worst share of success\n\n" + table(head, [row[:7] for row in worst])]
    head = ["people an arm", "asked", "as shown, nil", "Newcombe, nil", "as shown, 10 points", "Newcombe, 10 points",
            "Wald, nil", "Wald, 10 points"]  # fmt: skip
    rows = [[row[0], f"≥ {row[7]}", *row[8:]] for row in worst]
    parts.append("### Samples whose interval holds the truth, %: the worst share of success\n\n" + table(head, rows))
    for title, grid in (
        ("False positives of fabrique, %", small.errs["fabrique"]),
        ("False positives of the relative-lift t test, %", small.errs["lift"]),
        ("Samples in which the relative lift has no answer, %", small.unanswered),
        ("Coverage of a nil difference, as shown, %", small.covers["shown", 0.0]),
        ("Coverage of a nil difference, Newcombe's alone, %", small.covers["newcombe", 0.0]),
        ("Coverage of 10 points more than this share, as shown, %", small.covers["shown", GAP]),
    ):
        rows = [
            [str(n), *("–" if np.isnan(one) else f"{one:.1f}" for one in line)]
            for n, line in zip(extent.sizes, grid, strict=True)
        ]
        parts.append(f"### {title}\n\n" + table(["people an arm", *(f"{100 * p:.0f} %" for p in extent.shares)], rows))
    return parts


def series_tables(extent: Extent, series: Series) -> list[str]:
    """False positives and power, by design and autocorrelation."""
    parts = []
    for title, jump in (("False positives, %", 0.0), (f"Power at a jump of {JUMP} standard deviations, %", JUMP)):
        rows = []
        for phi in CORRELATIONS:
            for before, after in extent.designs:
                size, shares = series[(before, after), phi, jump]
                asked = f"≤ {IN_SERIES:g}" if phi == 0.4 and jump == 0 else "–"
                rows.append([f"{phi:g}", f"{before} + {after}", str(size), *(cell(share, size) for share in shares), asked])
        parts.append(f"### {title}\n\n" + table(["AR(1)", "periods", "series", *SERIES_METHODS, "asked"], rows))
    return parts


COLOURS = ("#000091", "#6a6af4", "#b3b3fb", "#929292")


def svg(width: int, height: int, title: str, lines: list[str]) -> str:
    """A drawing on a white ground, so that it reads on any page."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" role="img">'
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<title>{title}</title>", ground, *lines, "</svg>"]) + "\n"


def word(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#161616">{text}</text>'


@dataclass(frozen=True)
class Bars:
    """Groups of bars that lie beneath one another: a group a name, a bar a key."""

    title: str
    keys: Sequence[str]
    groups: dict[str, list[float]]
    marks: Sequence[tuple[float, str]]

    def drawn(self) -> str:
        left, width, step = 240, 660, 15
        tall = len(self.keys) * step + 12
        height = len(self.groups) * tall + 82
        across = (width - left - 60) / max(max(values) for values in self.groups.values())
        lines, x = [], float(left)
        for place, key in enumerate(self.keys):
            lines.append(f'<rect x="{x:.1f}" y="12" width="12" height="12" fill="{COLOURS[place]}"/>')
            lines.append(word(x + 17, 23, key))
            x += 30 + 7 * len(key)
        y = 44.0
        for name, values in self.groups.items():
            lines.append(word(left - 8, y + (tall - 12) / 2 + 3, name, "end"))
            for value, colour in zip(values, COLOURS, strict=False):
                lines.append(f'<rect x="{left}" y="{y:.1f}" width="{across * value:.1f}" height="12" fill="{colour}"/>')
                lines.append(word(width - 8, y + 10, f"{value:.1f}", "end"))
                y += step
            y += 12
        for at, label in self.marks:
            x = left + across * at
            lines.append(f'<path d="M{x:.1f} 36V{height - 32}" stroke="#161616" stroke-dasharray="4 3"/>')
            lines.append(word(x, height - 14, label, "middle"))
        return svg(width, height, self.title, lines)


def drawings(extent: Extent, looked: Looked, series: Series) -> dict[str, str]:
    """The pictures, by file name."""
    most = max(extent.looks)
    keys = [f"{one.key}: {100 * one.share:.0f} → {100 * one.changed:.0f} %" for one in extent.scenarios]

    def by_engine(shares: Shares) -> dict[str, list[float]]:
        names = [name for name in ENGINES if name != POOLED]
        return {name: [100 * shares[one.key][name][most] for one in extent.scenarios] for name in names}

    once = 100 * float(np.mean([one[OURS][1] for one in looked.power.values()]))
    by_design = {
        name: [100 * series[design, 0.4, 0.0][1][place] for design in extent.designs] for place, name in enumerate(SERIES_METHODS)
    }
    designs = [f"{before} + {after}" for before, after in extent.designs]
    return {
        "false-positives.svg": Bars(
            f"False positives in % after {most} daily looks where nothing differs", keys, by_engine(looked.false), [(5.0, "5 % promised")]
        ).drawn(),
        "power.svg": Bars(
            f"Power in % with {most} daily looks; a single look at the end has about {once:.0f}",
            keys, by_engine(looked.power), [(once, f"{once:.0f} % with one look")],
        ).drawn(),
        "series.svg": Bars(
            "False positives in %: a dated change in series without any, AR(1) 0.4, so many periods before + after",
            designs, by_design, [(IN_SERIES, f"{IN_SERIES:g} % asked")],
        ).drawn(),
    }  # fmt: skip


def written(extent: Extent, processes: int) -> dict[str, str]:
    """Every file that the study writes, by name."""
    looked, small, series = measured(extent, processes)
    parts = [
        (
            "# Looks, small samples, series: measured\n\n"
            f"`make calibrate-looks` wrote this with seed {SEED}; {extent.trials:,} simulated trials of {DAYS} days a scenario; every "
            f"table of two arms; {extent.series:,} simulated series or more a design. Nominal error 5 %, two-sided; ± is one Monte Carlo "
            "standard error."
        ),
        "## What was asked, and what was found\n\n" + summary(extent, looked, small, series),
        "## Looking every day\n\n" + "\n\n".join(looks_tables(extent, looked)),
        "Each engine is a formula over all trials at once, held against what it stands for:\n\n"
        + "\n".join(f"- {one}" for one in looked.checks),
        "## Few people: every table, no simulation\n\n" + "\n\n".join(small_tables(extent, small)),
        f"- {small.check}",
        "## Before and after, in a series\n\n" + "\n\n".join(series_tables(extent, series)),
    ]
    return {"results.md": "\n\n".join(parts) + "\n", **drawings(extent, looked, series)}


def main() -> None:
    begun = time.perf_counter()
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--quick", action="store_true", help="a small part, printed and not kept")
    reader.add_argument("--processes", type=int, default=2)
    asked = reader.parse_args()
    files = written(QUICK, 1) if asked.quick else written(WHOLE, asked.processes)
    if not asked.quick:
        for name, text in files.items():
            (HERE / name).write_text(text)
    sys.stdout.write(files["results.md"])
    sys.stderr.write(f"({time.perf_counter() - begun:.0f} s)\n")


if __name__ == "__main__":
    main()
