"""The command ``calibrate``: an environment's rooms and viewers beside published numbers."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from livedqn import plugins
from livedqn.calibrate import rooms, viewers
from livedqn.calibrate.published import FIGURES, LEGEND, Figure
from livedqn.config import CalibrateConfig
from livedqn.envs import LiveStream
from livedqn.live import announce
from livedqn.types import LivedqnError

WIDE = 1_000  # columns of a file, which no window cuts off


def run(config: CalibrateConfig, folder: Path) -> None:
    """Print the table; write ``calibration.csv`` and ``calibration.png`` into ``folder``, and name it in the last line.

    Raises:
        LivedqnError: the environment has no rooms, or cannot be built.
    """
    env = plugins.build("env", config.env, config.num_envs)
    if not isinstance(env, LiveStream):
        raise LivedqnError(f"env {config.env['plugin']} is no livedqn.envs.LiveStream, whose rooms could be compared")
    table = env.rooms.timetable(config.seed, env.rooms.splits[0] if env.rooms.splits else "")
    found = rooms.statistics(table, env.rooms.streamers, config.popular)
    found |= viewers.statistics(env, config.requests, config.seed, announce())
    folder.mkdir(parents=True, exist_ok=True)
    write(found, folder / "calibration.csv")
    from livedqn.report.published import picture

    picture(found).savefig(folder / "calibration.png", dpi=110)
    show(found)
    print(folder)


def write(found: Mapping[str, float], path: Path) -> None:
    """A row for every published number."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "about", "source", "published", "low", "high", "found", "is_met"])
        for figure in FIGURES:
            value = found[figure.name]
            known = not math.isnan(value)
            writer.writerow([
                figure.name, figure.about, figure.source, figure.value, round(figure.low, 6), round(figure.high, 6),
                value if known else "", figure.is_met(value) if known else "",
            ])  # fmt: skip


def show(found: Mapping[str, float]) -> None:
    """The table on stdout, and how many are met."""
    console = Console(file=sys.stdout, highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDE
    table = Table(
        "", "source", "published", "from", "to", "found", "met",
        box=box.SIMPLE_HEAD if console.is_terminal else box.ASCII2,
    )  # fmt: skip
    for column in table.columns[2:]:
        column.justify, column.no_wrap = "right", True
    for figure in FIGURES:
        value = found[figure.name]
        numbers = [_number(number) for number in (figure.value, figure.low, figure.high)]
        table.add_row(figure.about, figure.source, *numbers, *_verdict(figure, value))
    console.print(table)
    known = [figure for figure in FIGURES if not math.isnan(found[figure.name])]
    met = sum(figure.is_met(found[figure.name]) for figure in known)
    unknown = len(FIGURES) - len(known)
    print("; ".join(f"{source}: {what}" for source, what in LEGEND.items()))
    print(f"{met} of {len(known)} are met" + (f"; {unknown} need more rooms, days or clicks (-)" if unknown else ""))


def _verdict(figure: Figure, value: float) -> tuple[str, str]:
    if math.isnan(value):
        return "-", "-"
    return _number(value), "yes" if figure.is_met(value) else "no"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
