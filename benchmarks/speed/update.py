"""The update alone, on one CartPole batch: livedqn's against the same mathematics without a framework.

python -m benchmarks.speed.update --rounds 15

All run in one process in turn. livedqn's lines: ``update`` is what it does to a batch, ``sample + update`` draws the
batch from its replay first, as training does.
"""

from __future__ import annotations

import os

from benchmarks.processes import ONE_THREAD
from benchmarks.speed import options

os.environ.update(ONE_THREAD)  # before NumPy and torch are imported

from functools import partial

import numpy as np

from benchmarks.speed import parts_of_livedqn as parts
from benchmarks.speed.contestants.bare_updates import LEARNERS, Batch
from benchmarks.speed.interleave import Work
from benchmarks.speed.updates import compare


def works() -> dict[str, Work]:
    """Everything that can be called here."""
    found: dict[str, Work] = {}
    for variant, setting in (("compile", "true"), ("eager", "false")):
        agent, experience = parts.cartpole(compile=setting)
        sample = experience.sample(agent.batch_size)
        found[f"livedqn:{variant} update"] = partial(agent.update, sample)
        found[f"livedqn:{variant} sample + update"] = partial(parts.sampled_update, agent, experience)
    batch, rng = Batch(), np.random.default_rng(0)
    for array in (batch.observation, batch.following):
        array[...] = rng.normal(size=array.shape)
    batch.action[...], batch.reward[...] = rng.integers(0, 2, len(batch.action)), 1
    for name, learner in LEARNERS.items():
        found[f"bare:{name}"] = learner(batch).update
    return found


def main() -> None:
    """Measure, print, write."""
    told = options.parse(options.parser(__doc__, rounds=15))
    compare(works(), told, "update", 0.05 if told.quick else 0.3)


if __name__ == "__main__":
    main()
