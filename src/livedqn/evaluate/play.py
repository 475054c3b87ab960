"""Play whole episodes of one world, and write down what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from livedqn.protocols import Policy
from livedqn.stage import Stage, Step
from livedqn.types import ROLES, BoolArray, FloatArray, IntArray, LivedqnError, Observation, Spec

#: Requests after which an episode is taken for one that does not end.
LONGEST = 100_000


@runtime_checkable
class Predicts(Protocol):
    """A policy that says what it expects; it has the attribute from the beginning."""

    value: FloatArray  # (B,) discounted return expected of the actions it has just chosen


@dataclass(frozen=True)
class Episodes:
    """What a policy did in one world: N steps of E episodes, every one of them played to its end.

    Steps of one episode stand in order of time; episodes may be interleaved.
    """

    episode: IntArray  # (N,) which episode, in [0, E)
    request: IntArray  # (N,) which request of its episode, from 0
    action: IntArray  # (N,)
    steps: dict[str, FloatArray]  # (N,) each: reward, every signal, and value where the policy predicts one
    shown: dict[str, FloatArray]  # role -> (N,) that column of the room that was chosen, NaN for nothing
    viewers: dict[str, FloatArray]  # role -> (E,) that column of the context at the episode's first request
    offered: dict[str, FloatArray]  # role -> (M,) that column of all rooms on offer at the world's first requests
    comes_back: bool  # whether an episode may have several visits
    truncated: BoolArray  # (E,) cut from outside, so that more would have followed
    visit_over: BoolArray  # (N,) the last request of a visit
    tail: FloatArray  # (E,) value of the last observation where truncated and predicted, else 0

    @property
    def count(self) -> int:
        """E."""
        return len(self.truncated)

    @property
    def request_of_visit(self) -> IntArray:
        """(N,) which request of its visit, from 0."""
        order = np.lexsort((self.request, self.episode))
        place = np.arange(len(order))
        begins = np.append(True, self.visit_over[order][:-1])
        found = np.empty_like(place)
        found[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
        return found

    def per_episode(self, values: npt.NDArray[Any]) -> FloatArray:
        """Sums over each episode, (E,) float64, of ``values`` (N,)."""
        return np.bincount(self.episode, weights=values, minlength=self.count).astype(np.float64)


def play(
    policy: Policy, stage: Stage, *, seed: int, split: str, episodes: int, distinct: int | None = None
) -> Episodes:  # fmt: skip
    """Play ``episodes`` episodes of the world of ``seed``.

    Every row plays a quota that is fixed beforehand, all of it to the end: collecting the first that finish would
    favour short ones. A row that is done plays on, unrecorded, until all are. ``distinct``: see :meth:`Stage.reset`.

    Raises:
        LivedqnError: an episode does not end within :data:`LONGEST` requests.
    """
    rows = np.arange(stage.num_envs)
    quota = episodes // stage.num_envs + (rows < episodes % stage.num_envs)
    notes = _Notes(stage.spec, episodes, first=np.cumsum(quota) - quota)
    observation = stage.reset(seed, split, distinct)
    notes.offer(observation)
    notes.begin(observation, rows[quota > 0])
    policy.reset(np.ones(stage.num_envs, np.bool_))
    predicts = policy if isinstance(policy, Predicts) else None
    rounds = 0
    while (active := notes.played < quota).any():
        rounds += 1
        actions = policy(observation)
        value = None if predicts is None else predicts.value
        step = stage.step(actions)
        notes.add(observation, actions, step, value, rows[active])
        if rounds % LONGEST == 0 and notes.longest(rows[active & ~step.ended]) >= LONGEST:
            raise LivedqnError(
                f"an episode has not ended within {LONGEST:,} requests, and nobody can be judged by one that "
                "never does; truncate them (env=gym: env.kwargs.max_episode_steps=…)"
            )
        ended = step.ended
        if predicts is not None and (cut := step.truncated & ~step.terminated & active).any():
            policy(step.observation)
            notes.cut(rows[cut], predicts.value)
        notes.played += ended & active
        observation = step.observation
        if step.visit_over.any():
            policy.reset(step.visit_over)
        if ended.any():
            observation = stage.restart(ended)
            notes.begin(observation, rows[ended & (notes.played < quota)])
    return notes.episodes()


class _Notes:
    """Collects the steps of the rows that still have to play."""

    def __init__(self, spec: Spec, episodes: int, first: IntArray) -> None:
        self.played = np.zeros_like(first)  # episodes that each row has finished, (B,)
        self._first = first  # the number of each row's first episode, (B,)
        self._request = np.zeros_like(first)
        self._context = _columns(spec, "context")
        self._candidates = _columns(spec, "candidates")
        self._lists: dict[str, list[npt.NDArray[Any]]] = {}
        self._shown: dict[str, list[FloatArray]] = {role: [] for role in self._candidates}
        self._viewers = {role: np.zeros(episodes, np.float32) for role in self._context}
        self._offered: dict[str, FloatArray] = {}
        self._comes_back = spec.episode == "viewer"
        self._truncated = np.zeros(episodes, np.bool_)
        self._tail = np.zeros(episodes, np.float32)

    def longest(self, rows: IntArray) -> int:
        """Requests of the longest episode that ``rows`` are in."""
        return int(self._request[rows].max(initial=0))

    def offer(self, observation: Observation) -> None:
        for role, column in self._candidates.items():
            rooms = observation["candidates"][:, 1:, column]
            self._offered[role] = rooms[observation["mask"][:, 1:]]

    def begin(self, observation: Observation, rows: IntArray) -> None:
        self._request[rows] = 0
        for role, column in self._context.items():
            self._viewers[role][self._number(rows)] = observation["context"][rows, column]

    def add(
        self, observation: Observation, actions: IntArray, step: Step, value: FloatArray | None, rows: IntArray
    ) -> None:  # fmt: skip
        arrays: dict[str, npt.NDArray[Any]] = {"episode": self._number(rows), "request": self._request[rows]}
        arrays |= {"action": actions[rows], "reward": step.reward[rows], "visit_over": step.visit_over[rows]}
        arrays |= {name: signal[rows] for name, signal in step.signals.items()}
        if value is not None:
            arrays["value"] = value[rows]
        for name, array in arrays.items():
            self._lists.setdefault(name, []).append(array)
        for role, column in self._candidates.items():
            chosen = observation["candidates"][rows, actions[rows], column].astype(np.float32)
            self._shown[role].append(np.where(actions[rows] > 0, chosen, np.float32(np.nan)))
        ended = rows[step.ended[rows]]
        self._truncated[self._number(ended)] = ~step.terminated[ended]
        self._request[rows] += 1

    def cut(self, rows: IntArray, value: FloatArray) -> None:
        self._tail[self._number(rows)] = value[rows]

    def episodes(self) -> Episodes:
        arrays: dict[str, npt.NDArray[Any]] = {name: np.concatenate(list_) for name, list_ in self._lists.items()}
        return Episodes(
            episode=arrays.pop("episode"), request=arrays.pop("request"), action=arrays.pop("action"),
            visit_over=arrays.pop("visit_over"), steps=arrays,
            shown={role: np.concatenate(list_) for role, list_ in self._shown.items()},
            viewers=self._viewers, offered=self._offered, comes_back=self._comes_back,
            truncated=self._truncated, tail=self._tail,
        )  # fmt: skip

    def _number(self, rows: IntArray) -> IntArray:
        return np.asarray(self._first[rows] + self.played[rows])


def _columns(spec: Spec, array: str) -> dict[str, int]:
    """role -> column, for the roles that this environment has."""
    found = {role: spec.column(array, role) for role in ROLES[array]}
    return {role: column for role, column in found.items() if column is not None}
