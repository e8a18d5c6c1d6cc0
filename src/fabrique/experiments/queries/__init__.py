"""Reads: an experiment with everything about it, lists of them, and what was learnt."""

from __future__ import annotations

from fabrique.experiments.queries.learnings import Adoption, Practice, Trial, practice, practices
from fabrique.experiments.queries.trials import (
    Decision,
    Deviation,
    Experiment,
    Line,
    LookTaken,
    StepTaken,
    Told,
    changed_after_results,
    data_of,
    deviations_of,
    experiment,
    last_analysis,
    lines,
    newest_sheets,
    products_named,
    tables_of,
)

__all__ = [
    "Adoption",
    "Decision",
    "Deviation",
    "Experiment",
    "Line",
    "LookTaken",
    "Practice",
    "StepTaken",
    "Told",
    "Trial",
    "changed_after_results",
    "data_of",
    "deviations_of",
    "experiment",
    "last_analysis",
    "lines",
    "newest_sheets",
    "practice",
    "practices",
    "products_named",
    "tables_of",
]
