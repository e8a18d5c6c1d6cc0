"""The calculation sheet: an analysis with everything it was made of. Running it again gives the same numbers, bit for bit."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from fabrique.experiments.analysis.running import Context, analyse, as_json
from fabrique.experiments.data.rows import Data
from fabrique.experiments.plan.canonical import plan_hash
from fabrique.experiments.plan.locking import registered_document, require_filed
from fabrique.experiments.plan.reading import plan_from
from fabrique.experiments.sentences import verdict_sentence
from fabrique.language import LANGUAGES, Problem, n_, speaking

if TYPE_CHECKING:
    from fabrique.experiments.plan.canonical import Document

FORM = 1


class SheetUnreadable(Problem):
    """A JSON document is no calculation sheet."""


def sheet(document: Document, data: Data, context: Context) -> dict[str, Any]:
    """The analysis, its sentence in each language, and its inputs.

    Raises PlanFaulty, or PlanChanged where the plan differs from the registered one and no deviation says so.
    """
    plan = plan_from(document)
    if context.registration is not None and "plan" in context.registration:
        require_filed(registered_document(context.registration), document, context.deviations)
    analysis = analyse(plan, data, context)
    sentences = {}
    for language in LANGUAGES:
        with speaking(language):
            sentences[language] = verdict_sentence(plan, analysis)
    return {
        "sheet": FORM,
        "sentence": sentences,
        **as_json(analysis),
        "inputs": {
            "plan": document,
            "data": msgspec.json.decode(msgspec.json.encode(data)),
            "as_of": context.as_of.isoformat(),
            "closed": context.closed,
            "plan_hash": context.plan_hash,
            "registration": context.registration,
            "deviations": [dict(one) for one in context.deviations],
            "looks": [day.isoformat() for day in context.looks],
            "final_look": context.final_look,
            "corrected": context.corrected,
        },
    }


def run_again(found: Any) -> dict[str, Any]:
    """The same sheet from its inputs alone. Raises SheetUnreadable."""
    try:
        inputs = found["inputs"]
        data = msgspec.convert(inputs["data"], Data)
        context = Context(
            as_of=date.fromisoformat(inputs["as_of"]),
            plan_hash=str(inputs["plan_hash"]),
            closed=bool(inputs["closed"]),
            registration=inputs["registration"],
            deviations=tuple(inputs["deviations"]),
            looks=tuple(date.fromisoformat(one) for one in inputs["looks"]),
            final_look=bool(inputs["final_look"]),
            corrected=int(inputs["corrected"]),
        )
        document = inputs["plan"]
        genuine = plan_hash(document) == context.plan_hash
    except (KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
        raise SheetUnreadable(n_("This is not a calculation sheet that fabrique wrote.")) from error
    if not genuine:
        raise SheetUnreadable(n_("This calculation sheet was changed by hand: its plan does not have the hash that it tells."))
    return sheet(document, data, context)
