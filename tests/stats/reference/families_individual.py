"""Which public functions of fabrique.stats answer the families of individually randomised comparisons, sizes and pooling.

A family takes a case's inputs (and a resolver of data files) and returns every figure that such a case may expect.
"""

from __future__ import annotations

import csv
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from fabrique.stats import multiplicity, proportions, sample_size
from fabrique.stats.bayes import beta_binomial, gaussian_effect
from fabrique.stats.covariates import adjust
from fabrique.stats.durations import quantile_difference
from fabrique.stats.levels import compare_levels, proportional_odds
from fabrique.stats.means import Moments, compare_means
from fabrique.stats.noninferiority import farrington_manning, shifted_welch
from fabrique.stats.pooling import pool
from fabrique.stats.rates import compare_rates
from fabrique.stats.sample_ratio import MISMATCH_BELOW, check_sample_ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from fabrique.stats.interval import Interval

    Inputs = dict[str, Any]
    Resolve = Callable[[str], Any]

SIMULATED = 20_000


def ends(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def named(intervals: dict[str, Interval], alpha: float) -> dict[str, list[float]]:
    """Each interval as ci95_…, and under its own level where that is another."""
    level = f"{100 * (1 - alpha):g}"
    return {f"ci{one}{name}": ends(interval) for name, interval in intervals.items() for one in ("95", level)}


def moments(given: Any) -> Moments:
    """An arm as totals (a share where no sum of squares is given), or as each value."""
    if isinstance(given, dict):
        total = given["sum"] if "sum" in given else given["x"]
        return Moments(given["n"], total, given.get("sum_squares", total))
    return Moments.of(given)


def table_of(inputs: Inputs) -> tuple[int, int, int, int]:
    return inputs["x_treat"], inputs["n_treat"], inputs["x_ctrl"], inputs["n_ctrl"]


def lift_of(found: proportions.RelativeLift) -> Inputs:
    return {"lift": found.lift, "ci95": ends(found.interval), "p": found.p_value}


def _has_lift(x1: int, n1: int, x2: int, n2: int) -> bool:
    return min(x1, x2) > 0 and min(n1, n2) > 1 and (x1 < n1 or x2 < n2)


def two_proportions(inputs: Inputs, _: Resolve) -> Inputs:
    table, alpha = table_of(inputs), inputs.get("alpha", 0.05)
    x1, n1, x2, n2 = table
    z, p = proportions.pooled_z(x1, n1, x2, n2)
    intervals = {
        "_newcombe": proportions.newcombe_interval(*table, alpha=alpha),
        "_miettinen_nurminen": proportions.miettinen_nurminen_interval(*table, alpha=alpha),
        "_wald": proportions.wald_interval(*table, alpha=alpha),
        "_rr_score": proportions.risk_ratio_score_interval(*table, alpha=alpha),
    }
    found = {
        "diff": proportions.compare_proportions(*table, alpha=alpha).difference,
        "z_pooled": z,
        "p_pooled_two_sided": p,
        "p_fisher_two_sided": proportions.fisher_p(*table),
        "risk_ratio": proportions.risk_ratio(*table),
    }
    if x1 and x2:
        intervals["_rr_log_katz"] = proportions.risk_ratio_log_interval(*table, alpha=alpha)
    if n1 * n2 < proportions.EXACT_BELOW:
        found["p_boschloo_two_sided"] = proportions.boschloo_p(*table)
    if _has_lift(*table):
        found["growthbook_relative_ttest"] = lift_of(proportions.relative_lift(*table, alpha=alpha))
    return found | named(intervals, alpha)


def welch_t(inputs: Inputs, _: Resolve) -> Inputs:
    alpha = inputs.get("alpha", 0.05)
    found = compare_means(moments(inputs["treat"]), moments(inputs["ctrl"]), alpha=alpha)
    figures = {
        "diff": found.difference,
        "t": found.t,
        "df": found.df,
        "se": found.standard_error,
        "p_two_sided": found.p_value,
        "mean_treat": found.mean_treat,
        "mean_ctrl": found.mean_ctrl,
    }
    if found.relative_lift is not None:
        figures["growthbook_relative"] = lift_of(found.relative_lift)
    return figures | named({"": found.interval}, alpha)


def ordinal_two_groups(inputs: Inputs, _: Resolve) -> Inputs:
    alpha = inputs.get("alpha", 0.05)
    found = compare_levels(inputs["counts_treat"], inputs["counts_ctrl"], marks=inputs.get("levels"), alpha=alpha)
    intervals = {
        "_prob_superiority_bm_t": found.superiority_interval,
        "_po_or_wald": found.wald_interval,
        "_po_or_profile": found.odds_ratio_interval,
        "_welch": found.mean_interval,
    }
    return {
        "n_ctrl": found.n_ctrl,
        "n_treat": found.n_treat,
        "U_treat": found.u_treat,
        "p_mwu_no_cc": found.p_mann_whitney,
        "p_mwu_cc": found.p_mann_whitney_corrected,
        "prob_superiority": found.superiority,
        "cliffs_delta": 2 * found.superiority - 1,
        "p_brunner_munzel": found.p_brunner_munzel,
        "po_log_or": math.log(found.odds_ratio) if found.odds_ratio > 0 else -math.inf,
        "po_or": found.odds_ratio,
        "po_se": found.standard_error,
        "po_wald_p": found.p_wald,
        "po_lr_p": found.p_likelihood_ratio,
        "mean_diff": found.mean_difference,
        "p_welch_scores": found.p_mean,
    } | named(intervals, alpha)


def ordinal_regression(inputs: Inputs, resolve: Resolve) -> Inputs:
    """Formula "Y ~ A + B, weights W; Y low<middle<high": treatment contrasts, levels in the file's order."""
    with resolve(inputs["data"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    outcome, right = (part.strip() for part in inputs["formula"].split(";")[0].split("~"))
    weight = re.search(r"weights\s+(\w+)", right)
    terms = [term.strip() for term in right.split(",")[0].split("+")]
    order = re.search(rf"{outcome}\s+(\w+(?:\s*<\s*\w+)+)", inputs["formula"])
    levels = re.split(r"\s*<\s*", order[1]) if order else list(dict.fromkeys(row[outcome] for row in rows))
    contrasts = [(term, level) for term in terms for level in list(dict.fromkeys(row[term] for row in rows))[1:]]
    groups: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        counts = groups.setdefault(tuple(row[term] for term in terms), [0.0] * len(levels))
        counts[levels.index(row[outcome])] += float(row[weight[1]]) if weight else 1.0
    design = [[float(group[terms.index(term)] == level) for term, level in contrasts] for group in groups]
    fit = proportional_odds(design, list(groups.values()))
    return {
        "coef": {term + level: float(value) for (term, level), value in zip(contrasts, fit.coefficients, strict=True)},
        "thresholds": fit.thresholds.tolist(),
        "residual_deviance": fit.deviance,
    }


def srm(inputs: Inputs, _: Resolve) -> Inputs:
    found = check_sample_ratio(inputs["counts"], inputs["weights"])
    figures: Inputs = {
        "chi2": found.chi2,
        "df": found.df,
        "p": found.p_value,
        "alarm_at_0_001": found.p_value < MISMATCH_BELOW,
        "exposed_zero_weight": found.exposed_zero_weight,
        "mismatch": found.mismatch,
    }
    if found.p_exact is not None:
        figures["p_exact_binomial" if found.df == 1 else "p_exact_multinomial"] = found.p_exact
    return figures


def bayes_beta_binomial(inputs: Inputs, _: Resolve) -> Inputs:
    table, alpha = table_of(inputs), inputs.get("alpha", 0.05)
    found = beta_binomial(*table, prior=tuple(inputs.get("prior") or (1.0, 1.0)), alpha=alpha)
    figures: Inputs = {
        "p_treat_better": found.p_better,
        "expected_loss_choose_treat": found.loss_treat,
        "expected_loss_choose_ctrl": found.loss_ctrl,
        "posterior_mean_diff": found.effect,
        "cri95_diff": ends(found.interval),
    }
    if _has_lift(*table):
        lift = proportions.relative_lift(*table)
        flat = gaussian_effect(lift.lift, lift.standard_error, alpha=alpha)
        figures["growthbook_gaussian_relative"] = {
            "chance_to_win": flat.p_better,
            "risk": [flat.loss_ctrl, flat.loss_treat],
            "ci95": ends(flat.interval),
        }
    return figures


def bayes_gaussian_effect(inputs: Inputs, _: Resolve) -> Inputs:
    alpha = inputs.get("alpha", 0.05)
    lift = compare_means(moments(inputs["treat"]), moments(inputs["ctrl"]), alpha=alpha).relative_lift
    assert lift is not None
    prior = inputs.get("prior")
    found = gaussian_effect(lift.lift, lift.standard_error, prior=tuple(prior) if prior else None, alpha=alpha)
    return {
        "lift": found.effect,
        "sd": found.standard_deviation,
        "chance_to_win": found.p_better,
        "cri95": ends(found.interval),
        "expected_loss_choose_treat": found.loss_treat,
        "expected_loss_choose_ctrl": found.loss_ctrl,
    }


def cuped_covariate_adjustment(inputs: Inputs, resolve: Resolve) -> Inputs:
    alpha = inputs.get("alpha", 0.05)
    if "data" in inputs:
        with resolve(inputs["data"]).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        arms = {
            f"{arm}_{when}": [float(row[inputs[when]]) for row in rows if float(row[inputs["arm"]]) == side]
            for arm, side in (("treat", 1), ("ctrl", 0))
            for when in ("post", "pre")
        }
    else:
        arms = inputs
    found = adjust(arms["treat_post"], arms["treat_pre"], arms["ctrl_post"], arms["ctrl_pre"], alpha=alpha)
    assert found.cuped is not None
    assert found.ancova is not None
    return {
        "theta_growthbook": found.cuped.theta,
        "theta_unweighted_check": found.theta_within,
        "theta_ancova": found.ancova.theta,
        "diff_raw": found.raw.difference,
        "se_raw": found.raw.standard_error,
        "p_raw": found.raw.p_value,
        "diff_cuped_growthbook": found.cuped.difference,
        "se_cuped_growthbook": found.cuped.standard_error,
        "p_cuped_growthbook": found.cuped.p_value,
        "diff_ancova": found.ancova.difference,
        "se_ancova_ols": found.ancova.standard_error,
        "diff_lin": found.difference,
        "se_lin_hc2": found.standard_error,
    } | named({"_growthbook": found.cuped.interval, "_lin": found.interval, "_ancova": found.ancova.interval}, alpha)


def multiple_testing(inputs: Inputs, _: Resolve) -> Inputs:
    methods = {
        "holm": multiplicity.holm,
        "BH": multiplicity.benjamini_hochberg,
        "bonferroni": multiplicity.bonferroni,
        "hochberg": multiplicity.hochberg,
        "BY": multiplicity.benjamini_yekutieli,
    }
    return {name: adjusted(inputs["p"]).tolist() for name, adjusted in methods.items()}


def non_inferiority_proportions(inputs: Inputs, _: Resolve) -> Inputs:
    margin = inputs["margin"]
    found = farrington_manning(*table_of(inputs), margin=margin, alpha_one_sided=inputs.get("alpha_one_sided", 0.025))
    assert found.score_interval is not None
    return {
        "diff": found.difference,
        "z_fm": found.statistic,
        "p_one_sided": found.p_safe,
        "lower_bound_newcombe": found.interval.low,
        "lower_bound_mn": found.score_interval.low,
        "non_inferior_fm": found.safe,
        "non_inferior_newcombe": found.interval.low > -margin,
        "non_inferior_mn": found.score_interval.low > -margin,
    }


def non_inferiority_means(inputs: Inputs, _: Resolve) -> Inputs:
    arms = [_moments_from(*(inputs[f"{what}_{arm}"] for what in ("n", "mean", "sd"))) for arm in ("treat", "ctrl")]
    found = shifted_welch(*arms, margin=inputs["margin"], alpha_one_sided=inputs.get("alpha_one_sided", 0.025))
    return {
        "diff": found.difference,
        "t": found.statistic,
        "df": found.df,
        "p_one_sided": found.p_safe,
        "lower_bound": found.interval.low,
        "non_inferior": found.safe,
    }


def _moments_from(n: int, mean: float, sd: float) -> Moments:
    return Moments(n, n * mean, (n - 1) * sd**2 + n * mean**2)


def _plan(inputs: Inputs) -> Inputs:
    """What every plan may state beside its own figures."""
    return {name: inputs[name] for name in ("alpha", "power", "ratio") if name in inputs}


def power_two_proportions(inputs: Inputs, _: Resolve) -> Inputs:
    rates, plan = (inputs["p_ctrl"], inputs["p_treat"]), _plan(inputs)
    if "n_per_arm" in inputs:
        plan.pop("power", None)
        return {"power": sample_size.proportions_power(*rates, inputs["n_per_arm"], **plan)}
    size = sample_size.proportions_size(*rates, **plan)
    return {
        "n_pooled_unpooled_fleiss": size.n,
        "n_ceil": sample_size.whole(size.n),
        "n_fleiss_continuity": size.n_continuity,
        "n_ceil_continuity": sample_size.whole(size.n_continuity),
        "n_arcsine_cohen_h": size.n_arcsine,
        "n_posthog_rule16": size.n_rule_of_16,
    }


def power_two_means(inputs: Inputs, _: Resolve) -> Inputs:
    plan = _plan(inputs)
    given = inputs.get("n_per_arm", inputs.get("n"))
    if given is not None:
        plan.pop("power", None)
        return {"power": sample_size.means_power(inputs["delta"], inputs["sd"], given, **plan)}
    n = sample_size.means_size(inputs["delta"], inputs["sd"], **plan)
    return {"n": n, "n_ceil": sample_size.whole(n)}


def power_ordinal(inputs: Inputs, _: Resolve) -> Inputs:
    shares = inputs["p_ctrl_low_to_high"]
    size = sample_size.levels_size(shares, inputs["odds_ratio_better"], **_plan(inputs))
    n = sample_size.whole(size.n)
    return {
        "p_treat": list(size.shares_treat),
        "n_per_arm": size.n,
        "n_ceil": n,
        "mc_power_mannwhitney": _simulated_power(shares, size.shares_treat, n, inputs.get("alpha", 0.05)),
    }


def _simulated_power(ctrl: list[float], treat: tuple[float, ...], n: int, alpha: float) -> float:
    """Share of simulated trials in which the Mann–Whitney test (ties, no continuity correction) rejects."""
    rng = np.random.default_rng(0)
    one, two = rng.multinomial(n, treat, SIMULATED), rng.multinomial(n, ctrl, SIMULATED)
    u = (one * (np.cumsum(two, axis=1) - two / 2)).sum(axis=1)
    ties = (one + two).astype(float)
    variance = n * n / 12 * (2 * n + 1 - (ties**3 - ties).sum(axis=1) / (2 * n * (2 * n - 1)))
    return float(np.mean(2 * special.ndtr(-np.abs(u - n * n / 2) / np.sqrt(variance)) <= alpha))


def power_cluster(inputs: Inputs, _: Resolve) -> Inputs:
    variation = inputs.get("cv", inputs.get("size_variation", 0.0))
    size = sample_size.clusters_size(
        inputs["n_per_arm_individual"], inputs["cluster_size"], inputs["icc"], size_variation=variation
    )
    return {"design_effect": size.design_effect, "n_per_arm": size.n, "clusters_per_arm": size.clusters}


def mid_experiment_power(inputs: Inputs, _: Resolve) -> Inputs:
    plan = {name: inputs[name] for name in ("alpha", "power") if name in inputs}
    n_star = inputs.get("n_star") if inputs.get("sequential") else None
    found = sample_size.remaining_sample(
        moments(inputs["treat"]), moments(inputs["ctrl"]), inputs["target_mde_relative"], n_star=n_star, **plan
    )
    return {"scaling_factor": found.scaling_factor, "se_relative": found.standard_error}


def meta_analysis(inputs: Inputs, _: Resolve) -> Inputs:
    alpha = inputs.get("alpha", 0.05)
    found = pool(inputs["yi"], inputs["vi"], alpha=alpha)
    return {
        "Q": found.q,
        "p_Q": found.p_heterogeneity,
        "I2": found.i2,
        "dl": {"mu": found.dl.mu, "se": found.dl.se, "tau2": found.dl.tau2},
        "reml": {"mu": found.mu, "se": found.se, "tau2": found.tau2, "hk_ci95": ends(found.hartung_knapp)},
    }


def two_rates(inputs: Inputs, _: Resolve) -> Inputs:
    alpha = inputs.get("alpha", 0.05)
    found = compare_rates(
        inputs["events_treat"], inputs["exposure_treat"], inputs["events_ctrl"], inputs["exposure_ctrl"], alpha=alpha
    )
    return {
        "ratio": found.ratio,
        "diff": found.difference,
        "p_exact_conditional": found.p_value,
        "p_score": found.p_score,
    } | named({"_exact": found.interval, "_score": found.score_interval}, alpha)


def quantile_effect(inputs: Inputs, _: Resolve) -> Inputs:
    alpha = inputs.get("alpha", 0.05)
    arms = (inputs["q_treat"], inputs["q_treat_ci"], inputs["q_ctrl"], inputs["q_ctrl_ci"])
    difference, interval = quantile_difference(*arms, n_treat=inputs.get("n_treat"), n_ctrl=inputs.get("n_ctrl"), alpha=alpha)
    return {"diff": difference} | named({"": interval}, alpha)


FAMILIES: dict[str, Callable[[Inputs, Resolve], Inputs]] = {
    "two_proportions": two_proportions,
    "welch_t": welch_t,
    "ordinal_two_groups": ordinal_two_groups,
    "ordinal_regression": ordinal_regression,
    "srm": srm,
    "bayes_beta_binomial": bayes_beta_binomial,
    "bayes_gaussian_effect": bayes_gaussian_effect,
    "cuped_covariate_adjustment": cuped_covariate_adjustment,
    "multiple_testing": multiple_testing,
    "non_inferiority_proportions": non_inferiority_proportions,
    "non_inferiority_means": non_inferiority_means,
    "power_two_proportions": power_two_proportions,
    "power_two_means": power_two_means,
    "power_ordinal": power_ordinal,
    "power_cluster": power_cluster,
    "mid_experiment_power": mid_experiment_power,
    "meta_analysis": meta_analysis,
    "two_rates": two_rates,
    "quantile_effect": quantile_effect,
}
