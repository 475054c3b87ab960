"""Notices divergence without asking the device after every update."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from livedqn.types import LivedqnError

#: |Q| this many times above the greatest return that was seen is not a value any more.
FACTOR = 10.0
#: In so many updates without a break.
PATIENCE = 1_000


class DivergenceError(LivedqnError):
    """Learning has left the realm of numbers; the last good policy is policy.ckpt."""


def diverged(updates: int, why: str) -> DivergenceError:
    """The error that says so."""
    return DivergenceError(
        f"training diverged by update {updates:,}: {why}; policy.ckpt keeps the best policy so far: "
        "try a smaller agent.learning_rate or a larger agent.sync_every"
    )


class Watchdog:
    """Watches losses and values on their device; :meth:`check` reads the verdict once in a while.

    A run has diverged when a loss is not finite, or when the greatest \\|Q\\| of a batch lies above ten times the
    99.9 % quantile of the observed discounted returns (at least 1 scaled reward) in 1,000 updates without a break.
    """

    def __init__(self) -> None:
        self.bound = FACTOR
        self._loss = self._q = self._streak = self._longest = torch.zeros(())
        self._finite = torch.ones((), dtype=torch.bool)
        self._count = 0

    def expect(self, quantile: float) -> None:
        """The 99.9 % quantile of the observed discounted returns, in scaled rewards."""
        self.bound = FACTOR * max(quantile, 1.0)

    def watch(self, loss: Tensor, q: Tensor, total: Tensor) -> None:
        """One update: the online network's loss (), values (E, N) of the batch's actions, and all networks' loss ()."""
        if self._loss.device != loss.device:
            for name in ("_loss", "_q", "_streak", "_longest", "_finite"):
                setattr(self, name, getattr(self, name).to(loss.device))
        self._count += 1
        self._finite = self._finite & torch.isfinite(total)
        self._streak = torch.where(q.abs().amax() > self.bound, self._streak + 1, torch.zeros_like(self._streak))
        self._longest = torch.maximum(self._longest, self._streak)
        self._loss = self._loss + loss
        self._q = self._q + q.mean()

    def check(self, updates: int) -> None:
        """Raise DivergenceError if it is time."""
        if not bool(self._finite):
            raise diverged(updates, "the loss is not finite")
        if float(self._longest) >= PATIENCE:
            excess = f"|Q| stayed above {self.bound:.3g} (scaled), ten times the returns seen"
            raise diverged(updates, f"{excess}, for {PATIENCE:,} updates")

    def means(self) -> dict[str, float]:
        """Mean loss and mean Q (scaled) since the last call; empty where there was no update."""
        if not self._count:
            return {}
        means = {"loss": float(self._loss) / self._count, "q_scaled": float(self._q) / self._count}
        self._loss, self._q, self._count = torch.zeros_like(self._loss), torch.zeros_like(self._q), 0
        return means

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python."""
        tensors = {name: getattr(self, name).clone() for name in ("_loss", "_q", "_streak", "_longest", "_finite")}
        return {**tensors, "bound": self.bound, "_count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        for name in ("_loss", "_q", "_streak", "_longest", "_finite"):
            setattr(self, name, state[name])
        self.bound, self._count = float(state["bound"]), int(state["_count"])
