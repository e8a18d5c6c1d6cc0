"""Pages of gate reviews."""

from __future__ import annotations

from fabrique.reviews.pages import criteria

routes = [*criteria.routes]
