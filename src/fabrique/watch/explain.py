"""A flag in one sentence, in the language in force: what, from what to what, around when, and how often chance would do as much."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from fabrique.language import _, current, ngettext
from fabrique.quality.queries import unit_of
from fabrique.web import formats

if TYPE_CHECKING:
    from fabrique.quality.catalogue import Metric
    from fabrique.watch.queries import Flag
    from fabrique.web.formats import Unit


LONGEST_TOLD = 1_000
"""Years: what is rarer than once in a thousand is told as that."""


def sentence(flag: Flag, metric: Metric) -> str:
    """The whole sentence, naming the service."""
    return _(
        "%(subject)s of “%(service)s” %(moved)s.",
        subject=subject(metric),
        service=flag.service_name,
        moved=movement(flag, metric),
    )


def short_sentence(flag: Flag, metric: Metric) -> str:
    """The sentence under a title that already names the service."""
    return _("%(subject)s %(moved)s.", subject=subject(metric), moved=movement(flag, metric))


def subject(metric: Metric) -> str:
    """How the sentence begins."""
    return metric.subject_fr if current.get() == "fr" else metric.subject_en


def movement(flag: Flag, metric: Metric) -> str:
    """From what to what, around when."""
    unit = told_apart(flag.before, flag.after, unit_of(metric, flag.unit))
    span = formats.between_periods(flag.earliest, flag.latest, flag.granularity)
    text = _(
        "went from %(before)s to %(after)s %(when)s",
        before=formats.figure(flag.before, unit),
        after=formats.scaled(flag.after, unit),
        when=formats.in_period(flag.start, flag.granularity),
    )
    return f"{text} ({span})" if span else text


def told_apart(one: float, other: float, unit: Unit) -> Unit:
    """The unit with as many decimals, up to two more, as it takes for two figures to read differently."""
    for more in range(3):
        finer = replace(unit, decimals=unit.decimals + more)
        if formats.figure(one, finer) != formats.figure(other, finer):
            return finer
    return unit


def evidence(flag: Flag, metric: Metric) -> str:
    """The interval of the change's size, and how rarely chance would do as much."""
    unit = told_apart(flag.effect_low, flag.effect_high, unit_of(metric, flag.unit))
    low, high = sorted((flag.effect_low, flag.effect_high))
    years = min(LONGEST_TOLD, 1 / max(flag.chance, 1e-9))
    return ngettext(
        "The gap is between %(low)s and %(high)s; on this series, chance would do as much less than once in %(years)s year.",
        "The gap is between %(low)s and %(high)s; on this series, chance would do as much less than once in %(years)s years.",
        int(years),
        low=formats.difference(low, unit),
        high=formats.difference(high, unit),
        years=formats.number(rounded_down(years), 0),
    )


def rounded_down(years: float) -> float:
    """A number of years with the one figure that counts: nobody knows the others."""
    unit = 10.0 ** max(0, len(str(int(years))) - 1)
    return max(1.0, math.floor(years / unit) * unit)
