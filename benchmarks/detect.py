"""Change detection: series a second on one core, ours, Otava and ruptures in one run; growth with points; a million series in memory.

Run by `make bench` in the peers' environment.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
import warnings

import numba
import numpy as np
import ruptures
from otava.analysis import compute_change_points

from fabrique.stats.batch import detect_many
from fabrique.stats.engine import examine as engine
from fabrique.stats.measurements import Form

POINTS, MILLION = 104, 1_000_000


def drawn(series: int, points: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weekly shares on the engine's scale, one in ten with a fall in it: values, variances, places, offsets."""
    random = np.random.default_rng(1)
    falls = (random.random((series, 1)) < 0.1) & (np.arange(points) >= points // 2)
    counts = random.binomial(200, np.where(falls, 0.7, 0.8))
    y = 2 * np.arcsin(np.sqrt((counts + 0.375) / 200.75))
    places = np.tile(np.arange(points, dtype=np.float64), series)
    return y.ravel(), np.full(y.size, 1 / 200.5), places, np.arange(series + 1) * points


def ours(series: int, points: int) -> float:
    """Series a second."""
    given = drawn(series, points)
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        engine.examine_many(*given, True, 0.0)
        taken.append(time.perf_counter() - begun)
    return series / statistics.median(taken)


def otava(series: int) -> float:
    rows = drawn(series, POINTS)[0].reshape(series, POINTS).tolist()
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row in rows:
            compute_change_points(row)
    return series / (time.perf_counter() - begun)


def pelt(series: int) -> float:
    rows = drawn(series, POINTS)[0].reshape(series, POINTS)
    begun = time.perf_counter()
    for row in rows:
        price = np.log(POINTS) * np.var(np.diff(row))
        ruptures.Pelt(model="l2", min_size=2, jump=1).fit(row).predict(pen=price)
    return series / (time.perf_counter() - begun)


def a_million() -> None:
    """Run in a process of its own, so that its memory is its own: counts in, changes out, in slices that share the room."""
    slice_size = 50_000
    counts = np.random.default_rng(1).binomial(200, 0.8, (slice_size, POINTS)).ravel().astype(np.float64)
    answers, lengths = np.full(counts.size, 200.0), np.full(slice_size, POINTS)
    detect_many(Form.PROPORTION, (counts[:POINTS], answers[:POINTS]), [POINTS])  # compiled before the clock starts
    begun = time.perf_counter()
    found = sum(len(detect_many(Form.PROPORTION, (counts, answers), lengths).index) for _ in range(MILLION // slice_size))
    taken = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"1,000,000 series × {POINTS}, counts to changes, on {numba.get_num_threads()} cores: {taken:.0f} s (target 60), "
        f"{peak:.2f} GB at most (target 2), {100 * found / MILLION:.1f} % changed though none moves"
    )


def main() -> None:
    if sys.argv[1:] == ["million"]:
        a_million()
        return
    cores = numba.get_num_threads()
    numba.set_num_threads(1)
    ours(200, POINTS)
    print(f"{POINTS} points, one core, series a second: fabrique {ours(20_000, POINTS):,.0f} (target 20,000), "
          f"Apache Otava {otava(150):,.0f}, ruptures PELT {pelt(40):,.0f}")  # fmt: skip
    print("growth with points (one core), microseconds a point:")
    for points in (104, 208, 416, 1_000, 4_000, 16_000, 64_000):
        series = max(1, 1_000_000 // points // 4)
        print(f"  {points:>6} points: {1e6 / ours(series, points) / points:.2f}")
    print(
        "growth with series (one core), series a second: "
        + ", ".join(f"{n:,}: {ours(n, POINTS):,.0f}" for n in (100, 1_000, 10_000))
    )
    numba.set_num_threads(cores)
    subprocess.run([sys.executable, __file__, "million"], check=True)


if __name__ == "__main__":
    main()
