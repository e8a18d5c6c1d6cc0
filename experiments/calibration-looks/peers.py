"""The peers themselves, each asked in the environment that it installs in: states on standard input, its answers on standard output.

python peers.py gbstats < states.json      [[treated successes, people, control successes, people], …]
python peers.py spotify < trials.json      {"planned": people in both arms, "trials": [[the same, a look a row], …]}
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any


def gbstats(states: list[list[int]]) -> dict[str, Any]:
    """GrowthBook's three ways to read a share, at its defaults: relative effects, N* = 5000, a flat prior."""
    from gbstats.bayesian.tests import EffectBayesianABTest  # noqa: PLC0415 - installed in that peer's environment alone
    from gbstats.frequentist.tests import SequentialTwoSidedTTest, TwoSidedTTest  # noqa: PLC0415
    from gbstats.models.statistics import ProportionStatistic  # noqa: PLC0415

    answers: dict[str, Any] = {"version": version("gbstats"), "fixed": [], "sequential": [], "chance": []}
    for treated, n_treat, control, n_ctrl in states:
        pair = ProportionStatistic(n=n_ctrl, sum=control), ProportionStatistic(n=n_treat, sum=treated)
        answers["fixed"].append(float(TwoSidedTTest(*pair).compute_result().p_value))
        answers["sequential"].append(float(SequentialTwoSidedTTest(*pair).compute_result().p_value))
        answers["chance"].append(float(EffectBayesianABTest(*pair).compute_result().chance_to_win))
    return answers


def spotify(asked: dict[str, Any]) -> dict[str, Any]:
    """Spotify's z test with its group-sequential bounds, at its defaults: the level of each look, and what it calls significant."""
    import pandas as pd  # noqa: PLC0415 - installed in that peer's environment alone
    from spotify_confidence.analysis.frequentist.z_test import ZTest  # noqa: PLC0415

    answers: dict[str, Any] = {"version": version("spotify-confidence"), "levels": [], "significant": []}
    for looks in asked["trials"]:
        rows = []
        for day, (treated, n_treat, control, n_ctrl) in enumerate(looks, start=1):
            rows += [(day, "treatment", treated, n_treat), (day, "control", control, n_ctrl)]
        frame = pd.DataFrame(rows, columns=["day", "arm", "x", "n"]).assign(planned=asked["planned"])
        test = ZTest(frame, "x", "x", "n", "arm", ordinal_group_column="day")
        found = test.differences(
            ("control", "treatment"), groupby="day", final_expected_sample_size_column="planned", verbose=True
        )
        answers["levels"].append([float(one) for one in found["adjusted_alpha"]])
        answers["significant"].append([bool(one) for one in found["is_significant"]])
    return answers


if __name__ == "__main__":
    ask = {"gbstats": gbstats, "spotify": spotify}[sys.argv[1]]
    json.dump(ask(json.load(sys.stdin)), sys.stdout)
