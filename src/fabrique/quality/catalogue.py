"""The metrics that fabrique ships. Sources: JDMA and "Vos démarches essentielles" (France), GOV.UK services data (transactions)."""

from __future__ import annotations

from dataclasses import dataclass

from fabrique.stats.measurements import Form
from fabrique.web.formats import Unit


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that can be measured of a service.

    better: higher, lower or None (its changes raise no flag). marks: of each answer level, from the worst to the best.
    green, yellow: bounds of the bands, in the metric's own scale. subject_*: how a sentence begins.
    """

    key: str
    label_fr: str
    label_en: str
    subject_fr: str
    subject_en: str
    form: Form
    better: str | None
    unit: Unit
    minimum_answers: int = 0
    marks: tuple[float, ...] = ()
    green: float | None = None
    yellow: float | None = None

    @property
    def is_watched(self) -> bool:
        """Whether a change of it is good or bad news."""
        return self.better is not None


PERCENT = Unit("%", 0, 100.0)
OUT_OF_TEN = Unit("/10", 1)
FIVE_LEVELS = (0.0, 2.5, 5.0, 7.5, 10.0)

SHIPPED = (
    Metric(
        "satisfaction", "Satisfaction", "Satisfaction", "La satisfaction", "Satisfaction",
        Form.SCORE, "higher", OUT_OF_TEN, 100, (0.0, 5.0, 10.0), 8.0, 5.0,
    ),
    Metric(
        "clarity", "Clarté du langage", "Clarity", "La clarté", "Clarity",
        Form.SCORE, "higher", OUT_OF_TEN, 100, FIVE_LEVELS, 8.0, 5.0,
    ),
    Metric(
        "help_reachable", "Aide joignable", "Help reachable", "La part des usagers qui joignent une aide",
        "The share of users who reach help", Form.PROPORTION, "higher", PERCENT, 30, (), 0.85, 0.70,
    ),
    Metric(
        "help_efficient", "Qualité de l’aide", "Quality of help", "La qualité de l’aide", "The quality of help",
        Form.SCORE, "higher", OUT_OF_TEN, 30, FIVE_LEVELS, 8.0, 5.0,
    ),
    Metric(
        "autonomy", "Autonomie", "Autonomy", "La part des usagers sans besoin d’aide",
        "The share of users who need no help", Form.PROPORTION, "higher", PERCENT, 30,
    ),
    Metric(
        "completion", "Démarches achevées", "Completion", "La part des démarches achevées",
        "The share of cases completed", Form.PROPORTION, "higher", PERCENT, 30,
    ),
    Metric(
        "digital_take_up", "Démarches en ligne", "Digital take-up", "La part des démarches en ligne",
        "Digital take-up", Form.PROPORTION, "higher", PERCENT, 30,
    ),
    Metric(
        "rgaa", "Accessibilité (RGAA)", "Accessibility (RGAA)", "Le taux de conformité au RGAA",
        "The RGAA conformity rate", Form.VALUE, "higher", Unit("%", 0), 0, (), 100.0, 50.0,
    ),
    Metric(
        "dlnuf", "Informations redemandées", "Information asked again", "Le nombre d’informations redemandées",
        "The number of facts asked again", Form.VALUE, "lower", Unit("", 0), 0, (), 1.0, 4.0,
    ),
    Metric(
        "uptime", "Disponibilité", "Availability", "La disponibilité", "Availability",
        Form.PROPORTION, "higher", Unit("%", 2, 100.0), 0, (), 0.999, 0.985,
    ),
    Metric(
        "page_time", "Temps de chargement", "Page time", "Le temps de chargement", "Page time",
        Form.VALUE, "lower", Unit("ms", 0), 0, (), 400.0, 800.0,
    ),
    Metric(
        "cost_per_transaction", "Coût par démarche", "Cost per transaction", "Le coût par démarche",
        "The cost per transaction", Form.VALUE, "lower", Unit("€", 2),
    ),
    Metric(
        "transactions", "Démarches", "Transactions", "Le nombre de démarches", "The number of transactions",
        Form.VALUE, None, Unit("", 0),
    ),
    Metric(
        "nps", "NPS", "NPS", "Le NPS", "The NPS", Form.SCORE, "higher", Unit("", 0), 30,
        (-100.0, -100.0, -100.0, -100.0, -100.0, -100.0, -100.0, 0.0, 0.0, 100.0, 100.0),
    ),
    Metric(
        "csat", "CSAT", "CSAT", "Le CSAT", "CSAT", Form.SCORE, "higher", Unit("/5", 1), 30, (1.0, 2.0, 3.0, 4.0, 5.0),
    ),
    Metric(
        "ces", "Effort (CES)", "Effort (CES)", "La facilité (CES)", "Ease (CES)",
        Form.SCORE, "higher", Unit("/7", 1), 30, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0),
    ),
)  # fmt: skip
BY_KEY = {metric.key: metric for metric in SHIPPED}
ALIASES = {"simplicity": "clarity", "usage": "digital_take_up", "handicap": "rgaa", "performance": "page_time"}
"""Names that older files use for the same metric. help_used is not one: it counts the complement of autonomy."""
