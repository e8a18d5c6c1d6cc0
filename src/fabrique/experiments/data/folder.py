"""An experiment's folder: plan.toml beside its data, deviations/ and result/."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fabrique.experiments.data.reading import Table, data_from
from fabrique.experiments.data.rows import Data, RowFault
from fabrique.experiments.plan.canonical import normalised, plan_hash
from fabrique.experiments.plan.reading import PlanFaulty, read
from fabrique.language import Problem, n_
from fabrique.tables.textfile import FileUnreadable, is_folder, open_table, refuse_if_absent

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.experiments.plan.canonical import Document
    from fabrique.experiments.plan.schema import Plan
    from fabrique.experiments.plan.sections import Fault

PLAN = "plan.toml"
TABLES = ("counts", "units", "series", "events")
LARGEST_PLAN = 200_000


class DataFaulty(Problem):
    """Figures cannot be what they say; `faults` lists every one."""

    def __init__(self, faults: list[RowFault]) -> None:
        super().__init__(n_("The data have faults: %(faults)s"), faults="; ".join(str(one) for one in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Folder:
    """What was read from an experiment's folder."""

    path: Path
    document: Document
    plan: Plan
    data: Data
    plan_faults: list[Fault] = field(default_factory=list)
    data_faults: list[RowFault] = field(default_factory=list)
    registration: dict[str, Any] | None = None
    deviations: tuple[dict[str, Any], ...] = ()
    looks: tuple[dict[str, Any], ...] = ()

    @property
    def plan_hash(self) -> str:
        """The document's hash."""
        return plan_hash(self.document)

    def sound(self) -> Folder:
        """The folder itself. Raises PlanFaulty or DataFaulty with every fault."""
        if self.plan_faults:
            raise PlanFaulty(self.plan_faults)
        if self.data_faults:
            raise DataFaulty(self.data_faults)
        return self


def open_folder(path: Path) -> Folder:
    """Everything in an experiment's folder, with its faults. Raises FileUnreadable where there is no plan to read at all."""
    if not is_folder(path):
        if path.name == PLAN and path.is_file():
            path = path.parent
        else:
            raise FileUnreadable(n_("There is no folder %(folder)s; name one that holds a plan.toml."), folder=path)
    document = normalised(read_toml(path / PLAN))
    plan, faults = read(document)
    data, data_faults = (Data(), []) if faults else data_from(tables_of(path), plan)
    return Folder(
        path=path,
        document=document,
        plan=plan,
        data=data,
        plan_faults=faults,
        data_faults=data_faults,
        registration=read_optional(path / "registration.toml"),
        deviations=tuple(read_toml(one) for one in sorted((path / "deviations").glob("*.toml"))),
        looks=tuple(read_json(one) for one in sorted((path / "result").glob("look-*.json"))),
    )


def tables_of(path: Path) -> dict[str, list[Table]]:
    """The data tables: counts.csv, and further ones such as counts-2026-11.csv."""
    found: dict[str, list[Table]] = {}
    for kind in TABLES:
        files = [one for one in sorted(path.glob(f"{kind}*.csv")) if one.stem == kind or one.stem.startswith(f"{kind}-")]
        found[kind] = [table_in(one) for one in files]
    return found


def table_in(path: Path) -> Table:
    """A CSV file's cells. Raises FileUnreadable."""
    table = open_table(path)
    return Table(table.name, table.header, list(table.rows()))


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file. Raises FileUnreadable in one sentence."""
    refuse_if_absent(path)
    if path.stat().st_size > LARGEST_PLAN:
        raise FileUnreadable(n_("%(file)s is too large to be a plan."), file=path)
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise FileUnreadable(n_("%(file)s is not UTF-8 text."), file=path) from error
    except tomllib.TOMLDecodeError as error:
        raise FileUnreadable(n_("%(file)s is not TOML: %(why)s."), file=path, why=str(error).rstrip(".")) from error
    except OSError as error:
        raise FileUnreadable(n_("%(file)s cannot be read: %(why)s."), file=path, why=error.strerror) from error


def read_optional(path: Path) -> dict[str, Any] | None:
    """A TOML file that may be absent."""
    return read_toml(path) if path.is_file() else None


def read_json(path: Path) -> dict[str, Any]:
    """A result that fabrique wrote. Raises FileUnreadable."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise FileUnreadable(n_("%(file)s is not a result that fabrique wrote."), file=path) from error
    if not isinstance(found, dict):
        raise FileUnreadable(n_("%(file)s is not a result that fabrique wrote."), file=path)
    return found
