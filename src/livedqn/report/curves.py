"""How the policy learned: its return on validation worlds against the baselines' there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from livedqn.evaluate import Evaluation
from livedqn.report.style import FAINT, colours, figure
from livedqn.tracking import read_metrics

#: Drawn beside the returns where the run logged them.
DIAGNOSTICS = {"loss": "loss", "q_mean": "mean Q"}


def curves(evaluation: Evaluation | None, metrics_csv: Path, chosen: int) -> Figure:
    """Validation return and the return of episodes that were learned from; loss and mean Q at the right."""
    logged = read_metrics(metrics_csv) if metrics_csv.exists() else {}
    shown = [name for name in DIAGNOSTICS if name in logged]
    made, axes = figure(11, 4.2, 1 + len(shown), width_ratios=[2.4, *[1] * len(shown)])
    main = axes[0]
    if "return" in logged:
        label = "of logged sessions" if "epochs" in logged else "in training, exploring"
        main.plot(*logged["return"], color=FAINT, alpha=0.45, linewidth=1, label=label)
    if evaluation is not None:
        _validated(main, logged, evaluation, chosen)
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


def _validated(
    axis: Axes, logged: Mapping[str, tuple[list[int], list[float]]], evaluation: Evaluation, chosen: int
) -> None:  # fmt: skip
    """The policy's returns on validation worlds, of which it was kept at step ``chosen``, and the baselines' by their
    tuned rules; its margin, if it has one, is tuned at the end."""
    colour = colours(list(evaluation.played), evaluation.agents)
    if "validation_return" in logged:
        steps, values = logged["validation_return"]
        own = colour[evaluation.reference]
        margin = ", without a margin" if "share_nothing" in evaluation.measured[evaluation.reference] else ""
        axis.plot(steps, values, "o-", color=own, label=evaluation.reference + margin)
        if chosen in steps:
            axis.plot(chosen, values[steps.index(chosen)], "*", markersize=15, color=own, label="policy.ckpt")
    for name, value in evaluation.validation.items():
        axis.axhline(value, color=colour[name], linestyle="--", linewidth=1.4, label=name)
