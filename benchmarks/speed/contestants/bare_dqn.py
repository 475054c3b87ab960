"""DQN in one loop, without any framework; the variant says how it learns (:mod:`contestants.bare_updates`)."""

from __future__ import annotations

import gymnasium
import numpy as np

from benchmarks.speed import contest, work
from benchmarks.speed.contestants.bare_updates import LEARNERS, Batch, Learner


class Replay:
    """A ring of arrays; a sample is gathered into a batch that stays where it is."""

    def __init__(self, batch: Batch, rng: np.random.Generator) -> None:
        self._batch, self._rng = batch, rng
        self._arrays = [np.zeros((work.CAPACITY, *array.shape[1:]), array.dtype) for array in batch.arrays]
        self._size = self._next = 0

    def add(self, *transition: object) -> None:
        """One transition, in the order of ``Batch.arrays``."""
        for array, value in zip(self._arrays, transition, strict=True):
            array[self._next] = value
        self._next = (self._next + 1) % work.CAPACITY
        self._size = min(self._size + 1, work.CAPACITY)

    def sample(self) -> None:
        """Fill the batch."""
        drawn = self._rng.integers(0, self._size, work.BATCH_SIZE)
        for array, out in zip(self._arrays, self._batch.arrays, strict=True):
            np.take(array, drawn, axis=0, out=out, mode="clip")  # clip: the check of "raise" would copy


def loop(told: contest.Told, learner: Learner) -> int:
    """Act, step, update, in this order; the number of updates."""
    workload, rng = told.workload, np.random.default_rng(told.seed)
    num_envs = workload.num_envs
    envs = [gymnasium.make(contest.ENV_ID) for _ in range(num_envs)]
    replay = Replay(learner.batch, rng)
    observation = np.stack([env.reset(seed=told.seed * 1_000 + i)[0] for i, env in enumerate(envs)])
    draws = rng.random(workload.steps)
    uniform = rng.integers(0, work.ACTIONS, workload.steps)
    updates = 0
    for step in range(0, workload.steps, num_envs):
        epsilon = 1.0 if step < work.WARMUP_STEPS else workload.epsilon(step)
        explores = draws[step : step + num_envs] < epsilon
        actions = uniform[step : step + num_envs]
        if not explores.all():
            actions = np.where(explores, actions, learner.act(observation))
        for i, env in enumerate(envs):
            following, reward, terminated, truncated, _ = env.step(actions[i])
            replay.add(observation[i], actions[i], reward, following, terminated)
            observation[i] = env.reset()[0] if terminated or truncated else following
        done = step + num_envs
        while updates < (done - work.WARMUP_STEPS) // workload.steps_per_update:
            replay.sample()
            learner.update()
            updates += 1
        if done >= work.WARMUP_STEPS and done % work.SYNC_STEPS == 0:
            learner.sync()
    return updates


def train(told: contest.Told) -> contest.Trained:
    """Train."""
    learner = LEARNERS[told.variant](Batch())
    with contest.Meter() as meter:
        updates = loop(told, learner)
    return contest.Trained(meter, updates, lambda x: learner.act(x[None])[0])


if __name__ == "__main__":
    contest.run(train, contest.arguments(list(LEARNERS)))
