"""Impressions in memory: what every reader answers and every writer takes, NumPy, whole sessions one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.types import BoolArray, FloatArray, IntArray, Observation

#: The action of a row that holds a last observation alone.
NO_ACTION = -1


@dataclass(frozen=True)
class Impressions:
    """N rows: of whole sessions, each in order of time.

    A row is a request with what was shown and what came of it, or, at the end of a session that did not terminate,
    its last observation alone: there ``action`` is ``NO_ACTION`` and propensity, signals, native and elapsed_s are NaN.
    Behind the candidates that a request had, up to K of the longest, ``mask`` is False and all else 0.
    """

    request: IntArray  # (N,) int64, a name for each row
    session: IntArray  # (N,) int64, a name for each visit
    viewer: IntArray  # (N,) int64
    time_s: IntArray  # (N,) int64, seconds since 1970-01-01 UTC
    observation: Observation  # context (N, C), mask (N, K); with rooms history (N, T, H), candidates (N, K, F)
    rooms: IntArray  # (N, K) int64, 0 for none
    streamers: IntArray  # (N, K) int64, 0 for none
    action: IntArray  # (N,) int64, the row of the candidates that was chosen
    propensity: FloatArray  # (N,) float32, with which it was chosen; NaN where nobody noted it
    policy: npt.NDArray[np.str_]  # (N,), which version chose it
    signals: dict[str, FloatArray]  # (N,) float32, attributed to this impression whenever they came
    native: FloatArray  # (N,) float32, the environment's own reward
    terminated: BoolArray  # (N,), nothing follows
    truncated: BoolArray  # (N,), cut from outside: more would have followed
    elapsed_s: FloatArray  # (N,) float32, seconds to the viewer's next request
    row: IntArray  # (N,) int64, where the row stands in ``source``
    source: str = ""  # the file that it was read from
    defect: npt.NDArray[np.str_] | None = None  # (N,), what a reader could not make sense of; "" where it could

    def __len__(self) -> int:
        return len(self.request)

    @property
    def acted(self) -> BoolArray:
        """(N,), the rows that are more than a last observation."""
        acted: BoolArray = self.action != NO_ACTION
        return acted

    @property
    def sizes(self) -> IntArray:
        """(N,), how many candidates each row has, those that were masked included as far as they have an id."""
        is_one = self.observation["mask"] | (self.rooms != 0)
        is_one[:, 0] = True  # row 0 is always there
        return np.asarray(is_one.shape[1] - is_one[:, ::-1].argmax(axis=1))

    @property
    def begins(self) -> BoolArray:
        """(N,), the first row of each session."""
        first = np.ones(min(len(self), 1), np.bool_)
        begins: BoolArray = np.concatenate([first, self.session[1:] != self.session[:-1]])
        return begins

    @property
    def session_s(self) -> IntArray:
        """(N,) int64, when the session of each row began, seconds since 1970-01-01 UTC."""
        begins = self.begins
        return np.asarray(self.time_s[begins][np.cumsum(begins) - 1])

    @property
    def successor(self) -> IntArray:
        """(N,) int64, the row that holds the next observation; -1 behind a terminated one, and where it is missing.

        A row with an action that did not terminate and has none cannot be bootstrapped from.
        """
        goes_on = np.concatenate([~self.begins[1:], np.zeros(min(len(self), 1), np.bool_)])
        return np.where(goes_on & self.acted & ~self.terminated, np.arange(1, len(self) + 1), -1)

    def take(self, rows: IntArray | BoolArray | slice) -> Impressions:
        """These rows."""
        return _of([self], lambda arrays: arrays[0][rows], self.source)


def join(parts: Sequence[Impressions]) -> Impressions:
    """All rows of ``parts``, which show the same columns and the same signals."""
    if len(parts) == 1:
        return parts[0]
    width = max(part.rooms.shape[1] for part in parts)
    return _of([_wider(part, width) for part in parts], np.concatenate, parts[0].source)


def _of(parts: Sequence[Impressions], make: Any, source: str) -> Impressions:
    made: dict[str, Any] = {}
    for field in fields(Impressions):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], dict):
            made[field.name] = {name: make([value[name] for value in values]) for name in values[0]}
        elif field.name == "defect":
            if not all(value is None for value in values):
                blank = (np.full(len(part), "") for part in parts)
                made["defect"] = make([b if v is None else v for v, b in zip(values, blank, strict=True)])
        elif field.name != "source":
            made[field.name] = make(values)
    return Impressions(**made, source=source)


def _wider(part: Impressions, width: int) -> Impressions:
    missing = width - part.rooms.shape[1]
    if not missing:
        return part

    def padded(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.pad(array, [(0, 0), (0, missing), *[(0, 0)] * (array.ndim - 2)])

    ragged = {name: padded(array) for name, array in part.observation.items() if name in ("mask", "candidates")}
    return replace(
        part, observation=part.observation | ragged, rooms=padded(part.rooms), streamers=padded(part.streamers)
    )  # fmt: skip
