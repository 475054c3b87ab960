"""One look for every picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, FAINT, GRID = "#1d2733", "#66717d", "#e6e9ed"
#: Colours that people with any colour vision tell apart (after Okabe & Ito); the first is ours.
OURS = "#0072b2"
OTHERS = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")
NOTHING = "#d5dae0"

_RC: Any = {
    "font.size": 10, "font.family": "DejaVu Sans", "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": FAINT,
    "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": GRID, "grid.linewidth": 1, "xtick.color": FAINT, "ytick.color": FAINT, "legend.frameon": False,
    "figure.facecolor": "white", "lines.linewidth": 1.8,
    "text.parse_math": False,  # names may hold dollars
}  # fmt: skip


@contextmanager
def look() -> Iterator[None]:
    """Draw in here; outside nothing has changed."""
    with rc_context(_RC):
        yield


def figure(width: float, height: float, columns: int = 1, rows: int = 1, **settings: Any) -> tuple[Figure, list[Axes]]:
    """A figure of so many inches, and its axes row by row."""
    made = Figure(figsize=(width, height), layout="constrained")
    return made, list(made.subplots(rows, columns, squeeze=False, **settings).flat)


def colours(names: Sequence[str], agents: Sequence[str]) -> dict[str, str]:
    """A colour a policy: ours first, the same in every picture."""
    others = [name for name in names if name not in agents[:1]]
    found = {name: OTHERS[i % len(OTHERS)] for i, name in enumerate(others)}
    return {**found, **dict.fromkeys(agents[:1], OURS)}
