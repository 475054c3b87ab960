"""livedqn's words for the workloads, and pieces of a run, built small: the one place that knows its settings' names."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.speed import work
from livedqn import plugins
from livedqn.agent import DQN
from livedqn.checkpoint import build_agent
from livedqn.config import CapConfig
from livedqn.experience import PlayedExperience
from livedqn.stage import Stage, world_seed


def agent_settings(**more: Any) -> dict[str, Any]:
    """``agent`` and ``encoder`` of the workloads."""
    agent = {
        "plugin": "dqn", "discount": work.DISCOUNT, "double": False, "dueling": False, "myopic": False,
        "distribution": "none", "n_step": 1,
        "standardise": False, "huber_delta": None, "gradient_clip": None,
        "batch_size": work.BATCH_SIZE, "warmup_steps": work.WARMUP_STEPS,
        "learning_rate": work.LEARNING_RATE, "learning_rate_end": work.LEARNING_RATE, **more,
    }  # fmt: skip
    return {"agent": agent, "encoder": {"plugin": "mlp", "hidden": list(work.HIDDEN)}}


def cartpole(num_envs: int = 1, *, compile: str = "false", **agent: Any) -> tuple[DQN, PlayedExperience]:
    """An agent of the workloads that has begun to learn, and what it plays on."""
    env = plugins.build("env", {"plugin": "gym", "id": "CartPole-v1"}, num_envs)
    stage = Stage(env, plugins.build("reward", {"plugin": "native"}), CapConfig())
    made = build_agent(agent_settings(**agent), stage.spec)
    replay = plugins.build("replay", {"plugin": "uniform", "capacity": work.CAPACITY}, stage.spec, num_envs, 1)
    exploration = plugins.build("exploration", {"plugin": "epsilon_greedy", "start": 0.05, "steps": 1})
    experience = PlayedExperience(stage, exploration, replay, seed=0, floor=0.0)
    experience.begin(world_seed("train", 0))
    made.learn_from(experience, compile=compile)
    made.configure_optimizers()
    made.training_step(2 * work.WARMUP_STEPS, 0)
    return made, experience


def sampled_update(agent: DQN, experience: PlayedExperience) -> None:
    """Draw a batch and learn from it."""
    agent.update(experience.sample(agent.batch_size))


def simulator(num_envs: int = 256) -> Any:
    """A call that steps the simulator for so many viewers, who are all shown nothing, and restarts those who left."""
    env = plugins.build("env", {"plugin": "sim"}, num_envs)
    env.reset(seed=0)
    nothing = np.zeros(num_envs, np.int64)

    def step() -> None:
        _, _, terminated, truncated, _ = env.step(nothing)
        ended = terminated | truncated
        if ended.any():
            env.reset(options={"reset_mask": ended})

    return step
