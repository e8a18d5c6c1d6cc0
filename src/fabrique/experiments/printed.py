"""The report as a page that stands alone: to send, to print, to keep beside the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fabrique.experiments.charts import charts_of
from fabrique.experiments.report import told
from fabrique.language import current
from fabrique.resources import STATIC
from fabrique.web.rendering import environment

if TYPE_CHECKING:
    from collections.abc import Mapping


def html_report(sheet: Mapping[str, Any]) -> str:
    """A calculation sheet as a page without links: styles and drawings are inside."""
    report = told(dict(sheet))
    sheets = "\n".join((STATIC / name).read_text("utf-8") for name in ("plain.css", "app.css"))
    styles = Markup(f"<style>{sheets}</style>")  # noqa: S704 - our own files
    template = environment().get_template("experiments/report_alone.html")
    return template.render(report=report, charts=charts_of(report), language=current.get(), styles=styles)
