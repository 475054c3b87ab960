"""What is recommended to whom, and when nothing is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from livedqn.evaluate import Episodes, Evaluation
from livedqn.evaluate.slices import Slices
from livedqn.report.style import NOTHING, colours, figure
from livedqn.types import BoolArray

KINDS = {"nothing": NOTHING, "a favourite": "#7a4f9a", "a new streamer": "#f0a830", "another room": "#a9cfe8"}
#: Requests with fewer sessions than this share of all still under way are not drawn: they are a few loyal viewers.
TAIL = 0.05


def audience(evaluation: Evaluation) -> Figure | None:
    """Shares of what new, other and heavy viewers are shown; None where viewers or rooms cannot be told apart."""
    first = evaluation.played[evaluation.reference][0]
    if "activity" not in first.viewers or not {"affinity", "novelty"} <= first.shown.keys():
        return None
    made, axes = figure(1.6 + 2.1 * len(evaluation.played), 3.1, len(evaluation.played), sharey=True)
    for axis, (name, worlds) in zip(axes, evaluation.played.items(), strict=True):
        shares = np.array([_shares(played, evaluation.slices) for played in worlds])
        known = np.count_nonzero(~np.isnan(shares), axis=0)  # in some worlds there may be nobody of a kind, or in all
        table = np.nansum(shares, axis=0) / np.where(known > 0, known, np.nan)
        left = np.zeros(len(table))
        for kind, share in zip(KINDS, table.T, strict=True):
            axis.barh(range(len(table)), share * 100, left=left, color=KINDS[kind], label=kind, height=0.72)
            left += share * 100
        axis.set_title(name)
        axis.set(xlim=(0, 100), xlabel="% of requests")
        axis.grid(visible=False, axis="y")
    axes[0].set_yticks(range(3), ["new viewers", "others", "heavy viewers"])
    axes[0].invert_yaxis()
    made.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(KINDS))
    return made


def nothing(evaluation: Evaluation) -> Figure:
    """The share of nothing as a visit goes on."""
    made, (axis,) = figure(8, 3.4)
    colour = colours(list(evaluation.played), evaluation.agents)
    for name, worlds in evaluation.played.items():
        request = np.concatenate([played.request_of_visit for played in worlds])
        silent = np.concatenate([played.action == 0 for played in worlds])
        there = np.bincount(request)
        drawn = there >= TAIL * there[0]
        share = np.bincount(request, weights=silent)[drawn] / there[drawn]
        axis.plot(np.arange(1, len(share) + 1), share * 100, color=colour[name], label=name)
    axis.set(title="How often nothing is shown, as a visit goes on", xlabel="request of the visit", ylabel="% nothing")
    axis.set_ylim(bottom=0)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return made


def _shares(played: Episodes, slices: Slices) -> np.ndarray:
    """(viewers, kinds): shares of the requests of new, other and heavy viewers."""
    new, heavy = slices.is_new_viewer(played), slices.is_heavy_viewer(played)
    viewers = {"new": new, "others": ~new & ~heavy, "heavy": heavy}
    kinds = _kinds(played, slices)
    return np.array([[_share(kind, mask[played.episode]) for kind in kinds.values()] for mask in viewers.values()])


def _kinds(played: Episodes, slices: Slices) -> Mapping[str, BoolArray]:
    """Kind -> (N,), every request in exactly one: a favourite is a streamer whom the viewer has watched before."""
    silent = played.action == 0
    favourite = played.shown["affinity"] > 0
    new = slices.is_new_streamer(played) & ~favourite
    return dict(zip(KINDS, (silent, favourite, new, ~(silent | favourite | new)), strict=True))


def _share(kind: BoolArray, where: BoolArray) -> float:
    return float(kind[where].mean()) if where.any() else float("nan")
