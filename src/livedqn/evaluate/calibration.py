"""Does the network know what is coming? Predicted values against the discounted returns that followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from livedqn.evaluate.play import Episodes
from livedqn.types import FloatArray


@dataclass(frozen=True)
class Calibration:
    """One pair for every step of every recorded episode."""

    predicted: FloatArray  # (N,) value of the chosen action when it was chosen
    realised: FloatArray  # (N,) discounted return from there on

    @property
    def bias(self) -> float:
        """Mean of predicted - realised: above 0 the network hopes for too much."""
        return float((self.predicted - self.realised).mean(dtype=np.float64))


def calibration(worlds: Sequence[Episodes], discount_of: Callable[[FloatArray], FloatArray]) -> Calibration:
    """Of a policy that predicts; ``discount_of`` turns seconds (N,) into discounts (N,)."""
    predicted = np.concatenate([played.steps["value"] for played in worlds])
    realised = np.concatenate([discounted_returns(p, discount_of(p.steps["elapsed_s"])) for p in worlds])
    return Calibration(predicted, realised)


def discounted_returns(played: Episodes, discount: FloatArray) -> FloatArray:
    """G_t = r_t + discount_t G_{t+1} at every step, (N,) float64.

    What follows the last step of an episode is 0 where it terminated, and the value predicted there (``tail``) where
    it was truncated: the rest was cut off, not worthless.
    """
    shape = (played.count, int(played.request.max()) + 1)
    where = (played.episode, played.request)
    reward, factor, exists = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.bool_)
    reward[where], factor[where], exists[where] = played.steps["reward"], discount, True
    returns = np.zeros(shape)
    following = played.tail.astype(np.float64)
    for t in reversed(range(shape[1])):
        following = np.where(exists[:, t], reward[:, t] + factor[:, t] * following, following)
        returns[:, t] = following
    return np.asarray(returns[where])
