"""What logs say of policies: estimates with their intervals, and how much of the logs each of them leaves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from livedqn.report.style import FAINT, NOTHING, OTHERS, OURS, figure, look


def write_ope(folder: Path, result: Mapping[str, Any]) -> None:
    """Draw ``estimates.png``, ``overlap.png``, and of estimated propensities ``propensities.png``, into ``folder``.

    Args:
        folder: of the evaluation.
        result: as ``evaluation.json`` has it.
    """
    with look():
        estimates(result).savefig(folder / "estimates.png", dpi=150)
        overlap(result).savefig(folder / "overlap.png", dpi=150)
        if result["calibration"]:
            propensities(result).savefig(folder / "propensities.png", dpi=150)


def estimates(result: Mapping[str, Any]) -> Figure:
    """A panel a policy: every estimator, and the logs' own policy as a band; faint where the logs cannot answer."""
    policies = result["policies"]
    count = len(next(iter(policies.values()))["estimates"])
    made, axes = figure(1.6 + 2.6 * len(policies), 1.6 + 0.34 * count, len(policies), sharey=True)
    logged = result["logged"]
    for axis, (name, found) in zip(axes, policies.items(), strict=True):
        axis.axvspan(logged["low"], logged["high"], color=NOTHING, linewidth=0, label="the logs' own policy")
        axis.axvline(logged["value"], color=FAINT, linewidth=1)
        for y, (key, one) in enumerate(found["estimates"].items()):
            if None in one.values():  # no number
                continue
            colour = OURS if key == result["estimator"] else FAINT
            faint = 0.3 if found["cannot_answer"] else 1.0
            axis.plot([one["low"], one["high"]], [y, y], color=colour, linewidth=3, alpha=0.5 * faint)
            axis.plot(one["value"], y, "o", color=colour, alpha=faint)
        _named(axis, list(found["estimates"]))
        unit = "cannot answer" if found["cannot_answer"] else f"value a {result['unit']}"
        axis.set(title=name, xlabel=unit)
    _say(made, result)
    return made


def overlap(result: Mapping[str, Any]) -> Figure:
    """How much of the logs counts for each policy, and how much of that is in the largest 1 %."""
    policies = result["policies"]
    made, axes = figure(11, 1.4 + 0.4 * len(policies), 3, sharey=True)
    panels = (
        ("requests_share", "effective requests"), ("sessions_share", "effective sessions"),
        ("largest", "weight in the largest 1 % of sessions"),
    )  # fmt: skip
    for i, (axis, (key, title)) in enumerate(zip(axes, panels, strict=True)):
        shares = [100 * found["overlap"][key] for found in policies.values()]
        axis.barh(range(len(shares)), shares, color=OURS if i < 2 else OTHERS[0], height=0.6)
        axis.set(title=title, xlabel="%", xlim=(0, 100))
        _named(axis, list(policies))
    _say(made, result)
    return made


def propensities(result: Mapping[str, Any]) -> Figure:
    """Are estimated propensities right? How often candidates were shown, by what was estimated."""
    found = result["calibration"]
    made, (axis,) = figure(4.6, 4.2)
    axis.plot([1e-4, 1], [1e-4, 1], "--", color=FAINT, linewidth=1, label="perfect")
    axis.plot(found["estimated"], found["shown"], "o-", color=OURS, label="mean of a bin")
    axis.set(xscale="log", yscale="log", xlabel="estimated propensity", ylabel="share shown")
    for side in (axis.xaxis, axis.yaxis):  # powers would be written as mathematics
        side.set_major_formatter("{x:g}")
        side.set_minor_formatter("")
    axis.set_title("propensities were estimated")
    axis.legend(fontsize=8)
    return made


def _named(axis: Axes, names: list[str]) -> None:
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)


def _say(made: Figure, result: Mapping[str, Any]) -> None:
    """What every picture has to say."""
    if result["warnings"]:
        made.suptitle("; ".join(result["warnings"]), fontsize=8, color=OTHERS[0])
