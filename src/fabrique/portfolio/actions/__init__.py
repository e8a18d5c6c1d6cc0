"""What changes the portfolio: what files tell, what people write, what reviews decide."""

from __future__ import annotations

from fabrique.portfolio.actions.sheets import (
    Begun,
    ProductExists,
    ReasonUnfit,
    SheetOvertaken,
    add_event,
    begun_faults,
    correct_stays,
    create_product,
    enter_stage,
    remove_event,
    require_first_day,
    save_sheet,
    withdraw_stay,
)
from fabrique.portfolio.actions.telling import (
    Outcome,
    Planned,
    plan_products,
    put_incubator,
    put_organisation,
    put_products,
)
from fabrique.portfolio.actions.views import delete_view, save_view
from fabrique.portfolio.actions.writing import Writing

__all__ = [
    "Begun",
    "Outcome",
    "Planned",
    "ProductExists",
    "ReasonUnfit",
    "SheetOvertaken",
    "Writing",
    "add_event",
    "begun_faults",
    "correct_stays",
    "create_product",
    "delete_view",
    "enter_stage",
    "plan_products",
    "put_incubator",
    "put_organisation",
    "put_products",
    "remove_event",
    "require_first_day",
    "save_sheet",
    "save_view",
    "withdraw_stay",
]
