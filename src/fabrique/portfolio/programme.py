"""What products are for: the programme's eight missions and six stakes, and the qualities that every product is asked about.

TECH.GOUV (2019–2021) named the missions and the stakes. Keys never change: products, addresses and files carry them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from fabrique.language import n_


@dataclass(frozen=True, slots=True)
class Mission:
    """One of the programme's missions. code: as the programme writes it; label and aim are msgids."""

    key: str
    code: str
    label: str
    aim: str


@dataclass(frozen=True, slots=True)
class Stake:
    """One of the programme's stakes. aim: what it means, in a sentence; metrics: keys of those that usually show it."""

    key: str
    label: str
    aim: str
    metrics: tuple[str, ...]
    """Named by their keys: the catalogue of metrics comes later on the road. None where nothing that is counted shows it."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Something that a product has or has not. help: what a yes means."""

    key: str
    label: str
    help: str


Keyed = TypeVar("Keyed", Mission, Stake, Quality)


def _by_key(*members: Keyed) -> dict[str, Keyed]:
    return {member.key: member for member in members}


MISSIONS = _by_key(
    Mission(
        "label",
        "LABEL",
        n_("Proven solutions"),
        n_(
            "Let administrations find the solutions and practices that have shown their worth, so that nobody starts from nothing."
        ),
    ),
    Mission(
        "idnum",
        "IDNUM",
        n_("Digital identity"),
        n_("Let users and agents identify themselves simply and safely, by the same means for every online service."),
    ),
    Mission(
        "data",
        "DATA",
        n_("Public data"),
        n_("Let data circulate between administrations and serve public policies, without asking users again for what is known."),
    ),
    Mission(
        "infra",
        "INFRA",
        n_("Shared foundations"),
        n_("Give administrations hosting, networks and tools in common, solid and theirs."),
    ),
    Mission(
        "pilot",
        "PILOT",
        n_("Steering"),
        n_("Hold digital projects to their purpose, their dates and their cost, and measure what they change."),
    ),
    Mission(
        "talents",
        "TALENTS",
        n_("Digital skills"),
        n_("Attract, train and keep the people who make digital public services."),
    ),
    Mission(
        "fabrique",
        "FABRIQUE",
        n_("Making new services"),
        n_("Incubate new public services with their users, from investigation to scale-up."),
    ),
    Mission(
        "transfo",
        "TRANSFO",
        n_("Transforming existing services"),
        n_("Make today’s public services simple, complete online and open to everybody, and follow what their users say."),
    ),
)
"""In the programme's own order."""

STAKES = _by_key(
    Stake(
        "simplification",
        n_("Simplification"),
        n_("Users reach the end of what they came for, understand it at first reading, and are not asked twice."),
        ("satisfaction", "clarity", "dlnuf", "completion"),
    ),
    Stake(
        "inclusion",
        n_("Inclusion"),
        n_("Everybody can use the service: with a disability, far from a counter, ill at ease online, or with somebody’s help."),
        ("rgaa", "autonomy", "help_reachable", "digital_take_up"),
    ),
    Stake(
        "attractivite",
        n_("Attractiveness"),
        n_("Agents have good tools, which make them want to work for the State."),
        ("satisfaction", "csat", "nps"),
    ),
    Stake(
        "maitrise",
        n_("Control"),
        n_(
            "The State holds its services in its own hands: available and quick, with open code, and without depending on a supplier."
        ),
        ("uptime", "page_time"),
    ),
    Stake(
        "economies",
        n_("Savings"),
        n_("The service costs less for each transaction and for each satisfied user."),
        ("cost_per_transaction",),
    ),
    Stake(
        "alliances",
        n_("Alliances"),
        n_("The service is made and run with others, public or private, and takes up solutions that they have already tried."),
        (),
    ),
)

QUALITIES = _by_key(
    Quality("open_source", n_("Open source code"), n_("The code is published under a free licence.")),
    Quality("design_system", n_("State’s design system (DSFR)"), n_("The pages are made of the State’s design system.")),
    Quality("proconnect", n_("ProConnect"), n_("Agents and professionals sign in with ProConnect.")),
    Quality("franceconnect", n_("FranceConnect"), n_("Citizens sign in with FranceConnect.")),
    Quality(
        "security_approval",
        n_("Security approval"),
        n_(
            "The administration has signed a security approval that is still in force, prepared with MonServiceSécurisé or otherwise."
        ),
    ),
    Quality(
        "risk_analysis", n_("Risk analysis"), n_("What could happen to the service and its users was analysed and written down.")
    ),
    Quality(
        "mon_service_securise", n_("MonServiceSécurisé"), n_("The service follows its security measures in MonServiceSécurisé.")
    ),
    Quality(
        "privacy",
        n_("Protection of personal data (GDPR)"),
        n_("The processing is in the register, and its impact was assessed where the GDPR asks for it."),
    ),
    Quality(
        "public_statistics",
        n_("Public statistics"),
        n_("How much the service is used, and to what effect, is published on a page."),
    ),
)


class Answer(StrEnum):
    """What is answered to a quality."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


ANSWER_LABELS = {
    Answer.YES: n_("Yes"),
    Answer.PARTLY: n_("Partly"),
    Answer.NO: n_("No"),
    Answer.NOT_APPLICABLE: n_("Not applicable"),
    Answer.UNKNOWN: n_("Not told"),
}


class Accessibility(StrEnum):
    """What a product declares of its accessibility, as the law words it (decree 2019-768, article 2)."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"
    NOT_CONCERNED = "not_concerned"
    UNKNOWN = "unknown"


ACCESSIBILITY = {
    Accessibility.FULL: n_("Fully compliant"),
    Accessibility.PARTIAL: n_("Partly compliant"),
    Accessibility.NONE: n_("Not compliant"),
    Accessibility.NOT_CONCERNED: n_("Not concerned"),
    Accessibility.UNKNOWN: n_("Not told"),
}
"""The choices in their order, with their labels."""

ACCESSIBILITY_TEXTS = {
    Accessibility.FULL: "totalement conforme",
    Accessibility.PARTIAL: "partiellement conforme",
    Accessibility.NONE: "non conforme",
    Accessibility.NOT_CONCERNED: "non concerné",
    Accessibility.UNKNOWN: "",
}
"""How product sheets of beta.gouv.fr write each."""

_SPELLINGS = {
    "totalement conforme": Accessibility.FULL,
    "conforme": Accessibility.FULL,
    "partiellement conforme": Accessibility.PARTIAL,
    "non conforme": Accessibility.NONE,
    "pas conforme": Accessibility.NONE,
    "non concerne": Accessibility.NOT_CONCERNED,
    "non applicable": Accessibility.NOT_CONCERNED,
    "non soumis": Accessibility.NOT_CONCERNED,
    "sans objet": Accessibility.NOT_CONCERNED,
}
_AGREEMENT = re.compile(r"(?<=e)e?s?$")
"""The ending of a feminine or a plural: concernées, conformes."""


def accessibility_of(text: str) -> Accessibility:
    """What a sheet's text declares, whatever its case, accents, hyphens and agreement; UNKNOWN where it says something else."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = [_AGREEMENT.sub("", word) for word in re.findall(r"[a-z]+", plain.removeprefix("accessibilite"))]
    return _SPELLINGS.get(" ".join(words), Accessibility.UNKNOWN)
