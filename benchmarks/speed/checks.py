"""What the regression check compares: each a ratio within one process, or a count; the smaller, the better.

Absolute times are nobody's business here: a machine that is busy or another one changes them, and hardly the ratio of
two things that ran in turn.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import gymnasium
import numpy as np
import torch

from benchmarks.processes import environment
from benchmarks.speed import parts_of_livedqn as parts
from benchmarks.speed import work
from benchmarks.speed.contestants.bare_updates import LEARNERS, Batch
from benchmarks.speed.interleave import Work, interleaved

STEPS = 8  # environment steps of every environment in one call


def ratio(ours: Work, yardstick: Work, seconds: float = 0.02, rounds: int = 80) -> float:
    """CPU time of ``ours`` in that of ``yardstick``, each in its fastest turn: what disturbs only adds."""
    spent = interleaved({"ours": ours, "yardstick": yardstick}, rounds, seconds)
    return min(spent["ours"]) / min(spent["yardstick"])


def update(compile: str, learner: str) -> float:
    """livedqn's update of one batch / the same by hand."""
    agent, experience = parts.cartpole(compile=compile)
    sample, batch = experience.sample(agent.batch_size), Batch()
    batch.observation[...] = np.random.default_rng(0).normal(size=batch.observation.shape)
    batch.following[...] = batch.observation
    return ratio(lambda: agent.update(sample), LEARNERS[learner](batch).update)


def collect(num_envs: int) -> float:
    """Steps of training between two updates (act, step, remember) / the bare environments' steps."""
    agent, experience = parts.cartpole(num_envs, steps_per_update=1_000_000)
    envs = [gymnasium.make("CartPole-v1") for _ in range(num_envs)]
    for env in envs:
        env.reset(seed=0)

    def bare() -> None:
        for step in range(STEPS):
            for env in envs:
                _, _, terminated, truncated, _ = env.step(step % 2)
                if terminated or truncated:
                    env.reset()

    return ratio(lambda: agent.training_step(experience.steps + STEPS * num_envs, 0), bare)


def sample() -> float:
    """A batch from the replay / the same bytes gathered by ``np.take``."""
    agent, experience = parts.cartpole()
    rng, batch = np.random.default_rng(0), Batch()
    stored = [np.zeros((work.CAPACITY, *array.shape[1:]), array.dtype) for array in batch.arrays]

    def gather() -> None:
        drawn = rng.integers(0, work.CAPACITY, work.BATCH_SIZE)
        for array, out in zip(stored, batch.arrays, strict=True):
            np.take(array, drawn, axis=0, out=out, mode="clip")

    return ratio(lambda: experience.sample(agent.batch_size), gather)


def simulator() -> float:
    """A step of 256 simulated viewers / random numbers, a gather and scores of such a step's size in NumPy."""
    rng = np.random.default_rng(0)
    tastes, rooms = rng.random((256, 16), np.float32), rng.random((300, 16), np.float32)

    def numpy_work() -> None:
        shown = rooms[rng.integers(0, 300, (256, 20))]
        scores = np.exp(np.matmul(shown, tastes[:, :, None]))
        scores.cumsum(axis=1)

    return ratio(parts.simulator(), numpy_work)


def modules(*words: str) -> float:
    """How many modules Python imports for a command; each costs everybody's start."""
    command = [sys.executable, "-X", "importtime", *words]
    done = subprocess.run(command, env=environment(), text=True, capture_output=True, check=True)
    return float(sum(line.startswith("import time:") for line in done.stderr.splitlines()) - 1)


#: Name -> how it is measured, and how many times the reference it may be.
CHECKS: dict[str, tuple[Callable[[], float], float]] = {
    "update": (lambda: update("false", "eager"), 1.25),
    "update_compiled": (lambda: update("true", "compile"), 1.25),
    "collect_1": (lambda: collect(1), 1.25),
    "collect_10": (lambda: collect(10), 1.25),
    "sample": (sample, 1.3),
    "simulator": (simulator, 1.3),
    "modules_of_help": (lambda: modules("-m", "livedqn", "--help"), 1.05),
    "modules_of_training": (lambda: modules("-c", "import livedqn.training"), 1.05),
}
torch.set_num_threads(1)
