"""A locked plan and the one at hand: what differs, and whether somebody said so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fabrique.experiments.plan.canonical import canonical, differences, normalised, plan_hash
from fabrique.language import Problem, n_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.experiments.plan.canonical import Difference, Document

JUDGED_BY = ("metrics", "analysis", "sample", "design", "arms", "decision")
"""Parts of a plan that the verdict depends on."""


class PlanChanged(Problem):
    """The plan differs from the registered one, and no deviation says so."""


class RegistrationBroken(Problem):
    """A registration's own plan is not the one it was made of."""


def registration_of(document: Document, by: str, at: str, *, after_collection: bool) -> dict[str, Any]:
    """What is kept of a registration in a file. `plan` is the canonical text that was hashed."""
    return {
        "plan_hash": plan_hash(document),
        "registered_at": at,
        "registered_by": by,
        "after_collection": after_collection,
        "plan": canonical(document),
    }


def registered_document(registration: dict[str, Any]) -> Document:
    """The document as it was registered. Raises RegistrationBroken where its text does not have the hash."""
    try:
        document = json.loads(str(registration.get("plan", "")))
    except ValueError:
        document = None
    if not isinstance(document, dict) or plan_hash(document) != registration.get("plan_hash"):
        raise RegistrationBroken(
            n_(
                "registration.toml was changed by hand: its plan is not the one that was registered. Restore it, or register anew."
            )
        )
    return document


def require_filed(registered: Document, document: Document, deviations: Sequence[dict[str, Any]]) -> None:
    """Raise PlanChanged, naming every key, where the plan differs from the registered one and no deviation says so."""
    missing = unfiled(registered, document, deviations)
    if missing:
        raise PlanChanged(
            n_("The plan was changed after its registration (%(keys)s). File a deviation that says why, or undo the change."),
            keys=", ".join(one.path for one in missing),
        )


def unfiled(registered: Document, document: Document, deviations: Sequence[dict[str, Any]]) -> list[Difference]:
    """The differences that no deviation tells with its new value and a reason."""
    told = {
        (str(one.get("what")), json.dumps(normalised(one.get("new")), sort_keys=True, ensure_ascii=False))
        for one in deviations
        if str(one.get("why", "")).strip()
    }
    return [
        one
        for one in differences(registered, document)
        if (one.path, json.dumps(one.new, sort_keys=True, ensure_ascii=False)) not in told
    ]


def exploratory_since(deviations: Sequence[dict[str, Any]]) -> list[str]:
    """The keys that were changed when results were known already: what they decide is exploratory."""
    return sorted(
        {
            str(one.get("what", ""))
            for one in deviations
            if one.get("results_known", True) and str(one.get("what", "")).split(".")[0].split("[")[0] in JUDGED_BY
        }
    )
