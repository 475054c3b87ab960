"""The same full replay in every library, through its public interface: 64 floats an observation, 4 actions.

Each function here fills a replay with ``capacity`` transitions and returns what can be timed, by the name of its
column, and the bytes that a transition takes in the library's own arrays, its priorities left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

FEATURES, ACTIONS, BATCH, MANY = 64, 4, 256, 32
COLUMNS = ("add 1", f"add {MANY}", "sample", "prioritised sample + update")
Timed = dict[str, Callable[[], Any]]


def transitions(count: int) -> dict[str, np.ndarray]:
    """Random transitions, (count, ...), with both observations."""
    rng = np.random.default_rng(0)
    return {
        "obs": rng.random((count, FEATURES), np.float32),
        "act": rng.integers(0, ACTIONS, count),
        "rew": rng.random(count, np.float32),
        "next_obs": rng.random((count, FEATURES), np.float32),
        "done": np.zeros(count, np.bool_),
    }


def fill(add: Callable[[dict[str, np.ndarray]], object], capacity: int, chunk: int) -> None:
    """Hand ``add`` as many transitions as fit, ``chunk`` at a time."""
    some = transitions(chunk)
    for _ in range(0, capacity, chunk):
        add(some)


def priorities() -> Callable[[], np.ndarray]:
    """Errors of a batch, new ones each time."""
    rng = np.random.default_rng(1)
    return lambda: rng.random(BATCH, np.float32)


def livedqn(capacity: int) -> tuple[Timed, float]:
    """One row for ``add 1``, 32 for ``add 32``; both observations of a sample."""
    from livedqn.replay.prioritised import Prioritised
    from livedqn.replay.uniform import Uniform
    from livedqn.types import Column, Spec

    columns = tuple(Column(f"feature_{i}") for i in range(FEATURES))
    spec = Spec(context=columns, context_shape=(FEATURES,), num_actions=ACTIONS)
    rng, errors = np.random.default_rng(2), priorities()

    def made(kind: Any, rows: int) -> tuple[Any, Callable[[], None]]:
        replay = kind(spec, rows, 1, capacity=capacity)
        some = transitions(rows)
        observation = {"context": some["obs"], "mask": np.ones((rows, ACTIONS), np.bool_)}
        propensity, discount = np.full(rows, 0.25, np.float32), np.full(rows, 0.99, np.float32)
        replay.begin(observation, np.ones(rows, np.bool_))

        def add() -> None:
            replay.add(some["act"], propensity, some["rew"], discount, observation)

        for _ in range(capacity // rows):
            add()
        return replay, add

    (one, add_one), (_, add_many), (prioritised, _) = made(Uniform, 1), made(Uniform, MANY), made(Prioritised, MANY)

    def sample_and_update() -> None:
        prioritised.update_priorities(prioritised.sample(BATCH, rng).slots, errors())

    timed = dict(zip(COLUMNS, (add_one, add_many, lambda: one.sample(BATCH, rng), sample_and_update), strict=True))
    return timed, one.bytes_per_transition


def numpy(capacity: int) -> tuple[Timed, float]:
    """No library: a packed record a transition, ``np.take`` into an array that is there, a row written in place."""
    width = 2 * FEATURES + 3
    stored, taken = np.zeros((capacity, width), np.float32), np.zeros((BATCH, width), np.float32)
    stored[:] = 1
    rng, at = np.random.default_rng(3), 0

    def add(count: int) -> Callable[[], None]:
        some = transitions(count)

        def write() -> None:
            nonlocal at
            at = at + count if at + 2 * count <= capacity else 0
            rows = stored[at : at + count]
            rows[:, :FEATURES], rows[:, FEATURES : 2 * FEATURES] = some["obs"], some["next_obs"]
            rows[:, -3], rows[:, -2], rows[:, -1] = some["act"], some["rew"], some["done"]

        return write

    def sample() -> np.ndarray:
        return np.take(stored, rng.integers(0, capacity, BATCH), axis=0, out=taken, mode="clip")

    return dict(zip(COLUMNS, (add(1), add(MANY), sample), strict=False)), width * 4


def stable_baselines3(capacity: int) -> tuple[Timed, float]:
    """``ReplayBuffer``, both observations; there is no prioritised one. ``add 32`` is for 32 environments."""
    import gymnasium
    from stable_baselines3.common.buffers import ReplayBuffer

    space = gymnasium.spaces.Box(-np.inf, np.inf, (FEATURES,)), gymnasium.spaces.Discrete(ACTIONS)

    def made(rows: int) -> tuple[ReplayBuffer, Callable[[], None]]:
        replay = ReplayBuffer(capacity, *space, device="cpu", n_envs=rows)
        some = transitions(rows)
        infos: list[dict[str, Any]] = [{}] * rows

        def add() -> None:
            replay.add(some["obs"], some["next_obs"], some["act"], some["rew"], some["done"], infos)

        for _ in range(capacity // rows):
            add()
        return replay, add

    (one, add_one), (_, add_many) = made(1), made(MANY)
    arrays = one.observations, one.next_observations, one.actions, one.rewards, one.dones, one.timeouts
    timed = dict(zip(COLUMNS, (add_one, add_many, lambda: one.sample(BATCH)), strict=False))
    return timed, sum(array.nbytes for array in arrays) / capacity


def _add_to(replay: Any, some: dict[str, np.ndarray]) -> None:
    replay.add(**some)


def cpprb(capacity: int) -> tuple[Timed, float]:
    """``ReplayBuffer`` and ``PrioritizedReplayBuffer``, both observations."""
    from cpprb import PrioritizedReplayBuffer, ReplayBuffer

    fields: dict[str, dict[str, Any]] = {
        "obs": {"shape": FEATURES}, "act": {"dtype": np.int64}, "rew": {}, "next_obs": {"shape": FEATURES},
        "done": {"dtype": np.bool_},
    }  # fmt: skip
    uniform, prioritised = ReplayBuffer(capacity, fields), PrioritizedReplayBuffer(capacity, fields, alpha=0.6)
    for replay in (uniform, prioritised):
        fill(partial(_add_to, replay), capacity, 1_000)
    one, many, errors = {k: v[0] for k, v in transitions(1).items()}, transitions(MANY), priorities()

    def sample_and_update() -> None:
        prioritised.update_priorities(prioritised.sample(BATCH, beta=0.6)["indexes"], errors())

    calls = (lambda: uniform.add(**one), lambda: uniform.add(**many), lambda: uniform.sample(BATCH), sample_and_update)
    stored = uniform.sample(1).values()
    return dict(zip(COLUMNS, calls, strict=True)), sum(array.nbytes for array in stored)


def tianshou(capacity: int) -> tuple[Timed, float]:
    """``ReplayBuffer``, ``PrioritizedReplayBuffer`` and, for 32 at once, ``VectorReplayBuffer``."""
    from tianshou.data import Batch, PrioritizedReplayBuffer, ReplayBuffer, VectorReplayBuffer

    def named(some: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        done = dict.fromkeys(("terminated", "truncated", "done"), some["done"])
        return {"obs": some["obs"], "act": some["act"], "rew": some["rew"], "obs_next": some["next_obs"], **done}

    uniform, errors = ReplayBuffer.from_data(**named(transitions(capacity))), priorities()
    prioritised = PrioritizedReplayBuffer(capacity, alpha=0.6, beta=0.6)
    prioritised.update(uniform)
    one, many = (Batch(info=Batch(), **named(transitions(count))) for count in (1, MANY))
    vector = VectorReplayBuffer(capacity, MANY)
    fill(lambda _: vector.add(many), capacity, MANY)

    def sample_and_update() -> None:
        prioritised.update_weight(prioritised.sample(BATCH)[1], errors())

    calls = (lambda: uniform.add(one[0]), lambda: vector.add(many), lambda: uniform.sample(BATCH), sample_and_update)
    return dict(zip(COLUMNS, calls, strict=True)), sum(array.nbytes for array in named(transitions(1)).values())


def torchrl(capacity: int) -> tuple[Timed, float]:
    """``TensorDictReplayBuffer`` on a ``LazyTensorStorage``, both observations."""
    import torch
    from tensordict import TensorDict
    from torchrl.data import LazyTensorStorage, PrioritizedSampler, TensorDictReplayBuffer

    def tensors(count: int) -> TensorDict:
        return TensorDict({k: torch.from_numpy(v) for k, v in transitions(count).items()}, batch_size=[count])

    def made(**sampler: PrioritizedSampler) -> TensorDictReplayBuffer:
        replay = TensorDictReplayBuffer(storage=LazyTensorStorage(capacity), batch_size=BATCH, **sampler)
        fill(lambda _: replay.extend(chunk), capacity, 10_000)
        return replay

    chunk, one, many, errors = tensors(10_000), tensors(1)[0], tensors(MANY), priorities()
    uniform = made()
    calls: list[Callable[[], Any]] = [lambda: uniform.add(one), lambda: uniform.extend(many), uniform.sample]
    held = sum(value.element_size() * value[0].numel() for value in chunk.values())
    try:
        prioritised = made(sampler=PrioritizedSampler(capacity, alpha=0.6, beta=0.6))
    except RuntimeError as error:  # its sum tree is an extension that not every release of torch can load
        print(f"torchrl without priorities: {error}")
    else:
        calls.append(lambda: prioritised.update_priority(prioritised.sample()["index"], torch.from_numpy(errors())))
    return dict(zip(COLUMNS, calls, strict=False)), held


LIBRARIES: dict[str, Callable[[int], tuple[Timed, float]]] = {
    "livedqn": livedqn, "numpy": numpy, "stable-baselines3": stable_baselines3, "cpprb": cpprb, "tianshou": tianshou,
    "torchrl": torchrl,
}  # fmt: skip
