"""Pages of gate reviews: a product's reviews, a coach's queue, the criteria."""

from __future__ import annotations

from fabrique.reviews.pages import criteria, holding, queue

routes = [*holding.routes, *queue.routes, *criteria.routes]
