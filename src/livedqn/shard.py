"""A part of the logs that is in memory: transitions in rows of arrays, and where each session begins."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.logs import Impressions
from livedqn.protocols import Reward
from livedqn.scoring import all_signals, scored
from livedqn.types import FloatArray, IntArray, Observation, Spec

#: In front of the name of an array of the observation, and of a signal.
SEEN, SIGNAL = "observation.", "signals."


class Shard(NamedTuple):
    """Sessions, one after another. An impression without a successor is none of the transitions, yet it is the last
    observation of the one before it."""

    #: Name -> (N, ...): action, propensity, reward, elapsed_s, terminated, truncated, and last (of its session's
    #: transitions); what was observed and the signals by their names behind SEEN and SIGNAL.
    arrays: dict[str, npt.NDArray[Any]]
    #: (S, 2): the first row of each session, and the one behind its last, that of the last observation included.
    sessions: IntArray

    @classmethod
    def of(cls, impressions: Impressions, spec: Spec, reward: Reward) -> Shard:
        """What can be learned from ``impressions``: whole sessions without a fault; ``reward`` says what it is worth.

        Raises:
            LivedqnError: the reward owes other values.
        """
        acted = impressions.acted
        transition = acted & (impressions.terminated | (impressions.successor >= 0))
        next_too = np.concatenate([transition[1:] & ~impressions.begins[1:], [False]])
        rewards = np.zeros(len(acted), np.float32)
        signals = all_signals(
            impressions.signals, impressions.action, impressions.elapsed_s, impressions.native, has_rooms=spec.has_rooms
        )  # NaN in rows that are no transitions
        known = {name: values[acted] for name, values in signals.items()}
        rewards[acted] = scored(reward, known, int(acted.sum()))
        arrays = {SEEN + name: array for name, array in _padded(impressions.observation, spec.num_actions).items()}
        arrays |= {SIGNAL + name: values for name, values in signals.items()}
        arrays |= {
            "action": impressions.action, "propensity": impressions.propensity, "reward": rewards,
            "elapsed_s": impressions.elapsed_s, "terminated": impressions.terminated,
            "truncated": impressions.truncated, "last": transition & ~next_too,
        }  # fmt: skip
        starts = np.flatnonzero(impressions.begins)
        ends = np.append(starts[1:], len(acted))
        return cls(arrays, np.stack([starts, ends], axis=1)[transition[starts]])

    def rows(self, rows: IntArray) -> dict[str, npt.NDArray[Any]]:
        """All that is known of ``rows`` (M,) but what was observed, (M,) each."""
        return {name: array[rows] for name, array in self.arrays.items() if not name.startswith(SEEN)}

    def observation(self, rows: IntArray) -> Observation:
        """What was observed, (M, ...)."""
        seen = {name: array for name, array in self.arrays.items() if name.startswith(SEEN)}
        return {name.removeprefix(SEEN): array.take(rows, axis=0) for name, array in seen.items()}

    def after(self, kept: IntArray, other: Shard) -> Shard:
        """The rows ``kept`` of ``other``, and behind them this shard."""
        arrays = {name: np.concatenate([other.arrays[name][kept], array]) for name, array in self.arrays.items()}
        return Shard(arrays, self.sessions + len(kept))


def _padded(observation: Observation, width: int) -> Observation:
    """With ``width`` candidates, of which those that are not there are masked zeros."""

    def padded(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        here = array[:, :width]
        return np.pad(here, [(0, 0), (0, width - here.shape[1]), *[(0, 0)] * (array.ndim - 2)])

    ragged = {name: padded(array) for name, array in observation.items() if name in ("mask", "candidates")}
    return {**observation, **ragged}


def signals_of(rows: dict[str, npt.NDArray[Any]]) -> dict[str, FloatArray]:
    """The signals among what :meth:`Shard.rows` answers."""
    return {name.removeprefix(SIGNAL): values for name, values in rows.items() if name.startswith(SIGNAL)}
