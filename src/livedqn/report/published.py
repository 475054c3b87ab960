"""How near an environment comes to published numbers, or to a user's own."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from livedqn.calibrate.comparison import Comparison
from livedqn.report.style import FAINT, OTHERS, OURS, figure, look

#: What lies further off is drawn at the edge.
EDGE = 2.5


def picture(comparison: Comparison) -> Figure:
    """Every number in units of its tolerance: between -1 and 1 it is met. Of several simulations the last is full."""
    *earlier, last = comparison.found
    shown = [one for one in comparison.figures if not math.isnan(comparison.found[last][one.name])]
    with look():
        made, (axis,) = figure(9, 1.2 + 0.22 * max(1, len(shown)))
        for place, one in enumerate(shown):
            for label in (*earlier, last):
                value = comparison.found[label][one.name]
                if not math.isnan(value):
                    hue = OURS if one.is_met(value) else OTHERS[0]
                    axis.plot(_off(one.value, one.low, one.high, value), place, "o", color=hue, ms=5,
                              mfc=hue if label == last else "none")  # fmt: skip
        axis.axvspan(-1, 1, color=OURS, alpha=0.1, linewidth=0)
        axis.axvline(0, color=FAINT, linewidth=1)
        beside = "what was published" if comparison.beside == "published" else "the data"
        rings = f" (rings: {', '.join(earlier)}; discs: {last})" if earlier else ""
        axis.set(
            title=f"What is simulated, beside {beside}", xlabel=f"off the number, in tolerances{rings}",
            xlim=(-EDGE - 0.1, EDGE + 0.1), ylim=(max(len(shown), 1) - 0.5, -0.5),
        )  # fmt: skip
        named = len({one.source for one in comparison.figures}) > 1
        names = [f"{one.about} ({one.source})" if named else one.about for one in shown]
        axis.set_yticks(range(len(shown)), names, fontsize=8)
    return made


def _off(middle: float, low: float, high: float, value: float) -> float:
    room = high - middle if value >= middle else middle - low
    off = (value - middle) / room if room else math.copysign(EDGE, value - middle) * (value != middle)
    return max(-EDGE, min(EDGE, off))
