"""Does the policy know what is coming? Predicted values against what followed."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from livedqn.evaluate import Evaluation
from livedqn.report.style import FAINT, colours, figure

BINS = 12


def calibration(evaluation: Evaluation) -> Figure | None:
    """Means of realised discounted returns in bins of equal size by predicted Q; None where nothing was predicted."""
    if not evaluation.calibrations:
        return None
    made, axes = figure(4.6 * len(evaluation.calibrations), 4.2, len(evaluation.calibrations))
    colour = colours(list(evaluation.played), evaluation.agents)
    for axis, (name, found) in zip(axes, evaluation.calibrations.items(), strict=True):
        bins = np.array_split(np.argsort(found.predicted, kind="stable"), min(BINS, len(found.predicted)))
        predicted = np.array([found.predicted[one].mean() for one in bins])
        realised = np.array([found.realised[one].mean() for one in bins])
        low, high = np.array([np.quantile(found.realised[one], [0.25, 0.75]) for one in bins]).T
        ends = [min(predicted.min(), realised.min()), max(predicted.max(), realised.max())]
        axis.plot(ends, ends, "--", color=FAINT, linewidth=1, label="perfect")
        axis.fill_between(predicted, low, high, color=colour[name], alpha=0.15, label="half of the steps", linewidth=0)
        axis.plot(predicted, realised, "o-", color=colour[name], label="mean")
        axis.set(title=f"{name}: bias {found.bias:+.3g}", xlabel="predicted Q", ylabel="realised discounted return")
        axis.legend(fontsize=8)
    return made
