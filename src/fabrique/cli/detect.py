"""`fabrique detect`: what moved in any CSV, without a database."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabrique.cli.shared import print_json
from fabrique.exchange.series import SeriesFile, read_series
from fabrique.exchange.textfile import FileUnreadable, is_folder
from fabrique.language import _, n_
from fabrique.web.formats import number

if TYPE_CHECKING:
    from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
DIRECTIONS = {"improvement": n_("improvement"), "regression": n_("regression"), "neutral": n_("change")}


@click.command("detect", help=_("Say what moved in any CSV file, without a database."))
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE...")
@click.option("--better", type=click.Choice(["higher", "lower"]), help=_("Which way is an improvement."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def detect_command(paths: tuple[Path, ...], better: str | None, *, as_json: bool) -> None:
    """period + value | numerator,denominator | n,sum,sum_sq | level_1..level_k."""
    found = [detected(path, read_series(path), better) for path in files_of(paths)]
    if as_json:
        print_json(found[0] if len(paths) == 1 and not is_folder(paths[0]) else found)
        return
    for one in found:
        tell(one)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those in the folders named."""
    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.csv")) if is_folder(path) else [path]
        if not inside:
            raise FileUnreadable(n_("%(file)s holds no .csv file."), file=path)
        files += inside
    return files


def detected(path: Path, series: SeriesFile, better: str | None) -> dict[str, Any]:
    """Everything the engine says of one series."""
    from fabrique.stats.changes import detect  # noqa: PLC0415 - numpy is slow to import
    from fabrique.stats.limits import control_limits, signals  # noqa: PLC0415

    detection = detect(series.measurements, better)
    limits = control_limits(series.measurements, [change.index for change in detection.changes])
    return {
        "file": str(path),
        "form": series.measurements.form.value,
        "n_periods": len(series.periods),
        "changes": [
            {
                "index": change.index,
                "period": series.periods[change.index],
                "period_interval": [series.periods[change.earliest], series.periods[change.latest]],
                "before": change.before,
                "after": change.after,
                "effect": change.effect,
                "effect_interval": [change.effect_low, change.effect_high],
                "direction": change.direction.value,
                "evidence": {
                    "log_likelihood_ratio": change.evidence.ratio,
                    "z": change.evidence.z,
                    "threshold": change.evidence.threshold,
                },
            }
            for change in detection.changes
        ],
        "limits": {
            "centre": without_nan(limits.centre.tolist()),
            "lower": without_nan(limits.lower.tolist()),
            "upper": without_nan(limits.upper.tolist()),
        },
        "signals": [
            {"index": signal.index, "rule": signal.rule.value, "kind": signal.kind.value}
            for signal in signals(series.measurements, limits, better)
        ],
        "notes": list(detection.notes),
        "version": detection.version,
        "levels": without_nan(series.measurements.level.tolist()),
    }


def without_nan(numbers: Sequence[float]) -> list[float | None]:
    """null where there is no number."""
    return [None if math.isnan(one) else one for one in numbers]


def tell(found: dict[str, Any]) -> None:
    """A summary for a person: the line of the series, then each change."""
    click.echo(f"{found['file']}: {found['n_periods']} × {found['form']}")
    click.echo(f"  {bars(found['levels'])}")
    if not found["changes"]:
        click.echo("  " + _("No change of level. %(notes)s", notes=", ".join(found["notes"])).rstrip())
    for change in found["changes"]:
        word = DIRECTIONS[change["direction"]]
        click.echo(
            "  "
            + _(
                "%(period)s (%(first)s to %(last)s): %(before)s → %(after)s, %(direction)s",
                period=change["period"],
                first=change["period_interval"][0],
                last=change["period_interval"][1],
                before=number(change["before"], 3),
                after=number(change["after"], 3),
                direction=_(word),
            )
        )


def bars(levels: Sequence[float | None], width: int = 72) -> str:
    """A text sparkline of at most `width` characters; a space where nothing is known."""
    step = max(1, -(-len(levels) // width))
    groups = [[v for v in levels[i : i + step] if v is not None] for i in range(0, len(levels), step)]
    means = [sum(group) / len(group) if group else None for group in groups]
    known = [mean for mean in means if mean is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(" " if m is None else BARS[round((m - low) / span * (len(BARS) - 1))] for m in means)


COMMANDS = {"detect": detect_command}
