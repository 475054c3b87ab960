"""The update alone, on one CartPole batch: livedqn's against the same mathematics without a framework.

python benchmarks/speed/update.py --rounds 15

All run in one process in turn. livedqn's lines: ``update`` is what it does to a batch, ``sample + update`` draws the
batch from its replay first, as training does.
"""

from __future__ import annotations

import os

import options

os.environ.update(options.ONE_THREAD)  # before NumPy and torch are imported

import machine
import numpy as np
import parts_of_livedqn as parts
import torch
from contestants.bare_updates import LEARNERS, Batch
from interleave import Work, interleaved
from tables import spread

LIMIT = "bare:compile"


def works() -> dict[str, Work]:
    """Everything that can be called here."""
    found: dict[str, Work] = {}
    if not parts.COMPILES:
        print("left out: livedqn:compile, this livedqn does not compile its update")
    for variant, setting in (("compile", "true"), ("eager", "false"))[0 if parts.COMPILES else 1 :]:
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
    torch.set_num_threads(1)
    spent = interleaved(works(), told.rounds, 0.05 if told.quick else 0.3)
    rows = []
    print("\n| update | updates/s | x bare:compile |\n|---|---|---|")
    for name, seconds in sorted(spent.items(), key=lambda item: np.median(item[1])):
        ratios = [limit / own for limit, own in zip(spent[LIMIT], seconds, strict=True)]
        print(f"| {name} | {spread([1 / own for own in seconds], 0)} | {spread(ratios)} |")
        for round_, (own, ratio) in enumerate(zip(seconds, ratios, strict=True)):
            rows.append({"update": name, "round": round_, "cpu_us": round(own * 1e6, 1), "ratio": round(ratio, 4)})
    options.write_csv(told.results / "update.csv", rows)
    machine.record(told.results, "update")


if __name__ == "__main__":
    main()
