"""The method box: what each method is called, its formula, and where it was published."""

from __future__ import annotations

from fabrique.language import n_

METHODS: dict[str, tuple[str, str]] = {
    "newcombe": (n_("Interval of a difference of shares"), "Newcombe 1998 (10): Δ ± √((p₁−l₁)² + (u₂−p₂)²), l, u: Wilson"),
    "pooled-z": (n_("Test of two shares"), "z = (p₁−p₂) / √(p̄(1−p̄)(1/n₁+1/n₂))"),
    "boschloo": (n_("Exact test of two shares"), "Boschloo 1970"),
    "fisher": (n_("Exact test of two shares"), "Fisher 1935"),
    "miettinen_nurminen": (n_("Score interval of a difference"), "Miettinen & Nurminen 1985"),
    "proportional-odds": (n_("Answer levels"), "logit P(Y ≤ j) = θⱼ − β·arm (McCullagh 1980)"),
    "likelihood-ratio": (n_("Likelihood-ratio test"), "2(ℓ₁−ℓ₀) ~ χ²₁"),
    "permutation": (n_("Permutation test"), n_("p = share of assignments at least as extreme")),
    "superiority": (n_("Probability of a better answer"), "P(T>C) + ½P(T=C), Brunner & Munzel 2000"),
    "welch": (n_("Difference of means"), "Welch 1947: t = (m₁−m₂) / √(s₁²/n₁+s₂²/n₂)"),
    "lin-hc2": (n_("Adjusted difference of means"), "Lin 2013, HC2"),
    "exact-poisson": (n_("Ratio of rates"), "x₁ | x₁+x₂ ~ Bin(r·e₁ / (r·e₁+e₂)), Przyborowski & Wilenski 1940"),
    "quasi-poisson": (n_("Ratio of rates that vary by day"), "Var = φ·μ, φ = χ²/(n−2)"),
    "geometric-means": (n_("Ratio of typical durations"), n_("exp(m₁−m₂) of logarithms, Welch")),
    "mann-whitney": (n_("Test of ranks"), "Mann & Whitney 1947"),
    "cluster-means-t": (n_("Difference between clusters"), n_("t on cluster means, Donner & Klar 2000")),
    "cr1": (n_("Difference between clusters"), "CR1, G−2 (Cameron & Miller 2015)"),
    "icc": (n_("Likeness inside a cluster"), "ICC, ANOVA"),
    "gls-ar1-reml": (n_("Interrupted series"), "y = a + b·t + c·1(t≥T) + d·(t−T)₊ + AR(1), REML"),
    "bootstrap": (n_("Simulated p-value"), n_("parametric bootstrap, 1,999 series")),
    "did-cluster-t": (n_("Difference in differences"), n_("two-way fixed effects, contributions of units, Welch")),
    "did-placebo": (n_("Difference in differences"), n_("placebo over units: p = share at least as extreme")),
    "group-time-att": (n_("Staggered roll-out"), "ATT(g, t), Callaway & Sant’Anna 2021"),
    "always-valid": (n_("Interval that holds at any moment"), n_("Waudby-Smith et al. 2021, asymptotic confidence sequence")),
    "group_sequential": (n_("Looks before the end"), "Lan & DeMets 1983"),
    "sample_ratio": (n_("Sizes of the arms"), n_("χ² = Σ(n−e)²/e, exact where few; alarm below p = 0.001")),
    "guardrails": (
        n_("Guardrails against their margins"),
        n_("Farrington & Manning 1990; shifted Welch; exact for rates; one-sided 2.5 %"),
    ),
    "holm": (n_("Several secondary metrics"), "Holm 1979"),
}

BESIDE_LABELS: dict[str, str] = {
    "miettinen_nurminen": n_("Score interval"),
    "risk_ratio": n_("Ratio of shares"),
    "odds_ratio": n_("Odds ratio"),
    "superiority": n_("Chance that the new arm’s answer is better"),
    "mean_mark_difference": n_("Difference of mean marks"),
    "proportionality_p": n_("Test that one odds ratio suits all levels (p)"),
    "median_difference": n_("Difference of medians"),
    "unadjusted": n_("Without adjustment"),
    "score_interval": n_("Score interval of the ratio"),
    "exact_poisson": n_("If days differed by chance alone"),
    "dispersion": n_("Dispersion"),
    "quantile": n_("Difference of quantile …"),
    "icc": n_("Likeness inside a cluster (ICC)"),
    "design_effect": n_("Design effect"),
    "clusters_treat": n_("Clusters with the new arm"),
    "clusters_ctrl": n_("Clusters with the control"),
    "slope_change": n_("Change of slope, a period"),
    "autocorrelation": n_("Autocorrelation"),
    "placebo_dates_p": n_("Share of placebo dates that do as much"),
    "pre_trend_p": n_("Test of the trends before (p)"),
    "twoway_fixed_effects": n_("Two-way fixed effects, as a warning"),
    "event": n_("Effect … periods after the change"),
}
