"""From the steps of many viewers at once to whole sessions, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.envs.recycled import Recycled
from livedqn.kernel import kernel
from livedqn.logs import NO_ACTION, Impressions
from livedqn.memcpy import copy
from livedqn.stage import Step
from livedqn.types import BoolArray, FloatArray, IntArray, Observation, Spec

#: Slots per viewer at first; they double when they do not suffice.
SLOTS = 32
#: Rows of finished visits that are handed on together.
TOGETHER = 1 << 15
#: Sessions and requests are numbered from (a number of the run) x 2**32.
RUN_BITS = 32


#: Answers impressions that were still to be put together.
Take = Callable[[], Impressions]


class Recorder:
    """Keeps what was seen and done of each viewer until their visit is over.

    Where visits follow one another without the episode's end, the first request of the next is the last observation of
    the one before it, too: what lies in between is its ``elapsed_s``.

    Args:
        spec: of what is seen.
        num_envs: B.
        run: a number below 2**31, of which sessions and requests take theirs: no two runs should share one.
        policy: which version acts.
    """

    def __init__(self, spec: Spec, num_envs: int, run: int, policy: str) -> None:
        self._spec, self._policy = spec, policy
        self._run = self._next_session = self._next_request = run << RUN_BITS
        self._every = np.arange(num_envs)
        self._clock = np.zeros(num_envs)  # seconds of each episode, where the environment tells no time
        self._store: dict[str, npt.NDArray[Any]] = {}  # name -> (slots, ...)
        self._bytes: dict[str, npt.NDArray[np.uint8]] = {}  # the same memory, flat
        self._previous = np.zeros(0, np.int64)  # slot of the request before, by slot; -1 = none
        self._free = np.zeros(0, np.int64)
        self._newest = np.full(num_envs, -1)  # slot of each viewer's newest request; -1 = none
        self._length = np.zeros(num_envs, np.int64)  # of each viewer's visit so far
        self._done: list[tuple[IntArray, IntArray]] = []  # finished visits: slots, and length of each
        self._taken: deque[IntArray] = deque()  # slots that are free again, and not yet among those that are
        self._answers, self._room = Recycled({}), 0  # memory for so many rows that are handed on

    def add(
        self, observation: Observation, ids: dict[str, IntArray], action: IntArray, propensity: FloatArray, step: Step
    ) -> None:
        """One step of every viewer."""
        came = *(step.signals[name] for name in self._spec.signals), propensity, step.signals["native"], step.elapsed_s
        results = np.empty((len(action), len(came)), np.float32)
        for column, values in zip(results.T, came, strict=True):
            column[:] = values
        self._put(self._every, self._seen(observation, ids) | {
            "action": action, "results": results, "terminated": step.terminated, "truncated": step.truncated,
        })  # fmt: skip
        self._clock += step.elapsed_s
        over = step.visit_over
        if over.any():
            self._end(over, over & ~step.terminated, step.observation, step.ids)
            self._clock[step.ended] = 0

    def cut(self, observation: Observation, ids: dict[str, IntArray]) -> None:
        """End every visit here, as truncated; ``observation`` is what came last."""
        rows = self._newest >= 0
        if rows.any():
            self._store["truncated"][self._newest[rows]] = True
            self._end(rows, rows, observation, ids)

    def finished(self, least: int = TOGETHER) -> Take | None:
        """The visits that are over, sorted by time, once they have ``least`` rows together.

        They are taken out of what is kept when it is called, once, in any thread: play may go on meanwhile.
        """
        if sum(len(slots) for slots, _ in self._done) < max(least, 1):
            return None
        slots, lengths = (np.concatenate(arrays) for arrays in zip(*self._done, strict=True))
        self._done = []
        take = partial(self._take, dict(self._store), slots, lengths, self._next_session, self._next_request)
        self._next_session += len(lengths)
        self._next_request += len(slots)
        return take

    def _take(
        self, store: dict[str, npt.NDArray[Any]], slots: IntArray, lengths: IntArray, session: int, request: int
    ) -> Impressions:
        """What ``store`` has in ``slots``, visits of ``lengths``; ``session`` and ``request`` name the first."""
        starts = np.cumsum(lengths) - lengths
        order = np.argsort(store["time_s"][slots[starts]], kind="stable")
        lengths = lengths[order]
        inside = np.arange(len(slots)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        slots = slots[np.repeat(starts[order], lengths) + inside]
        found: dict[str, Any] = {name: array[: len(slots)] for name, array in self._memory(store, len(slots)).items()}
        for name, array in store.items():
            array.take(slots, axis=0, out=found[name], mode="clip")  # with "raise" it would be copied twice
        self._taken.append(slots)
        requests = request + np.arange(len(slots))
        seen = ("context", "history", "candidates", "mask")
        *signals, propensity, native, elapsed_s = found.pop("results").T
        return Impressions(
            request=requests, session=session + np.repeat(np.arange(len(lengths)), lengths),
            policy=np.full(len(slots), self._policy), row=requests - self._run,
            observation={name: found.pop(name) for name in seen if name in found},
            signals=dict(zip(self._spec.signals, signals, strict=True)), propensity=propensity, native=native,
            elapsed_s=elapsed_s, **found,
        )  # fmt: skip

    def _memory(self, store: dict[str, npt.NDArray[Any]], rows: int) -> dict[str, npt.NDArray[Any]]:
        """Arrays like those of ``store`` of at least ``rows`` rows, again and again the same."""
        if rows > self._room:
            self._room = rows + rows // 8  # the next ones are hardly ever as many
            forms = {name: ((self._room, *array.shape[1:]), array.dtype) for name, array in store.items()}
            self._answers = Recycled(forms)
        return self._answers.lend().arrays

    def _end(self, rows: BoolArray, follows: BoolArray, observation: Observation, ids: dict[str, IntArray]) -> None:
        """The visits of ``rows`` are over; where something ``follows`` with their last observation, without action."""
        if follows.any():
            self._put_last(np.flatnonzero(follows), observation, ids)
        ended = np.flatnonzero(rows)
        lengths = self._length[ended]
        slots = np.empty(lengths.sum(), np.int64)
        _trace(self._newest[ended], self._previous, np.cumsum(lengths), slots)
        self._done.append((slots, lengths))
        self._newest[ended], self._length[ended] = -1, 0

    def _put_last(self, last: IntArray, observation: Observation, ids: dict[str, IntArray]) -> None:
        seen = {name: array[last] for name, array in self._seen(observation, ids).items()}
        results = np.full((len(last), self._store["results"].shape[1]), np.nan, np.float32)
        flags = dict.fromkeys(("terminated", "truncated"), np.zeros(len(last), np.bool_))
        self._put(last, seen | flags | {"action": np.full(len(last), NO_ACTION), "results": results})

    def _seen(self, observation: Observation, ids: dict[str, IntArray]) -> dict[str, npt.NDArray[Any]]:
        if "rooms" in ids:
            return {**observation, **ids}
        none = np.zeros(observation["mask"].shape, np.int64)
        made = {"viewer": self._every, "time_s": self._clock.astype(np.int64), "rooms": none, "streamers": none}
        return {**observation, **made, **ids}

    def _put(self, rows: IntArray, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """A slot more for each of ``rows``."""
        while self._taken:
            self._free = np.concatenate([self._free, self._taken.popleft()])
        while len(self._free) < len(rows):
            self._grow(arrays)
        left = len(self._free) - len(rows)
        self._free, slots = self._free[:left], self._free[left:]
        for name, array in self._store.items():
            _scatter(self._bytes[name], slots, _flat(np.ascontiguousarray(arrays[name], array.dtype)))
        self._previous[slots] = self._newest[rows]
        self._newest[rows] = slots
        self._length[rows] += 1

    def _grow(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        old = len(self._previous)
        more = old or SLOTS * len(self._newest)
        for name, array in arrays.items():
            new = np.empty((more, *array.shape[1:]), array.dtype)
            self._store[name] = np.concatenate([self._store[name], new]) if old else new
        self._bytes = {name: _flat(array) for name, array in self._store.items()}
        self._previous = np.concatenate([self._previous, np.empty(more, np.int64)])
        self._free = np.concatenate([self._free, np.arange(old, old + more)])


def _flat(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return array.reshape(-1).view(np.uint8)


@kernel
def _scatter(store: npt.NDArray[np.uint8], slots: IntArray, new: npt.NDArray[np.uint8]) -> None:
    """Put row i of ``new`` into slot ``slots[i]`` of ``store``, both flat bytes."""
    size = len(new) // max(len(slots), 1)
    for i in range(len(slots)):
        copy(store, slots[i] * size, new, i * size, size)


@kernel
def _trace(newest: IntArray, previous: IntArray, ends: IntArray, out: IntArray) -> None:
    """The slots of each visit, oldest first, from its ``newest``; visit i is written up to ``ends[i]``."""
    for visit in range(len(newest)):
        slot, at = newest[visit], ends[visit]
        while slot >= 0:
            at -= 1
            out[at] = slot
            slot = previous[slot]
