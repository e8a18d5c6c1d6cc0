"""The pages that look across domains. Each parses, calls one query and renders."""

from __future__ import annotations

from fabrique.dashboards.pages import circles, flags, imports, journeys, overview, product, products, programme, services, sheet

routes = [
    *overview.routes,
    *services.routes,
    *products.routes,
    *circles.routes,
    *journeys.routes,
    *product.routes,
    *sheet.routes,
    *programme.routes,
    *flags.routes,
    *imports.routes,
]
