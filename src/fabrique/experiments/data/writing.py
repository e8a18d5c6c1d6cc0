"""Experiments back to files: the plan as TOML, figures as CSV. What is read from them again is the same."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import tomli_w

from fabrique.experiments.plan.canonical import normalised
from fabrique.language import Problem, n_

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from fabrique.experiments.data.rows import Count
    from fabrique.experiments.plan.canonical import Document

ORDER = (
    "schema", "slug", "title", "product", "service", "owner", "coach", "legal_basis",
    "hypothesis", "design", "arms", "metrics", "analysis", "sample", "decision",
)  # fmt: skip
"""How a plan is read best."""
DAYS = ("start", "planned_end")


class FolderTaken(Problem):
    """There is something else in the folder already."""


def plan_text(document: Document) -> str:
    """The plan as TOML, in the order of the schema."""
    plain = normalised(document)
    ordered = {key: plain[key] for key in (*ORDER, *sorted(plain.keys() - set(ORDER))) if key in plain}
    if isinstance(ordered.get("design"), dict):
        ordered["design"] = {key: as_day(value) if key in DAYS else value for key, value in ordered["design"].items()}
    return tomli_w.dumps(ordered, multiline_strings=True)


def as_day(value: Any) -> Any:
    """A date where a text is one: TOML knows dates."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return value


def toml_text(values: dict[str, Any]) -> str:
    """A small table as TOML, without what is not told."""
    return tomli_w.dumps({key: value for key, value in values.items() if value is not None}, multiline_strings=True)


def counts_text(counts: Iterable[Count]) -> str:
    """counts.csv: the columns that these counts need."""
    rows = sorted(counts, key=lambda one: one.key)
    subgroups = sorted({name for row in rows for name, _value in row.segment})
    size = max((len(row.levels) for row in rows), default=0)
    has_x = any(row.x is not None for row in rows)
    has_sum = any(row.total is not None for row in rows)
    header = ["date", "arm", "metric", *subgroups, "n", *(["x"] if has_x else []), *(["sum", "sum_sq"] if has_sum else [])]
    header += [f"level_{place}" for place in range(1, size + 1)]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    for row in rows:
        segment = dict(row.segment)
        cells: list[Any] = [row.day, row.arm, row.metric, *(segment.get(name, "") for name in subgroups), shown(row.n)]
        cells += [shown(row.x)] if has_x else []
        cells += [shown(row.total), shown(row.total_of_squares)] if has_sum else []
        cells += list(row.levels) + [""] * (size - len(row.levels))
        table.writerow(cells)
    return text.getvalue()


def shown(value: float | None) -> str:
    """A number that reads back as itself."""
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def write_files(folder: Path, files: dict[str, str], *, replace: bool = False) -> list[Path]:
    """Write texts under a folder. Raises FolderTaken where it is not empty, unless `replace` says that it is ours to write over."""
    if folder.is_dir() and any(folder.iterdir()) and not replace:
        raise FolderTaken(n_("%(folder)s is not empty; name another folder, or add --replace."), folder=folder)
    written = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def deviation_files(deviations: Sequence[dict[str, Any]]) -> dict[str, str]:
    """deviations/001.toml and so on."""
    return {f"deviations/{place:03}.toml": toml_text(one) for place, one in enumerate(deviations, 1)}


def json_text(document: dict[str, Any]) -> str:
    """A result as it is kept: sorted, indented, never edited."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"
