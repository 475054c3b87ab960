"""What training has seen lately: means of finished episodes for the log, and returns for the watchdog."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from livedqn.kernel import kernel
from livedqn.stage import Step
from livedqn.types import BoolArray, FloatArray, Spec


class Progress:
    """Sums of the episodes under way, and means of those that ended since the last look."""

    NAMES = ("return", "length", "shown", "clicked", "watch_s")

    def __init__(self, num_envs: int) -> None:
        self._running = np.zeros((len(self.NAMES), num_envs))
        self._finished = np.zeros(len(self.NAMES))
        self._episodes = 0

    def add(self, step: Step) -> None:
        """One step of every row."""
        _add(self._running[0], step.reward)
        self._running[1] += 1.0
        for i, name in enumerate(self.NAMES[2:], start=2):
            if name in step.signals:
                _add(self._running[i], step.signals[name])

    def end(self, rows: BoolArray) -> None:
        """The episodes of ``rows`` (B,) are over."""
        self._finished += self._running[:, rows].sum(axis=1)
        self._episodes += int(rows.sum())
        self.forget(rows)

    def forget(self, rows: BoolArray) -> None:
        """Drop the episodes under way of ``rows``."""
        self._running[:, rows] = 0

    def means(self, spec: Spec) -> dict[str, float]:
        """Means over the episodes that ended since the last call; empty where none did."""
        if not self._episodes:
            return {}
        total, length, shown, clicked, watch_s = self._finished.tolist()
        episodes = self._episodes
        self._finished[:] = 0
        self._episodes = 0
        means = {"return": total / episodes, "session_length": length / episodes}
        if spec.has_rooms:
            means["share_nothing"] = 1 - shown / length
        if "clicked" in spec.signals:
            means["click_through"] = clicked / shown if shown else 0.0
        if "watch_s" in spec.signals:
            means["watch_minutes"] = watch_s / 60 / episodes
        return means

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python."""
        running, finished = torch.from_numpy(self._running.copy()), torch.from_numpy(self._finished.copy())
        return {"running": running, "finished": finished, "episodes": self._episodes}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self._running[:] = state["running"].numpy()
        self._finished[:] = state["finished"].numpy()
        self._episodes = int(state["episodes"])


class Returns:
    """Discounted returns of the last episodes, from their first step: what a value may reasonably be."""

    WINDOW = 10_000

    def __init__(self, num_envs: int) -> None:
        self._return = np.zeros(num_envs)
        self._factor = np.ones(num_envs)
        self._last = np.zeros(0)
        self._unread: list[FloatArray] = []  # of episodes that ended since the last look

    def add(self, reward: FloatArray, discount: FloatArray) -> None:
        """One step of every row, (B,) each."""
        _add_discounted(self._return, self._factor, reward, discount)

    def end(self, rows: BoolArray) -> None:
        """The episodes of ``rows`` (B,) are over."""
        self._unread.append(np.abs(self._return[rows]))
        self.forget(rows)

    def forget(self, rows: BoolArray) -> None:
        """Start anew for ``rows``."""
        self._return[rows] = 0
        self._factor[rows] = 1

    def quantile(self) -> float:
        """The 99.9 % quantile of the returns' sizes, those of episodes under way included."""
        self._read()
        return float(np.quantile(np.concatenate([self._last, np.abs(self._return)]), 0.999))

    def _read(self) -> None:
        self._last = np.concatenate([self._last, *self._unread])[-self.WINDOW :]
        self._unread.clear()

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python."""
        self._read()
        running = torch.from_numpy(np.stack([self._return, self._factor]))
        return {"running": running, "last": torch.from_numpy(self._last.copy())}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self._return[:], self._factor[:] = state["running"].numpy()
        self._last = state["last"].numpy()


@kernel
def _add(total: FloatArray, values: FloatArray) -> None:
    """total += values; NumPy takes its time where the types differ."""
    for row in range(len(total)):
        total[row] += values[row]


@kernel
def _add_discounted(total: FloatArray, factor: FloatArray, reward: FloatArray, discount: FloatArray) -> None:
    """total += factor x reward, then factor *= discount."""
    for row in range(len(total)):
        total[row] += factor[row] * reward[row]
        factor[row] *= discount[row]
