"""The demonstration's sheets and gate reviews: what each invented product is for, with whom, for how much, and how it was decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.accounts.rules import Person, Role
from fabrique.clock import PARIS
from fabrique.demonstration.story import PERSONAS
from fabrique.portfolio.queries import product_id_of
from fabrique.portfolio.rules import Origin, Stage
from fabrique.portfolio.sheet import Budget
from fabrique.reviews.actions import holding
from fabrique.reviews.actions.criteria import install_criteria
from fabrique.reviews.drafts import fingerprint, whole_fingerprint
from fabrique.reviews.queries.holding import review
from fabrique.reviews.rules import Answer, Condition, Decision, Outcome, Seat

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabrique.portfolio.sheet import ProductSheet

CAMILLE, NOOR, ANNE = (email for email, *_rest in PERSONAS)
SIMPLE, INCLUSIVE, SAVING = ("simplification", "satisfaction"), ("inclusion", "help_reachable"), ("economies", "digital_take_up")
ALLIED, HELD = ("alliances", ""), ("maitrise", "uptime")


@dataclass(frozen=True, slots=True)
class Told:
    """What a product's sheet adds to its story."""

    mission: str
    pitch: str
    stakes: tuple[tuple[str, str], ...]
    money: tuple[int, int] = (0, 0)
    """Planned this year, spent the year before, in euros."""
    audiences: tuple[str, ...] = ("particuliers",)
    qualities: tuple[tuple[str, str], ...] = ()
    accessibility: str = ""
    partners: tuple[str, ...] = ()


GOOD = (
    ("design_system", "yes"),
    ("franceconnect", "yes"),
    ("open_source", "yes"),
    ("privacy", "yes"),
    ("security_approval", "yes"),
)
YOUNG = (("design_system", "yes"), ("open_source", "yes"), ("privacy", "partly"), ("security_approval", "no"))
PARTIAL = "partiellement conforme"
TOLD = {
    "demo-toit-clair": Told(
        "transfo",
        "Les personnes qui demandent une aide au logement ne savent pas où en est leur dossier, et appellent pour le savoir.",
        (INCLUSIVE, SIMPLE),
        (480_000, 455_000),
        qualities=GOOD,
        accessibility=PARTIAL,
        partners=("Caisses locales (invention)",),
    ),
    "demo-mes-premiers-droits": Told(
        "transfo",
        "À dix-huit ans, on découvre ses droits un par un, souvent trop tard.",
        (SIMPLE,),
        (390_000, 350_000),
        ("jeunes",),
        GOOD,
        PARTIAL,
    ),
    "demo-bonjour-l-ecole": Told(
        "transfo",
        "Inscrire un enfant à l’école demande encore trois visites en mairie.",
        (SIMPLE, SAVING),
        (410_000, 400_000),
        ("familles", "communes"),
        GOOD,
        "totalement conforme",
    ),
    "demo-carnet-de-route": Told(
        "fabrique",
        "L’entretien d’un véhicule laisse des papiers partout, et des rappels nulle part.",
        (SAVING, SIMPLE),
        (300_000, 420_000),
        qualities=GOOD,
        accessibility=PARTIAL,
    ),
    "demo-cap-metier": Told(
        "fabrique",
        "Changer de métier commence par une question que personne ne pose : de quoi suis-je capable ?",
        (SIMPLE,),
        (260_000, 180_000),
        ("demandeurs d’emploi",),
        YOUNG,
        "non conforme",
    ),
    "demo-renov-pas-a-pas": Told(
        "transfo",
        "Rénover son logement, c’est quatre aides, quatre formulaires et quatre réponses qui se contredisent.",
        (SIMPLE, INCLUSIVE),
        (450_000, 430_000),
        qualities=GOOD,
        accessibility=PARTIAL,
    ),
    "demo-mairie-en-poche": Told(
        "fabrique",
        "Un papier d’état civil se demande encore par courrier dans deux communes sur cinq.",
        (SAVING,),
        (220_000, 150_000),
        ("communes",),
        YOUNG,
        PARTIAL,
    ),
    "demo-aidants-ensemble": Told(
        "fabrique",
        "Celles et ceux qui aident un proche renoncent à leurs congés faute de savoir les demander.",
        (INCLUSIVE,),
        (190_000, 120_000),
        qualities=YOUNG,
        partners=("Associations d’aidants (invention)",),
    ),
    "demo-facile-a-payer": Told(
        "transfo", "Payer une dette publique en plusieurs fois se négocie au guichet.", (SIMPLE, HELD), (340_000, 330_000)
    ),
    "demo-sejour-serein": Told(
        "transfo", "Renouveler un titre de séjour, c’est attendre sans savoir.", (INCLUSIVE,), (380_000, 300_000)
    ),
    "demo-eau-claire": Told(
        "data",
        "Les restrictions d’eau changent chaque semaine et personne ne sait celle de sa rue.",
        (ALLIED,),
        (150_000, 90_000),
    ),
    "demo-passerelle-asso": Told(
        "fabrique", "Créer une association prend une heure ; la faire vivre, des formulaires.", (SIMPLE,), (140_000, 80_000)
    ),
    "demo-tri-malin": Told(
        "fabrique", "On trie mal parce que chaque commune trie autrement.", (SIMPLE,), (110_000, 0), qualities=YOUNG
    ),
    "demo-contrat-simple": Told(
        "fabrique", "Les très petites entreprises n’embauchent pas faute de comprendre un contrat.", (SIMPLE,), (105_000, 0)
    ),
    "demo-garde-partagee": Told(
        "fabrique",
        "Les familles monoparentales ne trouvent pas de garde aux heures où elles travaillent.",
        (INCLUSIVE,),
        (40_000, 0),
    ),
    "demo-velo-relais": Told("fabrique", "Le dernier kilomètre à la campagne n’a pas de solution.", (), (35_000, 0)),
    "demo-jury-citoyen": Told(
        "fabrique", "Les budgets participatifs tirent au sort sur des listes que personne ne tient.", (), (30_000, 0)
    ),
    "demo-alternance-plus": Told(
        "talents", "Les apprentis quittent l’État faute d’un poste au bout.", (("attractivite", ""),), (30_000, 0)
    ),
}


@dataclass(frozen=True, slots=True)
class Held:
    """A review that was held so many weeks ago, or is in preparation: how it was answered, and what it decided."""

    product: str
    weeks_ago: int | None
    comment: str
    outcome: Outcome = field(default_factory=Outcome)
    weakest: tuple[str, Answer, str] | None = None


def held_reviews(day: date) -> tuple[Held, ...]:
    """The reviews that Noor Vasseur prepared, dated from today."""
    return (
        Held(
            "demo-aidants-ensemble",
            46,
            "Quatorze entretiens, deux maquettes essayées avec des aidants.",
            Outcome(
                Decision.ADVANCE,
                Stage.EXPERIMENTATION,
                None,
                "Le problème est réel et mal couvert ; la maquette a fait gagner une heure à chaque aidant.",
                (
                    Condition("Trouver un deuxième territoire d’essai", day - timedelta(weeks=20)),
                    Condition("Publier le code source", day - timedelta(weeks=3)),
                ),
            ),
            ("six_months", Answer.PARTLY, "Les indicateurs d’impact restent à choisir."),
        ),
        Held(
            "demo-mes-premiers-droits",
            40,
            "Chiffres suivis depuis un an, équipe au complet.",
            Outcome(
                Decision.ADVANCE,
                Stage.SCALE_UP,
                None,
                "Deux départements l’utilisent pour de vrai, et les jeunes reviennent. L’accessibilité doit suivre.",
                (Condition("Atteindre une conformité totale au RGAA", day + timedelta(weeks=9)),),
            ),
            ("accessibility", Answer.PARTLY, "Audit de mars : 74 % des critères."),
        ),
        Held("demo-garde-partagee", None, ""),
    )


def told_sheet(sheet: ProductSheet, day: date) -> ProductSheet:
    """A product's sheet with what is told of it here. The phases that a review of this demonstration decides are left to it."""
    told = TOLD.get(sheet.slug)
    decided = {one.outcome.next_stage for one in held_reviews(day) if one.product == sheet.slug} - {None}
    stays = tuple(stay for stay in sheet.stays if stay.stage not in decided)
    if len(stays) < len(sheet.stays):
        stays = (*stays[:-1], replace(stays[-1], end=None))
    if told is None:
        return replace(sheet, stays=stays)
    planned, spent = told.money
    budget = [Budget(day.year - 1, "Direction sponsor (invention)", spent, spent)] if spent else []
    budget += [Budget(day.year, "Direction sponsor (invention)", planned, planned * 7 // 10)] if planned else []
    return replace(
        sheet, stays=stays, mission=told.mission, pitch=told.pitch, stakes=tuple(sorted(told.stakes)), budget=tuple(budget),
        audiences=told.audiences, qualities=told.qualities, accessibility=told.accessibility, partners=told.partners,
        events=tuple(replace(event, origin=Origin.DEMONSTRATION) for event in sheet.events),
    )  # fmt: skip


def put_reviews(session: Session, day: date, now: datetime) -> None:
    """The reviews, through the same actions as a coach's, dated when they were held."""
    install_criteria(session, now)
    people = {row.email: row for row in session.scalars(sa.select(PersonRow).where(PersonRow.email.in_([CAMILLE, NOOR, ANNE])))}
    ties = set(session.scalars(sa.select(MembershipRow.product_id).where(MembershipRow.person_id == people[NOOR].id)))
    noor = Person(people[NOOR].id, people[NOOR].name, Role.COACH, frozenset(), frozenset(ties))
    anne = Seat(people[ANNE].name, "directrice du programme", people[ANNE].id)
    title_camille(session, people[CAMILLE].id, day)
    for one in held_reviews(day):
        if one.weeks_ago is None:
            holding.open_review(session, noor, one.product, day + timedelta(days=9), now, day)
        else:
            monday = day - timedelta(days=day.weekday(), weeks=one.weeks_ago)
            hold(session, noor, one, anne, monday)


def title_camille(session: Session, person_id: int, day: date) -> None:
    """What Camille does in her team, and since when."""
    product = product_id_of(session, "demo-toit-clair")
    if product is not None:
        accounts.join_product(session, person_id, product, "team", "intrapreneure", day - timedelta(weeks=170))


def hold(session: Session, noor: Person, one: Held, anne: Seat, day: date) -> None:
    """One review: opened, answered, decided and signed on the day after the committee."""
    signed = datetime.combine(day + timedelta(days=1), time(10, 30), PARIS)
    made = holding.open_review(session, noor, one.product, None, signed, day)

    def seen(part: str) -> str:
        found = review(session, one.product, made)
        return fingerprint(found.draft, part, found.planned_on)

    given: dict[str, tuple[Answer | None, str]] = dict.fromkeys(
        review(session, one.product, made).criteria.keys, (Answer.YES, one.comment)
    )
    if one.weakest:
        given[one.weakest[0]] = one.weakest[1:]
    holding.save_answers(session, noor, one.product, made, seen("criteres"), given, signed)
    seats = [anne, Seat("Sacha Perrin", "direction du budget"), Seat(noor.name, "coach", noor.id, decides=False)]
    holding.save_committee(session, noor, one.product, made, seen("comite"), day, None, seats, signed)
    holding.save_outcome(session, noor, one.product, made, seen("decision"), one.outcome, signed)
    found = review(session, one.product, made)
    holding.sign(session, noor, one.product, made, whole_fingerprint(found.draft, found.planned_on), signed, signed.date())
