"""What is known of products, shaped for their readers."""

from __future__ import annotations

from fabrique.portfolio.queries.organisations import (
    all_incubators,
    all_organisations,
    incubator_title,
    incubators_by_key,
    organisation_names,
    organisations_by_key,
)
from fabrique.portfolio.queries.sheets import (
    EventLine,
    ProductLine,
    Revision,
    SavedView,
    StayLine,
    budgets_of,
    event_lines,
    events_of,
    product_id_of,
    product_lines,
    product_sheets,
    revisions,
    saved_views,
    stakes_of,
    stay_lines,
    stays_of,
    version_of,
)
from fabrique.portfolio.sheet import Event, Incubator, Organisation, ProductSheet

__all__ = [
    "Event",
    "EventLine",
    "Incubator",
    "Organisation",
    "ProductLine",
    "ProductSheet",
    "Revision",
    "SavedView",
    "StayLine",
    "all_incubators",
    "all_organisations",
    "budgets_of",
    "event_lines",
    "events_of",
    "incubator_title",
    "incubators_by_key",
    "organisation_names",
    "organisations_by_key",
    "product_id_of",
    "product_lines",
    "product_sheets",
    "revisions",
    "saved_views",
    "stakes_of",
    "stay_lines",
    "stays_of",
    "version_of",
]
