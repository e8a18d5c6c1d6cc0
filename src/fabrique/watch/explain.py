"""A flag in one sentence, in the language in force: what, from what to what, around when, and how far beyond the ordinary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabrique.language import _, current
from fabrique.quality.queries import unit_of
from fabrique.web import formats

if TYPE_CHECKING:
    from fabrique.quality.catalogue import Metric
    from fabrique.watch.queries import Flag


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
    unit = unit_of(metric, flag.unit)
    span = formats.between_periods(flag.earliest, flag.latest, flag.granularity)
    text = _(
        "went from %(before)s to %(after)s %(when)s",
        before=formats.figure(flag.before, unit),
        after=formats.scaled(flag.after, unit),
        when=formats.in_period(flag.start, flag.granularity),
    )
    return f"{text} ({span})" if span else text


def evidence(flag: Flag, metric: Metric) -> str:
    """How far the change lies beyond ordinary variation, and the interval of its size."""
    unit = unit_of(metric, flag.unit)
    low, high = sorted((flag.effect_low, flag.effect_high))
    return _(
        "The gap is between %(low)s and %(high)s; it is worth %(times)s times what ordinary variation explains.",
        low=formats.difference(low, unit),
        high=formats.difference(high, unit),
        times=formats.number(flag.evidence, 1),
    )
