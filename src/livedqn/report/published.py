"""How near an environment comes to published numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.figure import Figure

from livedqn.calibrate.published import FIGURES
from livedqn.report.style import FAINT, OTHERS, OURS, figure, look

#: What lies further off is drawn at the edge.
EDGE = 2.5


def picture(found: Mapping[str, float]) -> Figure:
    """Every number in units of its tolerance: between -1 and 1 it is met."""
    shown = [one for one in FIGURES if not math.isnan(found[one.name])]
    with look():
        made, (axis,) = figure(9, 1.2 + 0.22 * max(1, len(shown)))
        for place, one in enumerate(shown):
            value = found[one.name]
            room = one.high - one.value if value >= one.value else one.value - one.low
            off = max(-EDGE, min(EDGE, (value - one.value) / room))
            axis.plot(off, place, "o", color=OURS if one.is_met(value) else OTHERS[0], ms=5)
        axis.axvspan(-1, 1, color=OURS, alpha=0.1, linewidth=0)
        axis.axvline(0, color=FAINT, linewidth=1)
        axis.set(
            title="What is simulated, beside what was published", xlabel="off the published number, in tolerances",
            xlim=(-EDGE - 0.1, EDGE + 0.1), ylim=(len(shown) - 0.5, -0.5),
        )  # fmt: skip
        axis.set_yticks(range(len(shown)), [f"{one.about} ({one.source})" for one in shown], fontsize=8)
    return made
