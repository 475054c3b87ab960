"""Numbers of the world beside simulated ones: as a table on stdout and as a CSV."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from livedqn.calibrate.published import Figure

WIDE = 1_000  # columns of a file, which no window cuts off


@dataclass(frozen=True)
class Comparison:
    """Figures, and what was found of each in one or more simulations, NaN where that is not known."""

    beside: str  # what the figures are: published, or data
    figures: Sequence[Figure]
    found: Mapping[str, Mapping[str, float]]  # simulation -> name of a figure -> value

    def met(self, label: str) -> tuple[int, int]:
        """How many figures a simulation meets, of how many that are known of it."""
        known = [figure for figure in self.figures if not math.isnan(self.found[label][figure.name])]
        return sum(figure.is_met(self.found[label][figure.name]) for figure in known), len(known)

    def write(self, path: Path) -> None:
        """A row for every figure; one that is not known has no value and no verdict."""
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            verdicts = [name for label in self.found for name in (label, f"{label}_is_met")]
            writer.writerow(["name", "about", "source", self.beside, "low", "high", *verdicts])
            for one in self.figures:
                row = [one.name, one.about, one.source, one.value, round(one.low, 6), round(one.high, 6)]
                for values in self.found.values():
                    value = values[one.name]
                    row += ["", ""] if math.isnan(value) else [value, one.is_met(value)]
                writer.writerow(row)

    def show(self) -> None:
        """The table, and how many are met."""
        labels = list(self.found)
        sources = len({figure.source for figure in self.figures}) > 1
        numbers = [self.beside, "from", "to", *(word for label in labels for word in (label, "met"))]
        rows = []
        for one in self.figures:
            cells = [one.about, *([one.source] if sources else [])]
            cells += [number(value) for value in (one.value, one.low, one.high)]
            for label in labels:
                value = self.found[label][one.name]
                cells += ["-", "-"] if math.isnan(value) else [number(value), "yes" if one.is_met(value) else "no"]
            rows.append(cells)
        show_table(["", *(["source"] if sources else []), *numbers], rows, numbers=len(numbers))
        for label in labels:
            met, known = self.met(label)
            unknown = len(self.figures) - known
            of = f" {label}" if len(labels) > 1 else ""
            print(
                f"{met} of {known} are met{of}"
                + (f"; {unknown} need more rooms, days or clicks (-)" if unknown else "")
            )


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> None:
    """A table on stdout, whose last ``numbers`` columns are such and never wrapped."""
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDE
    table = Table(*headings, box=box.SIMPLE_HEAD if console.is_terminal else box.ASCII2)
    for column in table.columns[len(headings) - numbers :]:
        column.justify, column.no_wrap = "right", True
    for row in rows:
        table.add_row(*row)
    console.print(table)


def number(value: float) -> str:
    """As people read it."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
