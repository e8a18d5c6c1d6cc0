"""The demonstration's story: invented products and services, and the changes hidden in their figures. Nothing here is real."""

from __future__ import annotations

from dataclasses import dataclass

from fabrique.portfolio.rules import Stage

INCUBATORS = {
    "demo-solidarites": "Atelier numérique des solidarités",
    "demo-territoires": "Atelier des territoires",
    "demo-transition": "Laboratoire de la transition",
    "demo-emploi": "Atelier de l’emploi et des compétences",
}
SPONSORS = {
    "demo-dgs": "Direction des solidarités (invention)",
    "demo-dgt": "Direction des territoires (invention)",
    "demo-dte": "Direction de la transition (invention)",
    "demo-dge": "Direction de l’emploi (invention)",
}


@dataclass(frozen=True, slots=True)
class Product:
    """A product: where it is incubated, and how many weeks ago it entered each stage."""

    slug: str
    name: str
    incubator: str
    sponsor: str
    stays: tuple[tuple[Stage, int], ...]


@dataclass(frozen=True, slots=True)
class Hidden:
    """A change put into a service's figures: a metric, weeks ago, by how much (marks, or share), and the event behind it."""

    metric: str
    weeks_ago: int
    by: float
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A service: its weekly answers and its levels (satisfaction and clarity out of ten, the others as shares)."""

    slug: str
    name: str
    product: str
    department: str
    answers: int
    satisfaction: float
    clarity: float
    completion: float
    help_reachable: float
    hidden: tuple[Hidden, ...] = ()


I, E, S, C = Stage.INVESTIGATION, Stage.EXPERIMENTATION, Stage.SCALE_UP, Stage.CONSOLIDATION  # noqa: E741
SOL, TER, TRA, EMP = "demo-solidarites", "demo-territoires", "demo-transition", "demo-emploi"
DGS, DGT, DTE, DGE = "demo-dgs", "demo-dgt", "demo-dte", "demo-dge"

PRODUCTS = (
    Product("demo-toit-clair", "Toit clair", SOL, DGS, ((I, 170), (E, 158), (S, 88))),
    Product("demo-mes-premiers-droits", "Mes premiers droits", SOL, DGS, ((I, 120), (E, 108), (S, 40))),
    Product("demo-bonjour-l-ecole", "Bonjour l’école", TER, DGT, ((I, 190), (E, 176), (S, 110))),
    Product("demo-carnet-de-route", "Carnet de route", TRA, DTE, ((I, 210), (E, 196), (S, 130), (C, 12))),
    Product("demo-cap-metier", "Cap métier", EMP, DGE, ((I, 96), (E, 82))),
    Product("demo-renov-pas-a-pas", "Rénov’ pas à pas", TRA, DTE, ((I, 140), (E, 128), (S, 52))),
    Product("demo-mairie-en-poche", "Mairie en poche", TER, DGT, ((I, 84), (E, 70))),
    Product("demo-aidants-ensemble", "Aidants ensemble", SOL, DGS, ((I, 60), (E, 46))),
    Product("demo-facile-a-payer", "Facile à payer", EMP, DGE, ((I, 150), (E, 139), (S, 61))),
    Product("demo-sejour-serein", "Séjour serein", TER, DGT, ((I, 112), (E, 99), (S, 9))),
    Product("demo-eau-claire", "Eau claire", TRA, DTE, ((I, 52), (E, 38))),
    Product("demo-passerelle-asso", "Passerelle asso", TER, DGT, ((I, 44), (E, 30))),
    Product("demo-tri-malin", "Tri malin", TRA, DTE, ((I, 31), (E, 8))),
    Product("demo-contrat-simple", "Contrat simple", EMP, DGE, ((I, 26), (E, 6))),
    Product("demo-garde-partagee", "Garde partagée", SOL, DGS, ((I, 11),)),
    Product("demo-velo-relais", "Vélo relais", TRA, DTE, ((I, 7),)),
    Product("demo-jury-citoyen", "Jury citoyen", TER, DGT, ((I, 4),)),
    Product("demo-alternance-plus", "Alternance plus", EMP, DGE, ((I, 2),)),
    Product("demo-seconde-vie", "Seconde vie", TRA, DTE, ((I, 70), (Stage.INCONCLUSIVE, 58))),
    Product("demo-guichet-des-arts", "Guichet des arts", TER, DGT, ((I, 98), (Stage.INCONCLUSIVE, 88))),
    Product("demo-sos-papiers", "SOS papiers", SOL, DGS, ((I, 160), (E, 148), (Stage.STOPPED, 66))),
    Product("demo-permis-pas-a-pas", "Permis pas à pas", TRA, DTE, ((I, 240), (E, 228), (S, 160), (C, 70),
                                                                     (Stage.TRANSFERRED, 34))),
)  # fmt: skip

SOLID, TERR, TRANS, EMPL = (
    "Ministère des Solidarités", "Ministère des Territoires", "Ministère de la Transition", "Ministère de l’Emploi"
)  # fmt: skip

SERVICES = (
    Service("demo-aide-au-logement", "Demande d’aide au logement", "demo-toit-clair", SOLID, 320, 8.4, 8.1, 0.78, 0.83,
            (Hidden("satisfaction", 47, 0.5, "release", "nouvelle page d’aide"),
             Hidden("satisfaction", 9, -0.9, "release", "version 3.2"))),
    Service("demo-caution-etudiante", "Caution étudiante", "demo-toit-clair", SOLID, 140, 7.9, 7.6, 0.71, 0.76),
    Service("demo-logement-adapte", "Adapter son logement", "demo-toit-clair", SOLID, 60, 7.2, 6.9, 0.62, 0.71,
            (Hidden("completion", 30, 0.08, "release", "pièces justificatives réduites"),)),
    Service("demo-premier-emploi", "Mon premier emploi", "demo-mes-premiers-droits", SOLID, 260, 7.1, 7.0, 0.69, 0.74,
            (Hidden("satisfaction", 11, 0.8, "release", "parcours court"),)),
    Service("demo-carte-jeune", "Carte jeune", "demo-mes-premiers-droits", SOLID, 190, 8.8, 8.7, 0.91, 0.88),
    Service("demo-bourse-mobilite", "Bourse de mobilité", "demo-mes-premiers-droits", SOLID, 110, 7.6, 7.0, 0.66, 0.70,
            (Hidden("clarity", 8, 0.9, "release", "réécriture en langage clair"),)),
    Service("demo-inscription-scolaire", "Inscription scolaire", "demo-bonjour-l-ecole", TERR, 410, 8.1, 7.8, 0.79, 0.81,
            (Hidden("completion", 7, -0.07, "incident", "panne du dépôt de pièces sur mobile"),)),
    Service("demo-cantine-transport", "Cantine et transport", "demo-bonjour-l-ecole", TERR, 230, 7.8, 7.9, 0.86, 0.79),
    Service("demo-changer-d-ecole", "Changer d’école", "demo-bonjour-l-ecole", TERR, 75, 6.8, 6.6, 0.64, 0.66,
            (Hidden("satisfaction", 64, -0.8),)),
    Service("demo-certificat-vehicule", "Certificat de véhicule", "demo-carnet-de-route", TRANS, 520, 7.4, 7.2, 0.82, 0.84,
            (Hidden("help_reachable", 10, -0.09, "incident", "fermeture d’un centre d’appel"),)),
    Service("demo-vendre-vehicule", "Vendre son véhicule", "demo-carnet-de-route", TRANS, 340, 7.9, 7.7, 0.84, 0.82),
    Service("demo-controle-technique", "Rappel du contrôle technique", "demo-carnet-de-route", TRANS, 150, 8.6, 8.9, 0.95, 0.90),
    Service("demo-bilan-competences", "Bilan de compétences", "demo-cap-metier", EMPL, 95, 8.0, 7.9, 0.73, 0.85,
            (Hidden("satisfaction", 26, 0.7, "release", "rendez-vous en ligne"),)),
    Service("demo-trouver-formation", "Trouver une formation", "demo-cap-metier", EMPL, 180, 7.0, 6.8, 0.70, 0.72),
    Service("demo-aide-renovation", "Aide à la rénovation", "demo-renov-pas-a-pas", TRANS, 280, 6.2, 5.8, 0.55, 0.63,
            (Hidden("clarity", 42, 0.7, "release", "guide en images"),
             Hidden("satisfaction", 6, -0.8))),
    Service("demo-audit-energie", "Audit énergétique", "demo-renov-pas-a-pas", TRANS, 120, 7.3, 7.1, 0.75, 0.71),
    Service("demo-etat-civil", "Acte d’état civil", "demo-mairie-en-poche", TERR, 360, 9.0, 9.1, 0.94, 0.89),
    Service("demo-recensement", "Se faire recenser", "demo-mairie-en-poche", TERR, 130, 8.7, 8.6, 0.92, 0.86,
            (Hidden("completion", 53, 0.03),)),
    Service("demo-vote-procuration", "Voter par procuration", "demo-mairie-en-poche", TERR, 90, 8.3, 8.2, 0.88, 0.80),
    Service("demo-conge-aidant", "Congé d’aidant", "demo-aidants-ensemble", SOLID, 55, 6.9, 6.5, 0.60, 0.69,
            (Hidden("satisfaction", 10, 1.2, "release", "accompagnement par téléphone"),)),
    Service("demo-relais-aidants", "Trouver un relais", "demo-aidants-ensemble", SOLID, 48, 7.7, 7.4, 0.68, 0.75),
    Service("demo-payer-amende", "Payer en plusieurs fois", "demo-facile-a-payer", EMPL, 450, 7.5, 7.6, 0.88, 0.77,
            (Hidden("completion", 36, 0.04, "release", "paiement mobile"),)),
    Service("demo-declarer-emploi", "Déclarer un emploi à domicile", "demo-facile-a-payer", EMPL, 300, 7.0, 6.7, 0.80, 0.74,
            (Hidden("clarity", 12, -0.6, "release", "nouveau formulaire"),)),
    Service("demo-titre-sejour", "Renouveler son titre", "demo-sejour-serein", TERR, 260, 5.6, 5.3, 0.61, 0.48,
            (Hidden("help_reachable", 8, 0.10, "campaign", "accueil dans 12 départements"),)),
    Service("demo-regroupement", "Regroupement familial", "demo-sejour-serein", TERR, 80, 5.1, 4.9, 0.52, 0.45),
    Service("demo-alerte-eau", "Alerte sécheresse", "demo-eau-claire", TRANS, 70, 8.2, 8.4, 0.90, 0.78),
    Service("demo-puits-forage", "Déclarer un forage", "demo-eau-claire", TRANS, 40, 7.1, 6.6, 0.63, 0.67),
    Service("demo-creer-association", "Créer une association", "demo-passerelle-asso", TERR, 160, 7.8, 7.5, 0.77, 0.73,
            (Hidden("satisfaction", 5, 0.9, "release", "statuts préremplis"),)),
    Service("demo-subvention", "Demander une subvention", "demo-passerelle-asso", TERR, 85, 6.4, 6.0, 0.58, 0.64),
    Service("demo-point-collecte", "Point de collecte", "demo-tri-malin", TRANS, 65, 8.1, 8.3, 0.93, 0.80),
    Service("demo-simulateur-contrat", "Simuler un contrat", "demo-contrat-simple", EMPL, 100, 8.5, 8.1, 0.89, 0.82),
    Service("demo-permis-en-ligne", "Suivre son permis", "demo-permis-pas-a-pas", TRANS, 380, 7.7, 7.8, 0.87, 0.76,
            (Hidden("satisfaction", 70, 0.6),)),
)  # fmt: skip

PERSONAS = (
    ("camille.demo@exemple.invalid", "Camille Rivière", "intrapreneur", ("demo-toit-clair",)),
    ("noor.demo@exemple.invalid", "Noor Vasseur", "coach",
     ("demo-toit-clair", "demo-mes-premiers-droits", "demo-aidants-ensemble", "demo-garde-partagee")),
    ("anne.demo@exemple.invalid", "Anne Morel", "leadership", ()),
)  # fmt: skip
