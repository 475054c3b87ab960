"""What every policy is worth: means, paired differences, and parts of the audience."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from livedqn.evaluate import Evaluation, Interval
from livedqn.evaluate.table import HEADINGS, SLICE_HEADINGS
from livedqn.report.style import FAINT, colours, figure


def comparison(evaluation: Evaluation) -> Figure:
    """A panel a metric with 95 % intervals over worlds; the last one has the paired differences."""
    shown = evaluation.distinct(HEADINGS)
    others = [name for name in evaluation.played if name != evaluation.reference]
    panels = len(shown) + bool(others)
    made, axes = figure(2.4 + 1.9 * panels, 1.2 + 0.42 * len(evaluation.played), panels, sharey=True)
    colour = colours(list(evaluation.played), evaluation.agents)
    for axis, metric in zip(axes, shown, strict=False):
        _dots(axis, {name: found[metric] for name, found in evaluation.intervals.items()}, colour, metric)
        axis.set_title(HEADINGS[metric])
    if others:
        gap = {name: evaluation.advantage(name) for name in others}
        _dots(axes[-1], {evaluation.reference: Interval(math.nan, math.nan, math.nan, 0), **gap}, colour, "return")
        axes[-1].axvline(0, color=FAINT, linewidth=1)
        axes[-1].set_title(f"{evaluation.reference} ahead by")
    return made


def parts(evaluation: Evaluation) -> Figure | None:
    """A panel a part of audience or rooms; None where the environment does not tell them apart."""
    shown = [m for m in SLICE_HEADINGS if m in evaluation.measured[evaluation.reference]]
    if not shown:
        return None
    columns = min(len(shown), 4)
    rows = math.ceil(len(shown) / columns)
    made, axes = figure(11, (1.1 + 0.3 * len(evaluation.played)) * rows, columns, rows, sharey=True)
    colour = colours(list(evaluation.played), evaluation.agents)
    for axis in axes[len(shown) :]:
        axis.set_visible(False)
    for axis, metric in zip(axes, shown, strict=False):
        _dots(axis, {name: found[metric] for name, found in evaluation.intervals.items()}, colour, metric)
        axis.set_title(SLICE_HEADINGS[metric], fontsize=9)
    return made


def _dots(axis: Axes, found: Mapping[str, Interval], colour: Mapping[str, str], metric: str) -> None:
    scale = 100 if metric.startswith(("click_through", "share", "next_day")) else 1
    for y, (name, one) in enumerate(found.items()):
        if math.isnan(one.mean):
            continue
        if not math.isnan(one.half):
            axis.plot([one.low * scale, one.high * scale], [y, y], color=colour[name], linewidth=3, alpha=0.4)
        axis.plot(one.mean * scale, y, "o", color=colour[name], markersize=7)
    axis.set_yticks(range(len(found)), list(found))
    axis.set_ylim(len(found) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)
    axis.margins(x=0.12)
    if scale == 100:
        axis.set_xlabel("%")
