"""Who reads, and what they may do; what every page of experiments says the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body

from fabrique.accounts.rules import Person, coaches, works_on
from fabrique.experiments.plan.schema import KIND_LABELS, LOOKS_LABELS, OUTCOME_LABELS
from fabrique.experiments.rules import (
    CHOICE_LABELS,
    CHOICE_SHORT,
    STATE_LABELS,
    VERDICT_LABELS,
)
from fabrique.language import n_
from fabrique.web.errors import NotAllowed

if TYPE_CHECKING:
    from fabrique.experiments import queries
    from fabrique.web.visit import Visit

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LONGEST_SEARCH = 200
LABELS = {
    "states": STATE_LABELS,
    "verdicts": VERDICT_LABELS,
    "choices": CHOICE_LABELS,
    "short": CHOICE_SHORT,
    "kinds": KIND_LABELS,
    "outcomes": OUTCOME_LABELS,
    "looks_labels": LOOKS_LABELS,
}


def person_of(visit: Visit) -> Person:
    """Who is signed in; the route's permission made sure that somebody is."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may do to an experiment."""

    works: bool
    coaches: bool
    wrote: bool

    @property
    def may_register(self) -> bool:
        """Whether they may lock the plan."""
        return self.coaches and not self.wrote


def rights(visit: Visit, experiment: queries.Experiment) -> Rights:
    """The reader's rights."""
    person = visit.visitor
    if not isinstance(person, Person):
        return Rights(works=False, coaches=False, wrote=False)
    return Rights(
        works=works_on(person, experiment.product_id),
        coaches=coaches(person, experiment.product_id),
        wrote=person.id in experiment.author_ids,
    )


def require_work(visit: Visit, found: queries.Experiment) -> None:
    """Raise NotAllowed where the experiment is not one of the reader's."""
    if not works_on(person_of(visit), found.product_id):
        raise NotAllowed(n_("Only the product’s own team and its coaches may do this."))
