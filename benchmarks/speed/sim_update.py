"""The update on the simulator (K = 20, encoder attention, batch 256): livedqn's against a bare loop on the same graph.

python -m benchmarks.speed.sim_update --rounds 9

The bare loop gathers the batch with NumPy from arrays that hold both observations, and computes the same networks'
update in the same compiled graph, Adam's step included: what is left is mathematics. livedqn's line samples
from its replay, updates, syncs and watches, as in training.
"""

from __future__ import annotations

import os

from benchmarks.processes import ONE_THREAD
from benchmarks.speed import options

os.environ.update(ONE_THREAD)  # before NumPy and torch are imported

from functools import partial

import numpy as np

from benchmarks.speed import parts_of_livedqn as parts
from benchmarks.speed.interleave import Work
from benchmarks.speed.tables import LIMIT
from benchmarks.speed.updates import compare
from livedqn import plugins
from livedqn.agent import DQN
from livedqn.checkpoint import build_agent
from livedqn.config import CapConfig
from livedqn.experience import PlayedExperience
from livedqn.graphs import fresh
from livedqn.stage import Stage, world_seed

STORED = 20_000


def learner(compile: str) -> tuple[DQN, PlayedExperience]:
    """The default agent with the encoder ``attention`` on ``env=sim``, after its warm-up."""
    stage = Stage(
        plugins.build("env", {"plugin": "sim"}, 256), plugins.build("reward", {"plugin": "watchtime"}), CapConfig()
    )
    made = build_agent({"agent": {"plugin": "dqn"}, "encoder": {"plugin": "attention"}}, stage.spec)
    replay = plugins.build("replay", {"plugin": "uniform"}, stage.spec, 256, 1)
    experience = PlayedExperience(
        stage, plugins.build("exploration", {"plugin": "epsilon_greedy"}), replay, seed=0, floor=0.0
    )
    experience.begin(world_seed("train", 0))
    made.learn_from(experience, compile=compile)
    made.configure_optimizers()
    made.training_step(STORED, 0)
    return made, experience


def bare(made: DQN, experience: PlayedExperience) -> Work:
    """An update without livedqn around it, on the graph of ``made``."""
    stored = experience.sample(STORED)
    seen, following = (
        {name: array.copy() for name, array in of.items()} for of in (stored.observation, stored.next_observation)
    )
    rest = {name: getattr(stored, name).copy() for name in ("action", "reward", "discount", "weight")}
    out = made.transitions(experience.sample(made.batch_size))
    pairs = [(seen[n], out.observation[n].numpy()) for n in seen]
    pairs += [(following[n], out.next_observation[n].numpy()) for n in following]
    pairs += [(array, getattr(out, name).numpy()) for name, array in rest.items()]
    graphs, state = made.learner.graphs, fresh(made.learner.state)
    assert graphs is not None
    state.rate.fill_(1e-4)
    rng = np.random.default_rng(0)

    def update() -> None:
        index = rng.integers(0, STORED, made.batch_size)
        for source, target in pairs:
            np.take(source, index, axis=0, out=target, mode="clip")
        graphs.update(state, out)

    return update


def main() -> None:
    """Measure, print, write."""
    told = options.parse(options.parser(__doc__, rounds=9))
    compiled, eager = learner("true"), learner("false")
    works: dict[str, Work] = {LIMIT: bare(*compiled)}
    for name, (made, experience) in (("livedqn:compile", compiled), ("livedqn:eager", eager)):
        works[name] = partial(parts.sampled_update, made, experience)
    compare(works, told, "sim_update", 0.2 if told.quick else 1.0)


if __name__ == "__main__":
    main()
