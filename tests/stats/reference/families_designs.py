"""Families of reference vectors about looks, clusters and designs in time: what is asked, and the public function that answers.

Each takes a case's inputs and a resolver of data files, and returns every figure of its family that it can; a case expects some of them.
"""

from __future__ import annotations

import csv
import math
import re
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from fabrique.stats.clusters import cluster_robust_error, compare_clusters, intraclass_correlation, unclustered_error
from fabrique.stats.confidence_sequence import Effect, always_valid, mixture_sprt, relative_effect
from fabrique.stats.differences import difference_in_differences
from fabrique.stats.group_sequential import (
    classic_bounds,
    crossing_probability,
    inflation,
    power,
    required_drift,
    spending_bounds,
)
from fabrique.stats.interrupted import interrupted_series, segmented_regression
from fabrique.stats.staggered import staggered_differences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Resolver = Callable[[str], Path]
    Family = Callable[[dict, Resolver], dict]


def group_sequential(inputs, resolver):
    """Classic bounds of K equal looks, and the size they cost."""
    looks, alpha, wanted = inputs["K"], inputs.get("alpha", 0.05), inputs.get("power", 0.8)
    kinds = [inputs["kind"]] if "kind" in inputs else ["obf", "pocock"]
    found = {}
    for kind in kinds:
        bounds = list(classic_bounds(kind, looks, alpha))
        fractions = [k / looks for k in range(1, looks + 1)]
        drift = required_drift(bounds, fractions, wanted)
        found |= {
            f"C_{kind}": bounds[-1],
            f"bounds_{kind}": bounds,
            f"nominal_p_{kind}": nominal(bounds),
            f"drift_{kind}": drift,
            f"ratio_{kind}": inflation(kind, looks, alpha=alpha, power=wanted),
        }
    if "kind" in inputs:
        kind = inputs["kind"]
        found |= {key: found[f"{name}_{kind}"] for key, name in SHORT.items()}
    return found


SHORT = {"ratio": "ratio", "C": "C", "bounds": "bounds", "bounds_z": "bounds", "nominal_p": "nominal_p", "drift": "drift"}


def nominal(bounds):
    return [math.erfc(bound / math.sqrt(2)) for bound in bounds]


def group_sequential_spending(inputs, resolver):
    """Lan-DeMets bounds at any fractions; with an exponent, power spending, which Spotify spends on each side apart."""
    fractions, alpha = inputs["info_fractions"], inputs.get("alpha", 0.05)
    kind = str(inputs.get("spending", inputs.get("kind", ""))).lower()
    spending = "power" if "phi" in inputs or "rho" in inputs else "pocock" if "pocock" in kind else "obrien_fleming"
    phi = inputs.get("phi", inputs.get("rho", 2))
    bounds = spending_bounds(fractions, alpha=alpha, spending=spending, phi=phi, separate=spending == "power")
    wanted = inputs.get("power", 0.8)
    drift = inputs.get("drift", required_drift(bounds.bounds_z, bounds.information, wanted))
    return {
        "cumulative_alpha": list(bounds.cumulative_alpha),
        "bounds_z": list(bounds.bounds_z),
        "bounds_z_spotify": list(bounds.bounds_z),
        "nominal_p": list(bounds.nominal_p),
        "crossing_null": crossing_probability(bounds.bounds_z, bounds.information, 0.0).total,
        "drift": drift,
        "power": power(bounds.bounds_z, bounds.information, drift),
        "ratio": inflation(bounds, alpha=alpha, power=wanted),
    }


def arm(inputs, side):
    """Level of an arm and its standard error, from successes, from a mean and its spread, or from sums."""
    n = inputs[f"n_{side}"]
    if f"x_{side}" in inputs:
        rate = inputs[f"x_{side}"] / n
        return Effect(rate, math.sqrt(rate * (1 - rate) / n))
    if f"mean_{side}" in inputs:
        spread = inputs[f"sd_{side}"] if f"sd_{side}" in inputs else math.sqrt(inputs[f"var_{side}"])
        return Effect(inputs[f"mean_{side}"], spread / math.sqrt(n))
    total, squares = inputs[f"sum_{side}"], inputs.get(f"sum_sq_{side}", inputs.get(f"sum_squares_{side}"))
    return Effect(total / n, math.sqrt((squares - total**2 / n) / (n - 1) / n))


def confidence_sequence(inputs, resolver):
    treat, ctrl = arm(inputs, "treat"), arm(inputs, "ctrl")
    absolute = Effect(treat.estimate - ctrl.estimate, math.hypot(treat.standard_error, ctrl.standard_error))
    effect = relative_effect(treat, ctrl) if inputs.get("effect") == "relative" else absolute
    n = inputs["n_treat"] + inputs["n_ctrl"]
    sequence = always_valid(effect.estimate, effect.standard_error, n, alpha=inputs.get("alpha", 0.05), n_star=inputs["n_star"])
    return {
        "rho": sequence.rho,
        "effect": effect.estimate,
        "se": effect.standard_error,
        "halfwidth": sequence.halfwidth,
        "ci": [sequence.interval.low, sequence.interval.high],
        "p_always_valid": sequence.p_value,
    }


def msprt(inputs, resolver):
    treat, ctrl = arm(inputs, "treat"), arm(inputs, "ctrl")
    difference = treat.estimate - ctrl.estimate
    error = math.hypot(treat.standard_error, ctrl.standard_error)
    mixed = mixture_sprt(difference, error, tau=inputs["tau"])
    return {
        "diff": difference,
        "var": error**2,
        "likelihood_ratio": mixed.likelihood_ratio,
        "p_always_valid_single_look": mixed.p_value,
    }


def rows_of(inputs, resolver):
    """The data file as columns of text, or none."""
    if "data" not in inputs:
        return None
    name = re.match(r"[^\s(]+", inputs["data"])[0]
    with resolver(name).open(newline="", encoding="utf-8") as file:
        return {key: np.array(column) for key, column in columns(csv.DictReader(file)).items()}


def columns(reader):
    found = {name: [] for name in reader.fieldnames}
    for row in reader:
        for name, value in row.items():
            found[name].append(value)
    return found


MISSING = {"", "NA", "NaN", "nan", "None"}


def numbers(column):
    """A column as numbers, missing ones nan, True and False 1 and 0."""
    words = {"true": 1.0, "false": 0.0, **{word.lower(): math.nan for word in MISSING}}
    return np.array([words[str(v).lower()] if str(v).lower() in words else float(v) for v in np.asarray(column).tolist()])


def column(inputs, data, key, default=None):
    """An input that is a list itself, or names a column of the data file, perhaps inside log(…)."""
    given = inputs.get(key, default)
    if given is None or not isinstance(given, str):
        return None if given is None else np.asarray(given)
    wrapped = re.fullmatch(r"\s*log\((\w+)\)\s*", given)
    return np.log(numbers(data[wrapped[1]])) if wrapped else data[given]


def cluster_robust(inputs, resolver):
    """Difference of means with errors blind to clusters and by cluster."""
    data = rows_of(inputs, resolver)
    outcome, treated = numbers(column(inputs, data, "y")), numbers(column(inputs, data, "arm"))
    cluster = column(inputs, data, "cluster")
    keep = np.array([str(label) not in MISSING for label in cluster.tolist()]) & np.isfinite(outcome) & np.isfinite(treated)
    outcome, treated, cluster = outcome[keep], treated[keep], cluster[keep]
    comparison = compare_clusters(outcome, treated, cluster, alpha=inputs.get("alpha", 0.05))
    difference = float(outcome[treated == 1].mean() - outcome[treated == 0].mean())
    robust, groups = cluster_robust_error(outcome, treated, cluster), len(np.unique(cluster))
    return {
        "n": len(outcome),
        "clusters": groups,
        "diff": difference,
        "se_cluster_cr1": robust,
        "se_hc2": unclustered_error(outcome, treated),
        "icc_anova": intraclass_correlation(outcome, cluster),
        "design_effect": comparison.design_effect,
        "p_cluster_cr1": float(2 * student.sf(abs(difference) / robust, groups - 2)) if groups > 2 else None,
    }


def interrupted_time_series(inputs, resolver):
    """Level and slope change: least squares with Newey-West, and AR(1) by restricted likelihood."""
    data = rows_of(inputs, resolver)
    y, change = outcome_of(inputs, data), change_of(inputs, data)
    season, covariates = season_of(inputs, data), covariates_of(inputs, data)
    plain = segmented_regression(y, change, season=season, covariates=covariates)
    fitted = interrupted_series(y, change, season=season, covariates=covariates, placebo=False)
    found = {
        "se_level_ols": plain.level_se,
        "durbin_watson": plain.durbin_watson,
        "phi": fitted.phi,
        "se_level": fitted.level_se,
        "se_slope": fitted.slope_se,
    }
    for lag in range(1, 53):
        found[f"se_level_hac{lag}"] = segmented_regression(y, change, season=season, covariates=covariates, lag=lag).level_hac_se
    # One family, two methods: their level and slope changes share a name, and the least-squares cases are those that spell the terms out.
    chosen = plain if least_squares(inputs) else fitted
    return found | {"level_change": chosen.level_change, "slope_change": chosen.slope_change, "trend": chosen.trend}


def least_squares(inputs):
    estimator = str(inputs.get("estimator", inputs.get("method", ""))).lower()
    if estimator:
        return not any(word in estimator for word in ("gls", "reml", "ar1", "ar(1)"))
    return "tpost" in inputs or "lag" in inputs or "hac_lag" in inputs


def outcome_of(inputs, data):
    if "y" in inputs:
        return numbers(column(inputs, data, "y"))
    return np.log(numbers(data["drivers"])) if "drivers" in data else numbers(data["y"])


def change_of(inputs, data):
    """Place of the first period with the change: said, or read in a column or in the slope's term."""
    if "change_index" in inputs:
        return int(inputs["change_index"])
    said = re.search(r"t\s*-\s*(\d+)", str(inputs.get("tpost", "")))
    if said or "t0" in inputs:
        return int(inputs["t0"] if "t0" in inputs else said[1]) - 1
    given = inputs.get("post", " ".join(data or {}))
    # A column's name, or words that hold one ("1 - pre", "not pre"): only where it changes matters.
    known = [name for name in data or {} if "post" in inputs or name in POST]
    post = next(data[name] for name in re.findall(r"\w+", given) if name in known) if isinstance(given, str) else given
    after = numbers(post)
    return int(np.argmax(after != after[0]))


POST = ("law", "post", "after", "treated", "pre", "before")


def season_of(inputs, data):
    default = inputs.get("month", "month" if data and "month" in data else None)
    given = inputs.get("season", inputs.get("seasonal", default))
    if given is None or (isinstance(given, str) and given.lower() in {"", "none"}):
        return None
    if not isinstance(given, str):
        return [int(position) for position in given]
    name = given if data and given in data else given.split()[0]
    return [int(position) for position in numbers(data[name])] if data and name in data else None


def covariates_of(inputs, data):
    given = inputs.get("covariates", inputs.get("covariate"))
    if not given:
        return None
    names = [given] if isinstance(given, str) else given
    parts = [numbers(data[name]) if isinstance(name, str) else np.asarray(name, dtype=float) for name in names]
    return np.column_stack(parts)


def difference_in_difference(inputs, resolver):
    """One adoption date: an effect, three errors, and the share of placebo units."""
    data = rows_of(inputs, resolver)
    outcome = numbers(column(inputs, data, "y", "Rate" if data and "Rate" in data else None))
    unit = column(inputs, data, "unit")
    named = column(inputs, data, "time", inputs.get("period"))
    clock = numbers(data["Quarter_Num"]) if data and "Quarter_Num" in data else ordered(named)
    adopters = inputs["treated"]
    if not isinstance(adopters, str) and len(adopters) == len(unit) and set(adopters) <= {0, 1}:
        treated = np.asarray(adopters)
    else:
        start = inputs.get("from_", inputs.get("from"))
        begins = clock[named == start].min() if (named == start).any() else float(start)
        chosen = [adopters] if isinstance(adopters, str) else adopters
        treated = np.isin(unit, chosen) & (clock >= begins)
    result = difference_in_differences(outcome, unit, clock, treated, alpha=inputs.get("alpha", 0.05))
    return {
        "att": result.att,
        "se_ols": result.se_ols,
        "se_cluster": result.se_cluster,
        "p_placebo_units": result.p_value if result.method == "placebo" else None,
    }


def ordered(labels):
    """Labels as numbers where they are, else in their order of first appearance."""
    try:
        return numbers(labels)
    except ValueError:
        first = {label: place for place, label in reversed(list(enumerate(labels.tolist())))}
        return np.array([float(first[label]) for label in labels.tolist()])


def staggered_did(inputs, resolver):
    """Effects by group and period against those who never adopt (or not yet), their average, and two-way fixed effects."""
    y = np.asarray(inputs["Y"], dtype=float)
    ends = re.fullmatch(r"\s*(\d+)\s*\.\.\s*(\d+)\s*", str(inputs.get("periods", f"1..{y.shape[1]}")))
    periods = range(int(ends[1]), int(ends[2]) + 1) if ends else inputs["periods"]
    asked = str(inputs.get("control", "")).lower()
    control = "not-yet" if "not" in asked else "never" if "never" in asked else None
    result = staggered_differences(y, inputs["first_treated"], list(periods), control=control)
    return {
        "att_gt": {f"g{effect.group:g}_t{effect.period:g}": effect.estimate for effect in result.group_time},
        "att_simple": result.att,
        "event_study": {f"e{point.relative}": point.estimate for point in result.event_study},
        "twfe": result.twfe,
    }


FAMILIES: dict[str, Family] = {
    "group_sequential": group_sequential,
    "group_sequential_spending": group_sequential_spending,
    "sequential_asymptotic_confidence_sequence": confidence_sequence,
    "sequential_msprt": msprt,
    "cluster_robust": cluster_robust,
    "interrupted_time_series": interrupted_time_series,
    "difference_in_differences": difference_in_difference,
    "staggered_did": staggered_did,
}
