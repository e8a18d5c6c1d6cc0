"""A criterion as fabrique ships it, and the evidence that a criterion may ask to see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fabrique.language import n_


class Draw(StrEnum):
    """A kind of evidence that fabrique lays beside a criterion by itself."""

    EXPERIMENTS = "experiments"
    METRICS = "metrics"
    FLAGS = "flags"
    SERVICES = "services"
    ADOPTION = "adoption"
    BUDGET = "budget"
    STAGE = "stage"
    TEAM = "team"
    SPONSORS = "sponsors"
    ACCESSIBILITY = "accessibility"
    QUALITIES = "qualities"
    EVENTS = "events"


DRAW_LABELS = {
    Draw.EXPERIMENTS: n_("Trials and what was decided on them"),
    Draw.METRICS: n_("Metrics of the services, with their targets"),
    Draw.FLAGS: n_("Flags still to explain"),
    Draw.SERVICES: n_("Services and their figures"),
    Draw.ADOPTION: n_("How many people use the services"),
    Draw.BUDGET: n_("Budget by year and funder"),
    Draw.STAGE: n_("Time spent in the phase"),
    Draw.TEAM: n_("Team, with roles and dates"),
    Draw.SPONSORS: n_("Sponsors and partners"),
    Draw.ACCESSIBILITY: n_("Accessibility: what is declared, and the RGAA rate"),
    Draw.QUALITIES: n_("Qualities: open source, security, privacy…"),
    Draw.EVENTS: n_("Events: launches, committees, incidents…"),
}


@dataclass(frozen=True, slots=True)
class SeedCriterion:
    """A question of a gate, answered yes, partly, no or not applicable.

    key: the same question has the same key at every gate. help_*: what would convince a committee; a rule of thumb is called
    one. draws: the evidence laid beside it. Both languages are data, not msgids: administrators rewrite them.
    """

    key: str
    label_fr: str
    label_en: str
    help_fr: str
    help_en: str
    draws: tuple[Draw, ...] = ()
