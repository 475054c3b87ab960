"""What training has seen lately: means of finished episodes for the log, and returns for the watchdog."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from livedqn.kernel import kernel
from livedqn.stage import Step
from livedqn.types import BoolArray, FloatArray, Spec


class RootMeanSquare:
    """Of all numbers that were added; of rewards it is their scale."""

    def __init__(self) -> None:
        self._count, self._squares = 0, 0.0

    def add(self, values: FloatArray) -> None:
        """Some more."""
        self._count += len(values)
        self._squares += float(np.square(values, dtype=np.float64).sum())

    def root(self) -> float:
        """1 where all were 0, or none was added."""
        return float(np.sqrt(self._squares / max(self._count, 1))) or 1.0

    def state_dict(self) -> dict[str, Any]:
        """Plain Python."""
        return {"count": self._count, "squares": self._squares}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self._count, self._squares = int(state["count"]), float(state["squares"])


class Progress:
    """Sums over episodes under way, means of those that ended since :meth:`means` was read, and discounted returns."""

    NAMES = ("return", "length", "visits", "shown", "clicked", "watch_s")
    #: Where those stand that are signals.
    SIGNALS = tuple(enumerate(NAMES))[3:]
    #: Episodes whose discounted returns are remembered.
    WINDOW = 10_000

    def __init__(self, num_envs: int) -> None:
        self._running = np.zeros((len(self.NAMES), num_envs))
        self._finished = np.zeros(len(self.NAMES))
        self._episodes = 0
        self._discounted = np.stack([np.zeros(num_envs), np.ones(num_envs)])  # so far, and the next reward's factor
        self._returns = np.zeros(0)
        self._ended = np.zeros(3)  # of all episodes: how many, the sum of their returns' sizes, that of what is left
        self._unread: list[FloatArray] = []  # returns that are not yet among them

    def add(self, step: Step, discount: FloatArray) -> None:
        """One step of every row; ``discount`` (B,) is the step's, 0 where it was terminal."""
        _add(self._running, self._discounted, step.reward, discount, step.visit_over)
        for i, name in self.SIGNALS:
            if name in step.signals:
                self._running[i] += step.signals[name]

    def end(self, rows: BoolArray) -> None:
        """The episodes of ``rows`` (B,) are over."""
        self._finished += self._running[:, rows].sum(axis=1)
        self._episodes += int(rows.sum())
        returns, left = self._discounted[:, rows]
        self._unread.append(np.abs(returns))
        self._ended += [len(returns), np.abs(returns).sum(), left.sum()]
        self.forget(rows)

    def forget(self, rows: BoolArray) -> None:
        """Drop the episodes under way of ``rows``."""
        self._running[:, rows] = 0
        self._discounted[:, rows] = [[0], [1]]

    def means(self, spec: Spec) -> dict[str, float]:
        """Means over the episodes that ended since the last call, and over their visits; empty where none did."""
        if not self._episodes:
            return {}
        total, length, visits, shown, clicked, watch_s = self._finished.tolist()
        episodes = self._episodes
        self._finished[:] = 0
        self._episodes = 0
        means = {"return": total / episodes, "session_length": length / visits}
        if spec.has_rooms:
            means["share_nothing"] = 1 - shown / length
        if "clicked" in spec.signals:
            means["click_through"] = clicked / shown if shown else 0.0
        if "watch_s" in spec.signals:
            means["watch_minutes"] = watch_s / 60 / visits
        return means

    def return_quantile(self) -> float:
        """The 99.9 % quantile of the discounted returns' sizes, from an episode's first step, unfinished ones included.

        It is what a value may reasonably be.
        """
        self._read()
        return float(np.quantile(np.concatenate([self._returns, np.abs(self._discounted[0])]), 0.999))

    def usual_return(self) -> float:
        """Mean size m of the discounted returns of all episodes so far, from their first step; NaN without one.

        One that was cut off, goes on, or whose viewer comes again is worth more than was seen of it: of what follows,
        which counts D, the product of its discounts, as much is expected: m = mean |R| + mean D m. Those under way are
        among them, as the first to end are short.
        """
        begun = self._running[self.NAMES.index("length")] > 0
        under_way = [begun.sum(), *np.abs(self._discounted[:, begun]).sum(axis=1)]
        episodes, returns, left = (self._ended + under_way).tolist()
        if not episodes:
            return float("nan")
        return returns / (episodes - left) if left < episodes else float("inf")

    def _read(self) -> None:
        self._returns = np.concatenate([self._returns, *self._unread])[-self.WINDOW :]
        self._unread.clear()

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python."""
        self._read()
        arrays = {name: torch.from_numpy(array.copy()) for name, array in self._arrays().items()}
        return {**arrays, "returns": torch.from_numpy(self._returns.copy()), "episodes": self._episodes}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        for name, array in self._arrays().items():
            array[:] = state[name].numpy()
        self._returns, self._episodes = state["returns"].numpy(), int(state["episodes"])

    def _arrays(self) -> dict[str, FloatArray]:
        return {
            "running": self._running, "finished": self._finished, "discounted": self._discounted, "ended": self._ended,
        }  # fmt: skip


@kernel
def _add(
    running: FloatArray, discounted: FloatArray, reward: FloatArray, discount: FloatArray, visit_over: BoolArray
) -> None:
    """Return, length, visits of every row's episode; discounted return += factor x reward, then factor *= discount."""
    for row in range(len(reward)):
        running[0, row] += reward[row]
        running[1, row] += 1
        running[2, row] += visit_over[row]
        discounted[0, row] += discounted[1, row] * reward[row]
        discounted[1, row] *= discount[row]
