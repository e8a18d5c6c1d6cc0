"""Pages of experiments: the board, the plan's wizard, review, figures, looks, report, decision, practices."""

from __future__ import annotations

from fabrique.experiments.pages import figures, plans, practices, results

routes = [*plans.routes, *figures.routes, *results.routes, *practices.routes]
