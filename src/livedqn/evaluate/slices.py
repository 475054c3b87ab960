"""The same metrics for parts of the audience and of the rooms: a good mean may hide whom it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livedqn.evaluate.metrics import click_through
from livedqn.evaluate.play import Episodes
from livedqn.types import BoolArray, FloatArray

#: Hours of the day at which a session starts, [from, to).
HOURS = ((0, 6), (6, 12), (12, 18), (18, 24))


@dataclass(frozen=True)
class Slices:
    """Where the parts begin: quartiles of what all policies met alike, NaN where the environment does not say.

    New and heavy viewers: sessions whose viewer is in the lowest or highest quarter by past sessions. New streamers:
    rooms in the lowest quarter of those on offer, by what the environment calls novelty (followers, past broadcasts).
    """

    new_viewer: float
    heavy_viewer: float
    new_streamer: float

    @classmethod
    def of(cls, worlds: Sequence[Episodes]) -> Slices:
        """From the sessions of any one policy: viewers, and rooms on offer at first, are the same for all."""
        viewers = _quartiles([played.viewers["activity"] for played in worlds if "activity" in played.viewers])
        rooms = _quartiles([played.offered["novelty"] for played in worlds if "novelty" in played.offered])
        return cls(viewers[0], viewers[1], rooms[0])

    def is_new_viewer(self, played: Episodes) -> BoolArray:
        """(E,)."""
        return played.viewers["activity"] <= self.new_viewer

    def is_heavy_viewer(self, played: Episodes) -> BoolArray:
        """(E,); nobody is new and heavy."""
        return (played.viewers["activity"] >= self.heavy_viewer) & ~self.is_new_viewer(played)

    def is_new_streamer(self, played: Episodes) -> BoolArray:
        """(N,): a room was shown, and its streamer is new."""
        return played.shown["novelty"] <= self.new_streamer

    def measure(self, played: Episodes) -> dict[str, float]:
        """Name -> mean over the part in this world, NaN where it is empty.

        ``share_new_streamers`` = rooms of new streamers shown / rooms shown.
        """
        found: dict[str, float] = {}
        returns = played.per_episode(played.steps["reward"])
        if "activity" in played.viewers:
            found["return_new_viewers"] = _mean(returns, self.is_new_viewer(played))
            found["return_heavy_viewers"] = _mean(returns, self.is_heavy_viewer(played))
        if "novelty" in played.shown:
            new = self.is_new_streamer(played)
            found["share_new_streamers"] = _mean(new, played.action > 0)
        if "novelty" in played.shown and "clicked" in played.steps:
            found["click_through_new_streamers"] = click_through(played, new)
            found["click_through_known_streamers"] = click_through(played, ~new)
        if "hour" in played.viewers:
            hour = played.viewers["hour"] % 24
            for first, end in HOURS:
                found[f"return_{first:02}_{end:02}_h"] = _mean(returns, (hour >= first) & (hour < end))
        return found


def _quartiles(values: list[FloatArray]) -> tuple[float, float]:
    pooled = np.concatenate(values) if values else np.zeros(0)
    if not len(pooled):
        return float("nan"), float("nan")
    low, high = np.quantile(pooled, [0.25, 0.75])
    return float(low), float(high)


def _mean(values: FloatArray | BoolArray, where: BoolArray) -> float:
    return float(values[where].mean()) if where.any() else float("nan")
