"""`fabrique detect`: what moved in any CSV, without a database."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabrique.cli.shared import print_json, progress
from fabrique.exchange.series import SeriesFile, read_series
from fabrique.language import _, n_
from fabrique.tables.textfile import FileUnreadable, is_folder
from fabrique.watch.rules import NOTE_LABELS
from fabrique.web.formats import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.stats.changes import Change

BARS = "▁▂▃▄▅▆▇█"
DIRECTIONS = {"improvement": n_("improvement"), "regression": n_("regression"), "neutral": n_("change")}


@click.command("detect", help=_("Say what moved in any CSV file, without a database."))
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE...")
@click.option("--better", type=click.Choice(["higher", "lower"]), help=_("Which way is an improvement."))
@click.option("--replay", is_flag=True, help=_("Look after every new period, as the nightly watch does."))
@click.option("--replay-from", type=click.IntRange(min=1), metavar="N", help=_("Replay, looking from N periods on."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def detect_command(paths: tuple[Path, ...], better: str | None, replay_from: int | None, *, replay: bool, as_json: bool) -> None:
    """period + value | numerator,denominator | n,sum,sum_sq | level_1..level_k."""
    begin = replay_from or (1 if replay else None)
    files = files_of(paths)
    tell_of_compiling()
    with progress(n_("Looking"), len(files), quiet=as_json) as moved:
        found = []
        for path in files:
            found.append(detected(path, read_series(path), better, begin))
            moved(1)
    if as_json:
        print_json(found[0] if len(paths) == 1 and not is_folder(paths[0]) else found)
        return
    for one in found:
        tell(one)


def tell_of_compiling() -> None:
    """A person who runs the engine for the first time is told why nothing shows yet."""
    from fabrique.stats.engine.compiled import IS_READY  # noqa: PLC0415 - numba is slow to import

    if not IS_READY and sys.stderr.isatty():
        click.echo(_("Preparing the engine, once after each installation: some fifteen seconds…"), err=True)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files named, and those in the folders named."""
    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.csv")) if is_folder(path) else [path]
        if not inside:
            raise FileUnreadable(n_("%(file)s holds no .csv file."), file=path)
        files += inside
    return files


def detected(path: Path, series: SeriesFile, better: str | None, begin: int | None) -> dict[str, Any]:
    """Everything the engine says of one series; with `begin`, also when looks from so many periods on would have said it."""
    from fabrique.stats.changes import detect, replay  # noqa: PLC0415 - numpy is slow to import
    from fabrique.stats.limits import control_limits, signals  # noqa: PLC0415

    try:
        replayed = replay(series.measurements, better, series.season, begin) if begin else None
        detection = replayed.detection if replayed else detect(series.measurements, better, series.season)
    except ValueError as error:
        raise FileUnreadable(n_("%(file)s: %(why)s."), file=path, why=error) from error
    limits = control_limits(series.measurements, [change.index for change in detection.changes])
    return {
        "file": str(path),
        "form": series.measurements.form.value,
        "n_periods": len(series.periods),
        "changes": [
            as_json_change(change, series.periods, replayed.first_seen[place] if replayed else None)
            for place, change in enumerate(detection.changes)
        ],
        **(
            {"withdrawn": [as_json_change(s.change, series.periods, s.first_seen) for s in replayed.withdrawn]}
            if replayed
            else {}
        ),
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


def as_json_change(change: Change, periods: Sequence[str], first_seen: int | None) -> dict[str, Any]:
    """One change, with the look that showed it first if there were several."""
    from fabrique.watch.sheet import described  # noqa: PLC0415 - numpy is slow to import

    seen = {"first_seen": first_seen, "first_seen_period": periods[first_seen]} if first_seen is not None else {}
    return described(change, periods) | seen


def without_nan(numbers: Sequence[float]) -> list[float | None]:
    """null where there is no number."""
    return [None if math.isnan(one) else one for one in numbers]


FORMS = {"proportion": n_("shares"), "rate": n_("rates"), "score": n_("marks"), "mean": n_("means"), "value": n_("values")}


def tell(found: dict[str, Any]) -> None:
    """A summary for a person: the line of the series, then each change."""
    form = FORMS[found["form"]]
    click.echo(_("%(file)s: %(what)s (n = %(num)s)", file=found["file"], what=_(form), num=number(found["n_periods"], 0)))
    click.echo(f"  {bars(found['levels'])}".rstrip())
    if all(level is None for level in found["levels"]):
        click.echo("  " + _("No period holds a figure."))
        return
    if not found["changes"]:
        click.echo("  " + _("No change of level."))
    for note in found["notes"]:
        click.echo("  " + _(NOTE_LABELS[note]))
    for change in found["changes"]:
        click.echo(f"  {told(change)}")
    for change in found.get("withdrawn", []):
        click.echo(
            "  "
            + _(
                "%(period)s: flagged from %(seen)s on, then taken back", period=change["period"], seen=change["first_seen_period"]
            )
        )


def told(change: dict[str, Any]) -> str:
    """One change in a line: when, from what to what, by how much."""
    first, last = change["period_interval"]
    low, high = change["effect_interval"]
    when, word = change["period"], DIRECTIONS[change["direction"]]
    if first != last:
        when = _("%(period)s (%(first)s to %(last)s)", period=when, first=first, last=last)
    before, after = number(change["before"], 3), number(change["after"], 3)
    text = _("%(period)s: %(before)s → %(after)s, %(direction)s", period=when, before=before, after=after, direction=_(word))
    text += _("; the gap is between %(low)s and %(high)s", low=number(low, 3), high=number(high, 3))
    return text + (_(", seen from %(period)s on", period=change["first_seen_period"]) if "first_seen" in change else "")


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
