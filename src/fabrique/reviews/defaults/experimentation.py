"""Out of experimentation: does a first group really use the service, and does it solve their problem?"""

from __future__ import annotations

from fabrique.reviews.defaults.criterion import Draw, SeedCriterion

EXPERIMENTATION = (
    SeedCriterion(
        "real_use",
        "Un premier groupe d’usagers utilise-t-il le service pour de vrai ?",
        "Does a first group of users use the service for real?",
        "De vraies démarches, pas des démonstrations : combien de personnes, depuis quand, où. Une centaine d’usagers sur trois "
        "mois permet d’en parler (règle pratique).",
        "Real cases, not demonstrations: how many people, since when, where. About a hundred users over three months gives "
        "something to talk about (a rule of thumb).",
        (Draw.ADOPTION, Draw.SERVICES, Draw.STAGE),
    ),
    SeedCriterion(
        "representative",
        "Ce premier groupe ressemble-t-il au public visé ?",
        "Is this first group like the public that the service is for?",
        "Âge, territoire, aisance en ligne, handicap : qui manque encore, et ce que l’équipe fait pour aller vers ces personnes.",
        "Age, territory, ease online, disability: who is still missing, and what the team does to go to them.",
        (Draw.ADOPTION,),
    ),
    SeedCriterion(
        "returning",
        "Les usagers reviennent-ils, ou vont-ils jusqu’au bout de leur démarche ?",
        "Do users come back, or go through with what they came for?",
        "Pour un service dont on a besoin souvent : la part de ceux qui reviennent d’un mois à l’autre. Pour une démarche que "
        "l’on fait une fois : la part des démarches achevées.",
        "For a service that people need often: the share who come back from one month to the next. For something done once: the "
        "share of cases completed.",
        (Draw.METRICS, Draw.ADOPTION),
    ),
    SeedCriterion(
        "evidence",
        "A-t-on la preuve que le service résout le problème ?",
        "Is there evidence that the service solves the problem?",
        "Un essai décidé, ou un avant-après sur l’indicateur d’impact, avec son intervalle ; les essais qui n’ont rien montré "
        "sont présentés aussi.",
        "A decided trial, or a before-and-after on the impact metric, with its interval; trials that showed nothing are "
        "presented too.",
        (Draw.EXPERIMENTS, Draw.METRICS),
    ),
    SeedCriterion(
        "satisfaction",
        "Les usagers disent-ils du bien du service, et l’équipe lit-elle leurs avis ?",
        "Do users speak well of the service, and does the team read what they write?",
        "Un formulaire d’avis est en place ; à partir de cent avis sur douze mois, la note se lit, et la cible est de 8 sur 10. "
        "Chaque dégradation signalée est expliquée.",
        "A feedback form is in place; from a hundred answers over twelve months the mark can be read, and the target is 8 out "
        "of 10. Each regression that was flagged is explained.",
        (Draw.METRICS, Draw.FLAGS),
    ),
    SeedCriterion(
        "growth_plan",
        "L’équipe sait-elle comment le service grandira, avec qui et à quel coût ?",
        "Does the team know how the service will grow, with whom and at what cost?",
        "Les publics ou territoires suivants, dans quel ordre ; une personne chargée du déploiement ; un budget pour l’année, "
        "avec ce que coûtera chaque usager de plus.",
        "Which audiences or territories come next, in which order; somebody in charge of deployment; a budget for the year, "
        "with what each further user will cost.",
        (Draw.BUDGET, Draw.TEAM, Draw.SPONSORS),
    ),
    SeedCriterion(
        "accessibility",
        "L’accessibilité est-elle travaillée, et son état déclaré ?",
        "Is accessibility worked on, and its state declared?",
        "La mention de conformité est en page d’accueil et la déclaration d’accessibilité en ligne, même « non conforme » (loi "
        "du 11 février 2005, article 47) ; les parcours principaux ont été faits au clavier et avec un lecteur d’écran. L’audit "
        "RGAA complet est demandé à la revue d’étape suivante.",
        "The compliance notice is on the home page and the accessibility statement is online, even “not compliant” (law of 11 "
        "February 2005, article 47); the main journeys were walked with a keyboard and with a screen reader. The full RGAA "
        "audit is asked for at the next gate.",
        (Draw.ACCESSIBILITY,),
    ),
    SeedCriterion(
        "security",
        "L’homologation de sécurité est-elle signée ?",
        "Is the security approval signed?",
        "La décision d’homologation (référentiel général de sécurité, RGS), même provisoire, précède l’ouverture au public ; "
        "une démarche menée sur MonServiceSécurisé convient.",
        "The approval (the State’s general security framework, RGS), even a provisional one, comes before the service opens to "
        "the public; one prepared with MonServiceSécurisé will do.",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "privacy",
        "Les données personnelles sont-elles protégées ?",
        "Are personal data protected?",
        "Le traitement est inscrit au registre, les usagers sont informés sur le site et les durées de conservation sont "
        "fixées ; l’analyse d’impact est faite si elle est requise (RGPD, articles 13, 30 et 35).",
        "The processing is in the register, users are informed on the site and retention periods are set; the impact assessment "
        "was made if it is required (GDPR, articles 13, 30 and 35).",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "open_source",
        "Le code source est-il ouvert ?",
        "Is the source code open?",
        "Un dépôt public sous licence libre. Le code source est un document administratif que chacun peut demander (code des "
        "relations entre le public et l’administration, article L. 300-2, issu de la loi pour une République numérique) ; la "
        "circulaire n° 6264-SG du 27 avril 2021 demande de l’ouvrir. Une exception de sécurité se motive par écrit.",
        "A public repository under a free licence. Source code is an administrative document that anybody may ask for (code on "
        "relations between the public and the administration, article L. 300-2, from the Digital Republic law); circular 6264-SG "
        "of 27 April 2021 asks to open it. An exception for security is justified in writing.",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "design_system",
        "Le service utilise-t-il le Système de design de l’État (DSFR) ?",
        "Does the service use the State’s design system (DSFR)?",
        "Obligatoire pour les sites de l’État, avec une adresse en .gouv.fr (circulaire n° 6411-SG du 7 juillet 2023). Sans "
        "objet pour une collectivité ou un opérateur qui n’y est pas tenu.",
        "Compulsory for State sites, with an address under .gouv.fr (circular 6411-SG of 7 July 2023). Not applicable to a local "
        "authority or an operator that is not bound by it.",
        (Draw.QUALITIES,),
    ),
)
