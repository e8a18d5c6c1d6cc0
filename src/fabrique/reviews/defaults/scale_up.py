"""Out of scale-up: does the impact grow, at a bearable cost, with a service that holds?"""

from __future__ import annotations

from fabrique.reviews.defaults.criterion import Draw, SeedCriterion

SCALE_UP = (
    SeedCriterion(
        "impact_growth",
        "L’impact du service grandit-il ?",
        "Does the service’s impact grow?",
        "L’indicateur d’impact progresse depuis au moins trois trimestres (règle pratique), et pas seulement les visites.",
        "The impact metric has grown for at least three quarters (a rule of thumb), and not only the visits.",
        (Draw.METRICS, Draw.ADOPTION, Draw.STAGE),
    ),
    SeedCriterion(
        "acquisition_cost",
        "Un usager de plus coûte-t-il peu devant ce qu’il y gagne ?",
        "Does one more user cost little against what they gain?",
        "Le budget de l’année divisé par le nombre de nouveaux usagers, et par le nombre d’usagers satisfaits ; ces coûts "
        "baissent ou tiennent quand l’usage grandit.",
        "The year’s budget divided by the number of new users, and by the number of satisfied users; these costs fall or hold "
        "while use grows.",
        (Draw.BUDGET, Draw.METRICS, Draw.ADOPTION),
    ),
    SeedCriterion(
        "quality_holds",
        "La qualité tient-elle quand l’usage grandit ?",
        "Does quality hold while use grows?",
        "Satisfaction, clarté et démarches achevées au moins au niveau de la phase précédente ; chaque dégradation signalée est "
        "expliquée ou corrigée.",
        "Satisfaction, clarity and completion at least at the previous phase’s level; each regression that was flagged is "
        "explained or put right.",
        (Draw.METRICS, Draw.FLAGS),
    ),
    SeedCriterion(
        "trials",
        "Les évolutions importantes sont-elles essayées avant d’être généralisées ?",
        "Are important changes tried before everybody gets them?",
        "Au moins un essai conclu dans l’année (règle pratique), avec la décision qui l’a suivi ; une pratique qui a marché "
        "ailleurs a été reprise ou écartée pour une raison dite.",
        "At least one trial concluded in the year (a rule of thumb), with the decision that followed; a practice that worked "
        "elsewhere was taken up, or left for a reason that is told.",
        (Draw.EXPERIMENTS,),
    ),
    SeedCriterion(
        "reach",
        "Le service atteint-il les personnes qui en ont le plus besoin ?",
        "Does the service reach those who need it most?",
        "La part des démarches en ligne et l’autonomie par territoire ou par public, et ce qui les sépare ; un autre moyen, "
        "guichet ou téléphone, reste ouvert à qui ne peut pas faire en ligne.",
        "Digital take-up and autonomy by territory or audience, and the gap between them; another way, counter or telephone, "
        "stays open to those who cannot do it online.",
        (Draw.METRICS, Draw.ADOPTION),
    ),
    SeedCriterion(
        "operations",
        "Le service tient-il au quotidien : disponibilité, incidents, aide ?",
        "Does the service hold from day to day: availability, incidents, help?",
        "Une disponibilité d’au moins 99,9 % et une aide jointe par au moins 85 % de ceux qui la cherchent (seuils du "
        "catalogue) ; une sauvegarde restaurée pour essai dans l’année ; qui fait quoi en cas d’incident est écrit.",
        "Availability of at least 99.9% and help reached by at least 85% of those who look for it (the catalogue’s bounds); a "
        "backup restored as an exercise within the year; who does what in an incident is written down.",
        (Draw.METRICS, Draw.SERVICES, Draw.EVENTS),
    ),
    SeedCriterion(
        "accessibility",
        "Un audit RGAA est-il fait, et le service au moins partiellement conforme ?",
        "Was an RGAA audit made, and is the service at least partly compliant?",
        "Un audit complet encore valable, dont le taux, d’au moins 50 %, est publié dans la déclaration d’accessibilité ; les "
        "défauts qui bloquent un parcours sont corrigés, les autres ont une date.",
        "A full audit that is still valid, whose rate, of at least 50%, is published in the accessibility statement; the faults "
        "that stop a journey are mended, the others have a date.",
        (Draw.ACCESSIBILITY,),
    ),
    SeedCriterion(
        "security",
        "L’homologation de sécurité est-elle en vigueur à cette échelle ?",
        "Is the security approval in force at this scale?",
        "Une homologation (RGS) non expirée, revue depuis que l’usage a grandi ; un test d’intrusion ou un audit de code dans "
        "l’année (règle pratique), et les failles graves corrigées.",
        "An approval (RGS) that has not expired, looked at again since use grew; an intrusion test or a code audit within the "
        "year (a rule of thumb), and serious flaws mended.",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "privacy",
        "Les données personnelles restent-elles protégées à cette échelle ?",
        "Are personal data still protected at this scale?",
        "Le registre et l’analyse d’impact suivent les usages nouveaux (RGPD, articles 30 et 35) ; les données qui ont dépassé "
        "leur durée sont vraiment effacées ; les demandes des personnes ont eu leur réponse sous un mois (article 12).",
        "The register and the impact assessment keep up with new uses (GDPR, articles 30 and 35); data past their retention "
        "period are really erased; people’s requests were answered within a month (article 12).",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "open_source",
        "Le code source ouvert est-il tenu à jour et repris par d’autres sans effort ?",
        "Is the open source code kept up to date, and easy for others to take up?",
        "Le dépôt public est celui qui tourne en production ; licence, notice d’installation et accueil des contributions y "
        "sont (code des relations entre le public et l’administration, article L. 300-2).",
        "The public repository is the one that runs in production; it has a licence, instructions to install it and a welcome "
        "to contributions (code on relations between the public and the administration, article L. 300-2).",
        (Draw.QUALITIES,),
    ),
    SeedCriterion(
        "design_system",
        "Tous les parcours utilisent-ils le Système de design de l’État (DSFR) ?",
        "Do all journeys use the State’s design system (DSFR)?",
        "Toutes les pages, courriels et documents compris, et l’agrément du service d’information du Gouvernement pour un site "
        "ouvert au public (circulaire n° 6411-SG du 7 juillet 2023). Sans objet pour qui n’y est pas tenu.",
        "Every page, e-mails and documents included, and the Government information service’s agreement for a site open to the "
        "public (circular 6411-SG of 7 July 2023). Not applicable to those who are not bound by it.",
        (Draw.QUALITIES,),
    ),
)
