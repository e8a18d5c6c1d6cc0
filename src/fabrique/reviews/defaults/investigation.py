"""Out of investigation: is there a problem worth a service, and are there people to make it?"""

from __future__ import annotations

from fabrique.reviews.defaults.criterion import Draw, SeedCriterion

INVESTIGATION = (
    SeedCriterion(
        "problem_confirmed",
        "Les usagers eux-mêmes ont-ils confirmé le problème ?",
        "Have users themselves confirmed the problem?",
        "Au moins dix entretiens ou observations d’usagers (règle pratique), dont des personnes en situation de handicap ou peu "
        "à l’aise en ligne ; le problème est dit avec leurs mots, sans nommer de solution.",
        "At least ten interviews or observations of users (a rule of thumb), some of them with a disability or ill at ease "
        "online; the problem is told in their words, and names no solution.",
    ),
    SeedCriterion(
        "problem_size",
        "Le problème est-il assez grand pour mériter un service ?",
        "Is the problem big enough to deserve a service?",
        "Combien de personnes, à quelle fréquence, et ce que cela leur coûte en temps, en argent ou en droits perdus : un ordre "
        "de grandeur et sa source suffisent.",
        "How many people, how often, and what it costs them in time, money or rights they lose: an order of magnitude with its "
        "source is enough.",
    ),
    SeedCriterion(
        "alternatives",
        "Le contexte et les solutions existantes ont-ils été étudiés ?",
        "Were the context and existing solutions studied?",
        "Ce qui existe déjà, public ou privé, pourquoi les usagers ne s’en contentent pas, ce que des essais ont déjà montré "
        "ailleurs, et pourquoi l’administration est bien placée pour agir.",
        "What exists already, public or private, why users do not make do with it, what trials have shown elsewhere, and why "
        "the administration is well placed to act.",
    ),
    SeedCriterion(
        "value_tried",
        "La valeur d’une solution a-t-elle été essayée avec une maquette ou un prototype ?",
        "Was a solution’s value tried with a mock-up or a prototype?",
        "Au moins cinq usagers ont manipulé la maquette (règle pratique) ; l’équipe dit ce qu’ils ont réussi, ce qui les a "
        "arrêtés et ce qui l’a fait changer d’avis.",
        "At least five users handled the mock-up (a rule of thumb); the team tells what they managed, what stopped them, and "
        "what changed its own mind.",
        (Draw.EXPERIMENTS,),
    ),
    SeedCriterion(
        "sponsor",
        "Un sponsor s’engage-t-il pour la suite ?",
        "Does a sponsor commit to what follows?",
        "Une personne nommée, au niveau de la direction, qui finance la phase suivante, garantit l’autonomie de l’équipe et "
        "siège au comité.",
        "A named person, at director’s level, who funds the next phase, guarantees the team’s autonomy and sits on the "
        "committee.",
        (Draw.SPONSORS, Draw.BUDGET),
    ),
    SeedCriterion(
        "intrapreneur",
        "Un intrapreneur est-il libéré au moins deux jours par semaine ?",
        "Is an intrapreneur freed for at least two days a week?",
        "Un accord écrit de sa hiérarchie, avec la date à partir de laquelle il vaut ; la personne connaît le sujet et peut "
        "décider.",
        "A written agreement from their line management, with the date from which it holds; the person knows the field and may "
        "decide.",
        (Draw.TEAM,),
    ),
    SeedCriterion(
        "six_months",
        "L’équipe sait-elle ce qu’elle veut avoir montré dans six mois ?",
        "Does the team know what it wants to have shown in six months?",
        "Un premier périmètre réaliste, un premier groupe d’usagers qui attend le service, et un indicateur d’impact avec le "
        "niveau qui fera dire que c’est réussi.",
        "A realistic first scope, a first group of users who wait for the service, and an impact metric with the level that "
        "will count as success.",
        (Draw.METRICS, Draw.STAGE),
    ),
    SeedCriterion(
        "obligations_foreseen",
        "Les obligations à venir sont-elles repérées : données personnelles, sécurité, accessibilité ?",
        "Are the duties ahead known: personal data, security, accessibility?",
        "Une page suffit à ce stade : quelles données, pour quoi faire, qui en répond ; s’il faudra une analyse d’impact (RGPD, "
        "article 35) ; qui signera l’homologation de sécurité ; ce que l’accessibilité demandera.",
        "One page is enough at this stage: which data, for what, who answers for them; whether an impact assessment will be "
        "needed (GDPR, article 35); who will sign the security approval; what accessibility will ask.",
        (Draw.QUALITIES,),
    ),
)
