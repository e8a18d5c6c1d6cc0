"""Out of consolidation: who will run the service from now on, and with what?"""

from __future__ import annotations

from fabrique.reviews.defaults.criterion import Draw, SeedCriterion

CONSOLIDATION = (
    SeedCriterion(
        "owner",
        "Une organisation s’engage-t-elle par écrit à faire vivre le service ?",
        "Does an organisation commit in writing to running the service?",
        "Une équipe interne, un passage en maintenance, ou une structure juridique dédiée (GIP, société coopérative…) : le choix "
        "est fait, daté et signé par qui en a le pouvoir.",
        "A team of its own, a hand-over to maintenance, or a legal structure made for it (public interest group, co-operative…): "
        "the choice is made, dated and signed by somebody who has the power to.",
        (Draw.SPONSORS,),
    ),
    SeedCriterion(
        "people",
        "Les personnes qui feront vivre le service sont-elles en place ?",
        "Are the people who will run the service in place?",
        "Postes pourvus ou marché notifié, et au moins deux mois de travail commun entre l’équipe qui part et celle qui arrive "
        "(règle pratique).",
        "Posts filled or a contract awarded, and at least two months of work together between the team that leaves and the one "
        "that comes (a rule of thumb).",
        (Draw.TEAM,),
    ),
    SeedCriterion(
        "funding",
        "Le financement des prochaines années est-il inscrit ?",
        "Is the funding of the coming years entered?",
        "Une ligne de budget pour au moins les deux prochains exercices (règle pratique), qui couvre l’hébergement, la "
        "maintenance, l’aide aux usagers et les évolutions.",
        "A budget line for at least the next two years (a rule of thumb), which covers hosting, maintenance, help to users and "
        "changes.",
        (Draw.BUDGET,),
    ),
    SeedCriterion(
        "impact_proven",
        "L’impact est-il avéré auprès d’une part importante du public visé ?",
        "Is the impact proven on a large part of the public that the service is for?",
        "Par exemple trois usagers possibles sur dix utilisent le service (règle pratique) ; l’indicateur d’impact et les essais "
        "décidés disent ce que cela change pour eux.",
        "For instance three possible users in ten use the service (a rule of thumb); the impact metric and decided trials tell "
        "what it changes for them.",
        (Draw.ADOPTION, Draw.METRICS, Draw.EXPERIMENTS),
    ),
    SeedCriterion(
        "metrics_followed",
        "Les indicateurs et les avis resteront-ils suivis ?",
        "Will metrics and users’ comments still be followed?",
        "Une personne nommée lit les indicateurs, les signalements et les avis, au moins chaque trimestre (règle pratique) ; la "
        "page publique de statistiques reste tenue.",
        "A named person reads metrics, flags and comments, at least every quarter (a rule of thumb); the public statistics page "
        "is kept up.",
        (Draw.METRICS, Draw.FLAGS, Draw.SERVICES),
    ),
    SeedCriterion(
        "knowledge",
        "Ce qui a été appris est-il écrit pour ceux qui reprennent ?",
        "Is what was learnt written down for those who take over?",
        "Exploitation, choix techniques, essais et leurs décisions, incidents et leurs suites : quelqu’un de nouveau a remis le "
        "service en route en suivant la documentation seule.",
        "Operations, technical choices, trials and their decisions, incidents and what followed: somebody new has set the "
        "service up from the documentation alone.",
        (Draw.EXPERIMENTS, Draw.EVENTS),
    ),
    SeedCriterion(
        "accessibility",
        "L’accessibilité est-elle acquise et entretenue ?",
        "Is accessibility reached and looked after?",
        "Une déclaration d’accessibilité en vigueur, un taux RGAA qui n’a pas baissé depuis l’audit, et le prochain audit prévu "
        "au budget de l’organisation qui reprend.",
        "An accessibility statement in force, an RGAA rate that has not fallen since the audit, and the next audit in the budget "
        "of the organisation that takes over.",
        (Draw.ACCESSIBILITY, Draw.BUDGET),
    ),
    SeedCriterion(
        "security",
        "La responsabilité de la sécurité est-elle reprise ?",
        "Has somebody taken over the responsibility for security?",
        "L’autorité qui reprend a signé l’homologation (RGS) à son nom ; accès, secrets et noms de domaine sont transférés, ceux "
        "des personnes parties sont fermés.",
        "The authority that takes over has signed the approval (RGS) in its own name; accesses, secrets and domain names are "
        "handed over, and those of people who left are closed.",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "privacy",
        "La responsabilité des données personnelles est-elle reprise ?",
        "Has somebody taken over the responsibility for personal data?",
        "Le responsable de traitement est nommé, son registre est à jour, les usagers en sont informés et les contrats avec les "
        "sous-traitants sont à son nom (RGPD, articles 13, 28 et 30).",
        "The controller is named, its register is up to date, users are informed of it and contracts with processors are in its "
        "name (GDPR, articles 13, 28 and 30).",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "open_source",
        "Le code restera-t-il ouvert ?",
        "Will the code stay open?",
        "Le dépôt public appartient à l’organisation qui reprend, sous la même licence libre ; le contrat de maintenance prévoit "
        "que chaque évolution y est publiée.",
        "The public repository belongs to the organisation that takes over, under the same free licence; the maintenance "
        "contract provides that every change is published there.",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "design_system",
        "Le service suivra-t-il les versions du Système de design de l’État (DSFR) ?",
        "Will the service keep up with the State’s design system (DSFR)?",
        "Une version du DSFR de moins d’un an (règle pratique), et quelqu’un chargé des suivantes (circulaire n° 6411-SG du "
        "7 juillet 2023). Sans objet pour qui n’y est pas tenu.",
        "A version of the DSFR less than a year old (a rule of thumb), and somebody in charge of the next ones (circular 6411-SG "
        "of 7 July 2023). Not applicable to those who are not bound by it.",
        (Draw.QUALITIES,),
    ),
)
