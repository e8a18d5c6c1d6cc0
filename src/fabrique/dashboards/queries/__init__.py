"""What the pages that look across domains show, one module a page."""

from fabrique.dashboards.queries.flags import flag, flag_sheet, flags
from fabrique.dashboards.queries.portfolio import portfolio
from fabrique.dashboards.queries.product import product
from fabrique.dashboards.queries.products import products, products_table
from fabrique.dashboards.queries.service import service
from fabrique.dashboards.queries.services import Choice, services
from fabrique.dashboards.queries.status import status
from fabrique.dashboards.queries.watch import watch_page

__all__ = [
    "Choice",
    "flag",
    "flag_sheet",
    "flags",
    "portfolio",
    "product",
    "products",
    "products_table",
    "service",
    "services",
    "status",
    "watch_page",
]
