"""Notices divergence without asking the device after every update."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from livedqn.kernel import kernel
from livedqn.types import FloatArray, LivedqnError

#: |Q| this many times above the greatest return that was seen is not a value any more.
FACTOR = 10.0
#: In so many updates without a break.
PATIENCE = 1_000
#: A mean value this many times above what sessions of logs return was not learned from them.
RUNAWAY = 50.0


class DivergenceError(LivedqnError):
    """Learning has left the realm of numbers; the last good policy is policy.ckpt."""


def diverged(updates: int, why: str) -> DivergenceError:
    """The error that says so."""
    if not updates:
        return DivergenceError(
            f"before the first update: {why}; the encoder makes something else of an observation; "
            "livedqn.testing.check_encoder looks for the reason"
        )
    return DivergenceError(
        f"training diverged by update {updates:,}: {why}; policy.ckpt keeps the policy that was chosen before: "
        "try a smaller agent.learning_rate or a larger agent.sync_every"
    )


def runaway(q_mean: float, usual_return: float) -> str | None:
    """Why a mean value that was learned from logs cannot be; None where it may, or nobody has earned anything yet.

    Args:
        q_mean: in the reward's own unit, as ``usual_return``, see :meth:`~livedqn.progress.Progress.usual_return`.
    """
    if usual_return == 0 or not q_mean > RUNAWAY * usual_return:
        return None
    return (
        f"values run away: their mean, {q_mean:.3g}, is {q_mean / usual_return:,.0f} times what sessions of these logs "
        f"return, {usual_return:.3g}: do not trust them, nor the policy; make fewer updates (epochs=, steps= or "
        "agent.steps_per_update=)"
    )


@kernel
def are_numbers(q: FloatArray) -> bool:
    """Whether values (E, B, K) can be acted on; -inf stands for what is not allowed."""
    for value in q.flat:  # noqa: SIM110 (Numba takes a loop, and no generator)
        if not value < np.inf:  # true of what is no number, too
            return False
    return True


class Watchdog:
    """Collects what updates measure on their device; :meth:`check` reads it once in a while, and gives its verdict.

    A run has diverged when a loss is not finite, or when the greatest \\|Q\\| of a batch lies above ten times the
    99.9 % quantile of the observed discounted returns (at least 1 scaled reward) in 1,000 updates without a break.
    """

    def __init__(self) -> None:
        self.bound = FACTOR
        self._unread: list[Tensor] = []
        self._streak = 0  # updates without a break, up to the last that was read
        self._loss = self._q = 0.0  # sums since the last :meth:`means`
        self._count = 0

    def expect(self, quantile: float) -> None:
        """The 99.9 % quantile of the observed discounted returns, in scaled rewards."""
        self.bound = FACTOR * max(quantile, 1.0)

    def watch(self, measures: Tensor) -> None:
        """One update's measures, (4,): see :class:`~livedqn.objective.Losses`."""
        self._unread.append(measures)

    def check(self, updates: int) -> None:
        """Raise DivergenceError if it is time."""
        if not self._unread:
            return
        loss, q, greatest, total = torch.stack(self._unread).cpu().double().numpy().T  # not every GPU has float64
        self._unread.clear()
        if not np.isfinite(total).all():
            raise diverged(updates, "the loss is not finite")
        self._loss += float(loss.sum())
        self._q += float(q.sum())
        self._count += len(loss)
        for is_above in (greatest > self.bound).tolist():
            self._streak = self._streak + 1 if is_above else 0
            if self._streak >= PATIENCE:
                excess = f"|Q| stayed above {self.bound:.3g} (scaled), ten times the returns seen"
                raise diverged(updates, f"{excess}, for {PATIENCE:,} updates")

    def means(self) -> dict[str, float]:
        """Mean loss and mean Q (scaled) of what was checked since the last call; empty where there was no update."""
        if not self._count:
            return {}
        means = {"loss": self._loss / self._count, "q_scaled": self._q / self._count}
        self._loss, self._q, self._count = 0.0, 0.0, 0
        return means

    def state_dict(self) -> dict[str, Any]:
        """Plain Python; what was not checked is not kept."""
        return {
            "bound": self.bound, "streak": self._streak, "loss": self._loss, "q": self._q, "count": self._count,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self.bound, self._streak = float(state["bound"]), int(state["streak"])
        self._loss, self._q, self._count = float(state["loss"]), float(state["q"]), int(state["count"])
