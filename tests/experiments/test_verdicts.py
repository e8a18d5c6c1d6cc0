"""The verdict: each rule in its order, at the looks that the plan allows, and never a verdict that the figures do not bear."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.sample import DOCUMENT, START, TODAY, analysed, counts, data_of, plan_document, rows
from fabrique.experiments.analysis.running import Context, as_json, from_json
from fabrique.experiments.charts import charts_of
from fabrique.experiments.plan.canonical import normalised, plan_hash
from fabrique.experiments.plan.locking import exploratory_since
from fabrique.experiments.report import told
from fabrique.experiments.rules import Facts, Verdict, is_not_the_tool, verdict_of
from fabrique.experiments.sheet import sheet

SEQUENTIAL = plan_document(analysis__looks="group_sequential", analysis__information_fractions=[0.5, 0.75, 1.0])


def verdict(*arguments: Any, **named: Any) -> tuple[str, int | None]:
    found = analysed(*arguments, **named)
    return found.verdict, found.rule


def test_a_clear_effect_with_a_safe_guardrail_is_extended() -> None:
    assert verdict(counts(0.6, 0.7, satisfied=(0.8, 0.83))) == ("extend", 4)


def test_a_clear_effect_with_an_inconclusive_guardrail_is_extended_step_by_step() -> None:
    assert verdict(counts(0.6, 0.7, satisfied=(0.8, 0.78))) == ("extend_step_by_step", 4)


def test_a_guardrail_without_figures_is_inconclusive() -> None:
    only = "\n".join(line for line in counts(0.6, 0.7).splitlines() if "satisfaits" not in line) + "\n"
    found = analysed(only)
    assert (found.verdict, found.guardrails[0].verdict) == ("extend_step_by_step", "inconclusive")
    assert "guardrail_missing" in found.notes


def test_a_guardrail_worse_than_its_margin_stops_even_a_clear_effect() -> None:
    assert verdict(counts(0.6, 0.7, satisfied=(0.8, 0.66))) == ("stop", 3)


def test_an_effect_for_the_worse_stops() -> None:
    assert verdict(counts(0.6, 0.5)) == ("stop", 5)


def test_the_planned_size_without_a_useful_effect_says_so() -> None:
    document = plan_document(metrics__primary__mde_abs=0.08)
    assert verdict(counts(0.6, 0.6), document) == ("no_useful_effect", 6)


def test_figures_that_bear_nothing_as_well_as_a_useful_effect_are_undecidable() -> None:
    found = analysed(counts(0.6, 0.64, days=50), plan_document(metrics__primary__mde_abs=0.06))
    assert (found.verdict, found.rule) == ("undecidable", 7)
    assert found.primary.low < 0
    assert found.primary.high > 0.06


def test_before_the_least_number_of_days_only_counts_are_shown() -> None:
    found = analysed(counts(days=13, n=60), as_of=date(2026, 9, 20))
    assert (found.verdict, found.rule) == ("too_early", 2)
    assert found.primary is None
    assert not found.comparisons
    assert not found.cumulative


def test_least_days_are_whole_weeks() -> None:
    document = plan_document(sample__min_days=15)
    assert analysed(counts(days=20, n=40), document, as_of=date(2026, 9, 30)).verdict == "too_early"
    assert analysed(counts(days=21, n=40), document, as_of=date(2026, 9, 30)).verdict == "extend"


def test_a_fixed_plan_is_not_read_before_its_size_or_its_end() -> None:
    early = counts(days=30)
    assert verdict(early, as_of=date(2026, 10, 7)) == ("too_early", 2)
    assert analysed(early, as_of=date(2026, 11, 2)).verdict != "too_early"
    assert analysed(early, as_of=date(2026, 10, 7), closed=True).verdict != "too_early"


def test_a_closed_collection_short_of_its_size_is_said_to_be_so() -> None:
    assert "size_not_reached" in analysed(counts(0.6, 0.62, days=30), closed=True).notes


def test_arms_that_are_not_as_drawn_make_the_result_invalid_and_hide_effects() -> None:
    uneven = counts().replace(",sms,venus,12,", ",sms,venus,16,")
    found = analysed(uneven)
    assert (found.verdict, found.rule) == ("invalid", 1)
    assert found.primary is None
    assert not found.guardrails


def test_an_arm_of_weight_zero_that_received_somebody_makes_the_result_invalid() -> None:
    document = plan_document(arms=[*DOCUMENT["arms"], {"key": "reserve", "name": "Réserve", "weight": 0}])
    assert verdict(counts(0.6, 0.7), document)[0] == "extend"
    leaked = counts(0.6, 0.7) + f"{START},reserve,venus,1,1\n"
    assert verdict(leaked, document) == ("invalid", 1)


def test_a_share_of_95_to_5_as_planned_is_no_mismatch() -> None:
    document = plan_document(arms=[{"key": "temoin", "weight": 19}, {"key": "sms", "weight": 1}])
    text = rows(
        *[f"2026-09-{day:02},{arm},venus,{n},{n // 2}" for day in range(7, 28) for arm, n in (("temoin", 950), ("sms", 50))]
    )
    assert analysed(text, document).health.sample_ratio_mismatch is False


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_when_everybody_or_nobody_succeeds_there_is_an_interval_and_no_invented_verdict(share: float) -> None:
    found = analysed(counts(share, share, days=20, n=30))
    assert found.primary.estimate == 0
    assert found.primary.low < 0 < found.primary.high
    assert found.verdict == "no_useful_effect"
    assert "no_variation" in found.primary.notes


def test_without_any_unit_nothing_is_concluded() -> None:
    nobody = rows(*[f"2026-09-{day:02},{arm},venus,0,0" for day in range(7, 28) for arm in ("temoin", "sms")])
    assert verdict(nobody) == ("too_early", 2)
    assert verdict("date,arm,metric,n,x\n") == ("too_early", 2)


def test_one_empty_arm_gives_no_comparison() -> None:
    lines = [line for line in counts().splitlines() if ",sms," not in line]
    found = analysed("\n".join(lines) + "\n", closed=True)
    assert found.verdict == "invalid"


def test_the_looks_of_a_sequential_plan_are_taken_at_their_fractions_and_the_first_that_crosses_counts() -> None:
    found = analysed(counts(0.6, 0.75), SEQUENTIAL)
    assert [round(look.fraction, 2) for look in found.looks] == [0.5]
    assert (found.verdict, found.looks[0].crossed) == ("extend", True)
    assert "stopped_early" in found.notes
    assert found.primary.level == pytest.approx(1 - found.looks[0].nominal_p)


def test_looks_that_do_not_cross_go_on_to_the_last_which_spends_all_that_is_left() -> None:
    found = analysed(counts(0.6, 0.645), SEQUENTIAL)
    assert [round(look.fraction, 2) for look in found.looks] == [0.5, 0.76, 1.0]
    assert [look.crossed for look in found.looks] == [False] * 3
    assert found.looks[-1].final
    assert found.looks[-1].alpha_spent == pytest.approx(0.05)
    assert found.verdict == "undecidable"


def test_between_two_looks_the_former_one_stands() -> None:
    found = analysed(counts(0.6, 0.645, days=35), SEQUENTIAL, as_of=date(2026, 10, 12))
    assert (found.verdict, found.rule) == ("continue", None)
    assert found.looks[-1].day == "2026-10-01"
    assert found.next_look == 0.75


def test_a_sequential_plan_before_its_first_look_shows_counts_only() -> None:
    found = analysed(counts(0.6, 0.8, days=20), SEQUENTIAL, as_of=date(2026, 9, 28))
    assert (found.verdict, found.next_look) == ("too_early", 0.5)
    assert found.primary is None


def test_recorded_looks_count_at_the_fractions_that_they_had() -> None:
    found = analysed(counts(0.6, 0.645), SEQUENTIAL, looks=(date(2026, 9, 26), date(2026, 10, 6)), as_of=date(2026, 10, 27))
    assert [round(look.fraction, 2) for look in found.looks] == [0.4, 0.6]
    assert all(look.recorded for look in found.looks)


def test_an_always_valid_plan_can_be_read_on_any_day_with_a_wider_interval() -> None:
    document = plan_document(analysis__looks="always_valid")
    found = analysed(counts(0.6, 0.66, days=40), document, as_of=date(2026, 10, 17))
    plain = analysed(counts(0.6, 0.66, days=40), closed=True)
    assert found.primary.method == "always-valid"
    assert found.primary.high - found.primary.low > plain.primary.high - plain.primary.low
    assert found.verdict == "continue"


def test_several_arms_share_the_error() -> None:
    document = plan_document(arms=[*DOCUMENT["arms"], {"key": "courriel", "name": "Courriel", "weight": 1}])
    third = "\n".join(line.replace(",temoin,", ",courriel,") for line in counts().splitlines() if ",temoin," in line)
    found = analysed(counts(0.6, 0.7) + third + "\n", document)
    assert found.primary.level == pytest.approx(0.975)
    assert (found.primary.arm, len(found.comparisons)) == ("sms", 2)


def test_a_guardrail_broken_in_an_arm_is_told_even_when_another_arm_wins() -> None:
    document = plan_document(arms=[*DOCUMENT["arms"], {"key": "courriel", "name": "Courriel", "weight": 1}])
    third = counts(0.6, 0.72, satisfied=(0.8, 0.6))
    lines = [line.replace(",sms,", ",courriel,") for line in third.splitlines() if ",sms," in line]
    found = analysed(counts(0.6, 0.71, satisfied=(0.8, 0.84)) + "\n".join(lines) + "\n", document)
    assert (found.verdict, found.primary.arm) == ("extend", "sms")
    assert "other_arm_harmed" in found.notes
    assert {(one.arm, one.verdict) for one in found.guardrails} == {("sms", "safe"), ("courriel", "harmed")}


def test_a_harmed_arm_does_not_stop_the_looks_at_the_others() -> None:
    document = plan_document(
        arms=[*DOCUMENT["arms"], {"key": "courriel", "name": "Courriel", "weight": 1}],
        analysis__looks="group_sequential", analysis__information_fractions=[0.5, 1.0],
    )  # fmt: skip
    third = counts(0.6, 0.8, satisfied=(0.8, 0.5))
    lines = [line.replace(",sms,", ",courriel,") for line in third.splitlines() if ",sms," in line]
    found = analysed(counts(0.6, 0.68, satisfied=(0.8, 0.84)) + "\n".join(lines) + "\n", document)
    assert [look.number for look in found.looks] == [1, 2]
    assert (found.verdict, found.primary.arm) == ("extend", "sms")


def test_an_analysis_as_of_a_day_knows_nothing_later() -> None:
    whole = analysed(counts(days=30), as_of=date(2026, 9, 26), closed=True)
    part = analysed(counts(days=20), as_of=date(2026, 9, 26), closed=True)
    assert whole == part


def test_outcomes_lost_more_in_one_arm_are_told() -> None:
    exposed = "".join(f"{START},{arm},exposure,1000,\n" for arm in ("temoin", "sms"))
    assert "missing_differs" not in analysed(counts() + exposed).health.notes
    fewer = "\n".join(line for line in counts().splitlines() if not (",sms,venus," in line and line < "2026-09-27")) + "\n"
    assert "missing_differs" in analysed(fewer + exposed, closed=True).health.notes
    assert "more_outcomes_than_units" in analysed(counts() + exposed.replace("1000", "500")).health.notes


def test_where_nothing_varies_nothing_is_certain() -> None:
    document = plan_document(
        metrics__primary={"key": "venus", "type": "mean", "better": "higher", "baseline": 1, "mde_abs": 0.5, "sd": 1},
        metrics__guardrails=None,
    )
    lines = [
        f"2026-09-{day:02},{arm},venus,40,{40 * mark},{40 * mark * mark}"
        for day in range(7, 28)
        for arm, mark in (("temoin", 1), ("sms", 2))
    ]
    found = analysed(rows(*lines, header="date,arm,metric,n,sum,sum_sq"), document)
    assert found.verdict == "undecidable"
    assert (found.primary.low, found.primary.p_value) == (None, None)
    assert "no_spread" in found.primary.notes


def test_figures_older_than_the_registration_are_stamped_whenever_they_came_in() -> None:
    stamp = {"plan_hash": "x", "registered_at": "2026-09-20T10:00:00", "registered_by": "N", "after_collection": False}
    assert "after_collection" in analysed(counts(), registration=stamp).notes
    assert "after_collection" not in analysed(counts(), registration={**stamp, "registered_at": "2026-09-01"}).notes


def test_less_can_be_better() -> None:
    document = plan_document(
        metrics__primary={"key": "venus", "type": "binary", "better": "lower", "baseline": 0.6, "mde_abs": 0.08},
        metrics__guardrails=None,
    )
    assert verdict(strip(counts(0.6, 0.5)), document) == ("extend", 4)
    assert verdict(strip(counts(0.6, 0.7)), document) == ("stop", 5)
    assert verdict(strip(counts(0.6, 0.6)), document) == ("no_useful_effect", 6)


def strip(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "satisfaits" not in line) + "\n"


def test_two_surveys_before_and_after_yield_a_signal_never_an_extension() -> None:
    document = plan_document(
        design__kind="before_after",
        arms=[{"key": "temoin", "name": "Avant", "weight": 1}, {"key": "sms", "name": "Après", "weight": 1}],
    )
    both = counts(0.6, 0.7, satisfied=(0.8, 0.83), days=20, n=40)
    apart = "\n".join(line.replace("2026-09", "2026-10") if ",sms," in line else line for line in both.splitlines()) + "\n"
    found = analysed(apart, document)
    assert (found.verdict, found.rule, found.capped) == ("signal", 4, True)
    assert analysed(both, document).verdict == "description", "surveys of the same days are no before and after"


def test_a_plan_changed_when_results_were_known_yields_a_signal() -> None:
    known = ({"what": "metrics.primary.mde_abs", "old": 0.1, "new": 0.08, "why": "…", "who": "C", "results_known": True},)
    assert exploratory_since(known) == ["metrics.primary.mde_abs"]
    found = analysed(counts(0.6, 0.7, satisfied=(0.8, 0.83)), deviations=known)
    assert (found.verdict, found.capped) == ("signal", True)
    assert "exploratory" in found.notes
    unknown = ({**known[0], "results_known": False},)
    assert analysed(counts(0.6, 0.7, satisfied=(0.8, 0.83)), deviations=unknown).verdict == "extend"


def test_a_registration_after_the_collection_is_stamped() -> None:
    stamp = {"plan_hash": "x", "registered_at": "2026-11-20", "registered_by": "N", "after_collection": True}
    assert "after_collection" in analysed(counts(), registration=stamp).notes
    assert "unregistered" in analysed(counts()).notes


def test_units_without_outcome_can_count_as_failures() -> None:
    document = plan_document(analysis__missing="as_failure", metrics__guardrails=None)
    exposed = "".join(f"{START},{arm},exposure,700,\n" for arm in ("temoin", "sms"))
    found = analysed(strip(counts(0.6, 0.7)) + exposed, document)
    assert found.primary.n_treat == 700
    assert found.primary.value_ctrl == pytest.approx(360 / 700)
    assert found.health.missing["temoin"] == pytest.approx(0.0)


def test_subgroups_are_compared_with_one_test_of_their_difference() -> None:
    document = plan_document(analysis__subgroups=["canal"], metrics__guardrails=None)
    lines = [
        f"2026-09-{day:02},{arm},venus,{channel},20,{x}"
        for day in range(7, 28)
        for arm, channel, x in (("temoin", "web", 10), ("sms", "web", 16), ("temoin", "papier", 10), ("sms", "papier", 10))
    ]
    found = analysed(rows(*lines, header="date,arm,metric,canal,n,x"), document)
    assert {one.value for one in found.subgroups} == {"web", "papier"}
    assert found.subgroups[0].p_interaction < 0.01


def test_secondary_metrics_answer_for_their_number() -> None:
    secondary = [{"key": f"s{place}", "type": "binary", "better": "higher"} for place in range(2)]
    document = plan_document(metrics__secondary=secondary, metrics__guardrails=None)
    extra = "".join(f"{START},{arm},s{place},400,{x}\n" for place in range(2) for arm, x in (("temoin", 200), ("sms", 232)))
    found = analysed(strip(counts()) + extra, document)
    assert [one.p_adjusted for one in found.secondaries] == [pytest.approx(2 * one.p_value) for one in found.secondaries]


@pytest.mark.parametrize("days", range(1, 51, 7))
def test_an_analysis_survives_its_own_json(days: int) -> None:
    found = analysed(counts(days=days), SEQUENTIAL, closed=True)
    again = msgspec.json.decode(msgspec.json.encode(as_json(found)))
    assert from_json(again) == found


flags = st.booleans()


@given(st.builds(Facts, mismatch=flags, enough_days=flags, looked=flags, describable_only=flags, harmed=flags, guards_safe=flags,
                 crossed=st.sampled_from([-1, 0, 1]), final=flags, excludes_mde=flags, observational=flags))  # fmt: skip
def test_whatever_the_facts_an_extension_was_earned(facts: Facts) -> None:
    earned = verdict_of(facts)
    if earned.verdict in {Verdict.EXTEND, Verdict.EXTEND_STEP_BY_STEP}:
        assert facts.crossed == 1
        assert not any((facts.mismatch, facts.harmed, facts.observational, facts.describable_only))
        assert facts.enough_days
        assert facts.looked
    if earned.verdict is Verdict.EXTEND:
        assert facts.guards_safe
    assert earned.capped == (earned.verdict is Verdict.SIGNAL)


def test_a_size_that_shows_only_twice_the_useful_effect_is_not_for_a_test() -> None:
    assert is_not_the_tool(0.17, 0.08)
    assert not is_not_the_tool(0.15, 0.08)
    assert not is_not_the_tool(None, 0.08)


def test_before_any_figure_a_plan_too_small_for_its_own_question_is_told_so() -> None:
    empty = "date,arm,metric,n,x\n"
    small = analysed(empty, plan_document(sample__n_per_arm=60))
    assert (small.verdict, small.rule) == ("not_the_tool", 8)
    assert analysed(empty).verdict == "too_early"


def test_answers_are_drawn_level_by_level_for_both_arms() -> None:
    primary = {"key": "avis", "type": "ordinal", "better": "higher", "levels": ["mal", "moyen", "bien"], "marks": [0, 5, 10],
               "baseline": 6, "mde_abs": 0.5}  # fmt: skip
    document = normalised(plan_document(metrics__primary=primary, metrics__guardrails=None, sample__min_days=0))
    lines = [
        f"2026-09-0{day},{arm},avis,{levels}" for day in (7, 8) for arm, levels in (("temoin", "20,30,50"), ("sms", "10,30,60"))
    ]
    data = data_of(rows(*lines, header="date,arm,metric,level_1,level_2,level_3"), document)
    report = told(sheet(document, data, Context(as_of=TODAY, plan_hash=plan_hash(document), closed=True)))
    control, treated = charts_of(report).levels
    assert (control.arm, control.answers, treated.arm) == ("Sans SMS", 200, "Avec SMS")
    assert [(part[0], part[1], round(part[2], 2), round(part[3], 2)) for part in treated.parts] == [
        ("mal", 20, 0.1, 0.0), ("moyen", 60, 0.3, 0.1), ("bien", 120, 0.6, 0.4),
    ]  # fmt: skip


def test_an_invalid_result_shows_no_effect_in_its_report() -> None:
    uneven = counts(0.6, 0.9).replace(",sms,venus,12,", ",sms,venus,16,")
    document = normalised(DOCUMENT)
    made = sheet(document, data_of(uneven), Context(as_of=TODAY, plan_hash=plan_hash(document)))
    report = told(made)
    assert not report.primary
    assert "points" not in report.sentence
