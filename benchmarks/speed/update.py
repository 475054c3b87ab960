"""The update alone, on one CartPole batch: livedqn's against the same mathematics without a framework.

python benchmarks/speed/update.py --rounds 15

All run in one process in turn. livedqn's lines: ``update`` is what it does to a batch, ``sample + update`` draws the
batch from its replay first, as training does.
"""

from __future__ import annotations

import os

import options

os.environ.update(options.ONE_THREAD)  # before NumPy and torch are imported

import numpy as np
import parts_of_livedqn as parts
from contestants.bare_updates import LEARNERS, Batch
from interleave import Work
from updates import compare


def works() -> dict[str, Work]:
    """Everything that can be called here."""
    found: dict[str, Work] = {}
    for variant, setting in (("compile", "true"), ("eager", "false")):
        agent, experience = parts.cartpole(compile=setting)
        sample = experience.sample(agent.batch_size)
        found[f"livedqn:{variant} update"] = lambda agent=agent, sample=sample: agent.update(sample)
        found[f"livedqn:{variant} sample + update"] = lambda agent=agent, experience=experience: agent.update(
            experience.sample(agent.batch_size)
        )
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
