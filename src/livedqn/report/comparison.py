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
    shown = [m for m in HEADINGS if m in evaluation.measured[evaluation.reference]]
    shown = [m for m in shown if m != "length" or not _same(evaluation, "length", "return")]
    others = [name for name in evaluation.played if name != evaluation.reference]
    made, axes = figure(
        2.6 + 2.1 * (len(shown) + bool(others)), 1.2 + 0.42 * len(evaluation.played), len(shown) + bool(others)
    )
    colour = colours(list(evaluation.played), evaluation.agents)
    for axis, metric in zip(axes, shown, strict=False):
        _dots(axis, {name: found[metric] for name, found in evaluation.intervals.items()}, colour, metric)
        axis.set_title(HEADINGS[metric])
    if others:
        gap = {name: evaluation.advantage(name) for name in others}
        _dots(axes[-1], {evaluation.reference: Interval(math.nan, math.nan, math.nan, 0), **gap}, colour, "return")
        axes[-1].axvline(0, color=FAINT, linewidth=1)
        axes[-1].set_title(f"{evaluation.reference} ahead by")
    for axis in axes[1:]:
        axis.set_yticklabels([])
    return made


def parts(evaluation: Evaluation) -> Figure | None:
    """A panel a part of audience or rooms; None where the environment does not tell them apart."""
    shown = [m for m in SLICE_HEADINGS if m in evaluation.measured[evaluation.reference]]
    if not shown:
        return None
    made, axes = figure(2.2 + 1.75 * len(shown), 1.3 + 0.42 * len(evaluation.played), len(shown))
    colour = colours(list(evaluation.played), evaluation.agents)
    for axis, metric in zip(axes, shown, strict=True):
        _dots(axis, {name: found[metric] for name, found in evaluation.intervals.items()}, colour, metric)
        axis.set_title(SLICE_HEADINGS[metric].replace(", ", ",\n"), fontsize=9)
    for axis in axes[1:]:
        axis.set_yticklabels([])
    return made


def _dots(axis: Axes, found: Mapping[str, Interval], colour: Mapping[str, str], metric: str) -> None:
    scale = 100 if metric.startswith(("click_through", "share")) else 1
    for y, (name, one) in enumerate(found.items()):
        if math.isnan(one.mean):
            continue
        if not math.isnan(one.half):
            axis.plot([one.low * scale, one.high * scale], [y, y], color=colour[name], linewidth=3, alpha=0.4)
        axis.plot(one.mean * scale, y, "o", color=colour[name], markersize=7)
    axis.set_yticks(range(len(found)), list(found))
    axis.set_ylim(len(found) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.margins(x=0.12)
    if scale == 100:
        axis.set_xlabel("%")


def _same(evaluation: Evaluation, one: str, other: str) -> bool:
    """True where two metrics say the same, as in games that pay 1 a step."""
    return all((found[one] == found[other]).all() for found in evaluation.measured.values())
