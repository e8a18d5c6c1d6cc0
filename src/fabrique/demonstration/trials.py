"""The demonstration's trials: invented plans and counts, at every moment of a trial's life, dated from today."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from fabrique.accounts.model import PersonRow
from fabrique.accounts.rules import Person, Role
from fabrique.experiments.actions import collecting, looking, plans, practices
from fabrique.experiments.data.reading import table_from_text
from fabrique.experiments.rules import Choice, Step, Verdict
from fabrique.portfolio.queries import product_id_of

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

SEED = 20_190_402
REMINDER = "Rappel par SMS"
COLLEAGUES = (("idris.demo@exemple.invalid", "Idris Lambert"), ("maya.demo@exemple.invalid", "Maya Delorme"))
"""People of other products' teams, whom nobody signs in as."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An invented A/B trial: its product, when it began (weeks ago) and for how long, the truth behind its counts, how far it went."""

    slug: str
    title: str
    product: str
    author: str
    hypothesis: tuple[str, str, str]
    metric: str
    began: int
    weeks: int
    per_day: int
    baseline: float
    truth: float
    mde: float
    until: str
    """draft, in_review, running or decided."""
    satisfied: float = 0.82
    looks: tuple[float, ...] = ()
    practices: tuple[str, ...] = ()
    reasons: dict[Verdict, str] = field(default_factory=dict)


CAMILLE, IDRIS, MAYA = "camille.demo@exemple.invalid", COLLEAGUES[0][0], COLLEAGUES[1][0]
TRIALS = (
    Trial("demo-sms-pieces", "Un SMS rappelle les pièces à fournir", "demo-toit-clair", CAMILLE,
          ("un SMS rappelle les pièces manquantes deux jours après le dépôt", "davantage de dossiers sont complets",
           "un dossier sur trois attend une pièce que son auteur a oubliée"),
          "Dossier complet", 16, 9, 44, 0.61, 0.69, 0.05, "decided", looks=(0.5, 0.75, 1.0), practices=(REMINDER,)),
    Trial("demo-sms-echeance", "Rappel par SMS avant l’échéance", "demo-mes-premiers-droits", IDRIS,
          ("un SMS rappelle l’échéance cinq jours avant", "davantage de demandes sont déposées à temps",
           "un jeune sur quatre dit avoir oublié la date"),
          "Demande déposée à temps", 24, 8, 30, 0.72, 0.765, 0.06, "decided", practices=(REMINDER,)),
    Trial("demo-sms-aidants", "Un SMS rappelle l’appel d’accompagnement", "demo-aidants-ensemble", MAYA,
          ("un SMS rappelle l’appel la veille", "davantage d’aidants décrochent", "les aidants décrochent peu aux numéros inconnus"),
          "Appel abouti", 30, 10, 24, 0.48, 0.60, 0.08, "decided", practices=(REMINDER,)),
    Trial("demo-aide-claire", "La page d’aide en langage clair", "demo-toit-clair", CAMILLE,
          ("la page d’aide répond d’abord aux trois questions les plus posées", "davantage de personnes finissent seules",
           "les appels portent à 60 % sur ces trois questions"),
          "Démarche finie sans aide", 4, 8, 40, 0.55, 0.59, 0.05, "running", looks=(0.5, 0.75, 1.0),
          practices=("Langage clair",)),
    Trial("demo-adresse-preremplie", "L’adresse est préremplie", "demo-toit-clair", CAMILLE,
          ("l’adresse connue de l’État est préremplie", "davantage de demandes sont achevées",
           "une saisie d’adresse sur dix est abandonnée"),
          "Demande achevée", -1, 6, 45, 0.78, 0.80, 0.04, "in_review", practices=("Dites-le-nous une fois",)),
    Trial("demo-trois-questions", "Trois questions au lieu de sept", "demo-garde-partagee", MAYA,
          ("", "", ""), "Demande achevée", -2, 6, 12, 0.5, 0.5, 0.1, "draft"),
)  # fmt: skip


def put_trials(session: Session, day: date, now: datetime) -> None:
    """Every invented trial, through the same actions as people's own."""
    for email, name in COLLEAGUES:
        session.add(PersonRow(email=email, name=name, role=Role.INTRAPRENEUR, persona=False, created_at=now))
    session.flush()
    random = np.random.default_rng(SEED)
    for trial in TRIALS:
        put_trial(session, trial, random, day, now)


def put_trial(session: Session, trial: Trial, random: np.random.Generator, day: date, now: datetime) -> None:
    """One trial, as far as it went."""
    author, coach = somebody(session, trial.author, trial.product), somebody(session, "noor.demo@exemple.invalid", trial.product)
    start = day - timedelta(weeks=trial.began) - timedelta(days=day.weekday())
    end = start + timedelta(weeks=trial.weeks) - timedelta(days=1)
    document = document_of(trial, start, end, author.name, coach.name)
    before = min(now, now - timedelta(weeks=max(trial.began, 0) + 2))
    slug = plans.create(session, author, document, before)
    if trial.until == "draft":
        return
    plans.submit(session, author, slug, before + timedelta(days=1))
    if trial.until == "in_review":
        return
    plans.register(session, coach, slug, before + timedelta(days=3), "Marge du garde-fou discutée avec l’équipe.")
    last = min(end, day - timedelta(days=1))
    text = counts_of(trial, random, start, last)
    after = min(now, now - timedelta(days=(day - last).days - 1))
    collecting.record_counts(session, author, slug, [table_from_text("démonstration", text)], "démonstration", after)
    if trial.until == "running":
        return
    collecting.close(session, author, slug, last, after)
    made = looking.analyse_now(session, author, slug, after, last + timedelta(days=1))
    conclude(session, coach, slug, Verdict(made["verdict"]), after + timedelta(days=2))
    practices.tag(session, author, slug, trial.practices, after + timedelta(days=2))
    plans.step(session, author, slug, Step.ARCHIVE, after + timedelta(days=30))


def somebody(session: Session, email: str, product: str) -> Person:
    """A person acting for a product."""
    row = session.scalars(sa.select(PersonRow).where(PersonRow.email == email)).one()
    product_id = product_id_of(session, product)
    products = frozenset({product_id} if product_id is not None else ())
    coached = products if row.role == Role.COACH else frozenset()
    return Person(row.id, row.name, Role(row.role), products - coached, coached)


DECISIONS = {
    Verdict.EXTEND: (Choice.EXTEND, "L’effet est net et le garde-fou est sûr : on étend à tous les usagers le mois prochain."),
    Verdict.EXTEND_STEP_BY_STEP: (
        Choice.EXTEND_STEP_BY_STEP,
        "L’effet est net, mais rien ne montre que la satisfaction tient : on étend par quart, en la regardant.",
    ),
    Verdict.NO_USEFUL_EFFECT: (Choice.ITERATE, "Trop peu pour ce que coûtent les SMS : on essaie un autre moment d’envoi."),
    Verdict.UNDECIDABLE: (Choice.REPEAT, "Les chiffres ne tranchent pas : on refait l’essai au printemps, avec plus de monde."),
    Verdict.STOP: (Choice.STOP, "C’est pire : on arrête."),
}
DISSENT = "Une voix aurait préféré attendre l’hiver, où les dossiers sont plus nombreux."


def conclude(session: Session, person: Person, slug: str, verdict: Verdict, at: datetime) -> None:
    """Decide what the verdict bears."""
    choice, reasons = DECISIONS.get(verdict, (Choice.UNDECIDABLE, "Les chiffres ne permettent pas de conclure."))
    looking.decide(session, person, slug, choice, reasons, DISSENT, at)


def document_of(trial: Trial, start: date, end: date, author: str, coach: str) -> dict[str, Any]:
    """The trial's plan."""
    condition, outcome, reason = trial.hypothesis
    analysis: dict[str, Any] = {"alpha": 0.05, "power": 0.8, "looks": "fixed", "subgroups": ["canal"]}
    if trial.looks:
        analysis |= {"looks": "group_sequential", "information_fractions": list(trial.looks)}
    return {
        "schema": 1,
        "slug": trial.slug,
        "title": trial.title,
        "product": trial.product,
        "owner": author,
        "coach": coach,
        "legal_basis": "comptages agrégés, inventés pour la démonstration",
        "hypothesis": {"if": condition, "then": outcome, "because": reason, "direction": "hausse" if condition else ""},
        "design": {
            "kind": "ab",
            "unit": "demande",
            "population": "toutes les demandes nouvelles, tirées au sort à l’arrivée",
            "start": start,
            "planned_end": end,
        },
        "arms": [{"key": "temoin", "name": "Comme aujourd’hui", "weight": 1}, {"key": "essai", "name": "Essai", "weight": 1}],
        "metrics": {
            "primary": {
                "key": "reussite", "name": trial.metric, "type": "binary", "better": "higher",
                "baseline": trial.baseline, "mde_abs": trial.mde,
            },
            "guardrails": [
                {"key": "satisfaits", "name": "Usagers satisfaits", "type": "binary", "better": "higher",
                 "baseline": trial.satisfied, "non_inferiority_margin": 0.05}
            ],
            "secondary": [{"key": "appels", "name": "Appels au support", "type": "rate", "better": "lower"}],
        },
        "analysis": analysis,
        "sample": {"n_per_arm": trial.per_day * 7 * trial.weeks // 2, "expected_per_day": trial.per_day, "min_days": 14},
        "decision": {"practices": list(trial.practices)},
    }  # fmt: skip


def counts_of(trial: Trial, random: np.random.Generator, start: date, last: date) -> str:
    """Daily counts of both arms, by channel."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(["date", "arm", "metric", "canal", "n", "x"])
    for place in range((last - start).days + 1):
        for arm, share in (("temoin", trial.baseline), ("essai", trial.truth)):
            for channel, part, shift in (("mobile", 0.6, 0.01), ("ordinateur", 0.4, -0.015)):
                n = int(random.binomial(round(trial.per_day / 2 / 0.98), part))
                out.writerow([start + timedelta(days=place), arm, "reussite", channel, n, int(random.binomial(n, share + shift))])
                answers = int(random.binomial(n, 0.6))
                out.writerow(
                    [
                        start + timedelta(days=place),
                        arm,
                        "satisfaits",
                        channel,
                        answers,
                        int(random.binomial(answers, trial.satisfied)),
                    ]
                )
                out.writerow([start + timedelta(days=place), arm, "appels", channel, n, int(random.poisson(0.08 * n))])
    return text.getvalue()
