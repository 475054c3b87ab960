"""How the policy learned: its return on validation worlds against the baselines' there."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from livedqn.evaluate import Evaluation
from livedqn.report.style import FAINT, colours, figure
from livedqn.tracking import read_metrics

#: Drawn beside the returns where the run logged them.
DIAGNOSTICS = {"loss": "loss", "q_mean": "mean Q"}


def curves(evaluation: Evaluation, metrics_csv: Path) -> Figure:
    """Validation return and the return of exploring training episodes; loss and mean Q at the right."""
    logged = read_metrics(metrics_csv) if metrics_csv.exists() else {}
    shown = [name for name in DIAGNOSTICS if name in logged]
    made, axes = figure(11, 4.2, 1 + len(shown), width_ratios=[2.4, *[1] * len(shown)])
    colour = colours(list(evaluation.played), evaluation.agents)
    main = axes[0]
    if "return" in logged:
        main.plot(*logged["return"], color=FAINT, alpha=0.45, linewidth=1, label="in training, exploring")
    if "validation_return" in logged:
        steps, values = logged["validation_return"]
        main.plot(steps, values, "o-", color=colour[evaluation.reference], label=evaluation.reference)
        best = max(range(len(values)), key=values.__getitem__)
        main.plot(
            steps[best], values[best], "*", markersize=15, color=colour[evaluation.reference], label="policy.ckpt"
        )
    for name, value in evaluation.validation.items():
        main.axhline(value, color=colour[name], linestyle="--", linewidth=1.4, label=name)
    main.set(
        title="Return of an episode: in training, and on validation worlds",
        xlabel="environment steps",
        ylabel="return of an episode",
    )
    made.legend(*main.get_legend_handles_labels(), loc="outside lower center", ncols=8, fontsize=9)
    for axis, name in zip(axes[1:], shown, strict=True):
        axis.plot(*logged[name], color=FAINT)
        axis.set(title=DIAGNOSTICS[name], xlabel="environment steps")
    for axis in axes:
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    return made
