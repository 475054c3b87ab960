"""What a reward is told, and what it owes: the same on a stage and in logs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from livedqn.kernel import kernel
from livedqn.protocols import Reward
from livedqn.types import FloatArray, IntArray, LivedqnError, Spec


def all_signals(
    signals: Mapping[str, FloatArray], actions: IntArray, elapsed_s: FloatArray, native: FloatArray, *, has_rooms: bool
) -> dict[str, FloatArray]:
    """``signals`` and what the platform adds, (N,) float32 each: shown (with rooms), elapsed_s, native."""
    # a game has no *nothing*, so "shown" would mean no more than "the action is not the first"
    shown = {"shown": (actions > 0).astype(np.float32)} if has_rooms else {}
    return {**signals, **shown, "elapsed_s": elapsed_s, "native": native}


def require_signals(reward: Reward, spec: Spec, who: str) -> None:
    """Raise LivedqnError if ``reward`` reads what ``who``, of ``spec``, does not deliver."""
    available = (*spec.signals, *(("shown",) if spec.has_rooms else ()), "elapsed_s", "native")
    missing = [name for name in reward.signals if name not in available]
    if missing:
        raise LivedqnError(
            f"reward {type(reward).__name__} reads {', '.join(missing)}, which {who} does not deliver; "
            f"it delivers {', '.join(available)}"
        )


def require_native(reward: Reward, is_logged: bool) -> None:
    """Raise LivedqnError if ``reward`` reads the platform's own, unless it ``is_logged`` somewhere in what counts."""
    if "native" in reward.signals and not is_logged:
        raise LivedqnError(
            f"reward {type(reward).__name__} reads native, which is 0 in all of the logs; choose one that reads "
            "signals, reward=watchtime say"
        )


def scored(reward: Reward, signals: Mapping[str, FloatArray], count: int) -> FloatArray:
    """The reward of ``count`` rows, (N,) float32, from :func:`all_signals`.

    Raises:
        LivedqnError: it is of another shape, or not finite.
    """
    answered = np.asarray(reward(signals), np.float32)
    if answered.shape != (count,) or not _all_finite(answered):
        raise LivedqnError(
            f"reward {type(reward).__name__} answered shape {answered.shape}"
            f"{'' if np.isfinite(answered).all() else ' with values that are not finite'}; "
            f"it owes finite values of shape ({count},)"
        )
    return answered


@kernel
def _all_finite(values: FloatArray) -> bool:
    for value in values:  # noqa: SIM110 (Numba takes a loop, and no generator)
        if not np.isfinite(value):
            return False
    return True
