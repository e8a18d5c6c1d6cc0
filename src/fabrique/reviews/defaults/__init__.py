"""What each gate asks until an administrator says otherwise, by the stage that one leaves.

From what each stage must show at its exit, and from the standards that a public service owes in any case. An investigation has
nothing online: it is asked what it foresees. From experimentation on, a real service is used by real people, and is asked for its
accessibility, security, privacy, code and design system each time, with more to show at each gate.
"""

from __future__ import annotations

from fabrique.portfolio.rules import Stage
from fabrique.reviews.defaults.consolidation import CONSOLIDATION
from fabrique.reviews.defaults.criterion import DRAW_LABELS, Draw, SeedCriterion
from fabrique.reviews.defaults.experimentation import EXPERIMENTATION
from fabrique.reviews.defaults.investigation import INVESTIGATION
from fabrique.reviews.defaults.scale_up import SCALE_UP

__all__ = ["DEFAULT_CRITERIA", "DRAW_LABELS", "Draw", "SeedCriterion"]

DEFAULT_CRITERIA: dict[Stage, tuple[SeedCriterion, ...]] = {
    Stage.INVESTIGATION: INVESTIGATION,
    Stage.EXPERIMENTATION: EXPERIMENTATION,
    Stage.SCALE_UP: SCALE_UP,
    Stage.CONSOLIDATION: CONSOLIDATION,
}
