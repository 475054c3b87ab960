"""The typed configuration of every command. Plain dataclasses: reading them imports neither Hydra nor torch.

The node of a plugin kind is its settings plus ``plugin: <name>``; its schema is built from the plugin's own signature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class CapConfig:
    """A cap on injections; it acts through the mask, the same in training and in evaluation."""

    #: The largest share of a session's requests at which a room may be shown; 1 = no cap.
    max_share_shown: float = 1.0
    #: The largest number of rooms shown in one session; null = no cap.
    max_shown_per_session: int | None = None


@dataclass
class EvaluationConfig:
    """Evaluation: greedy, on worlds (seeds) of its own."""

    #: Worlds of the final table; the unit of its intervals.
    worlds: int = 20
    #: Episodes a world: all are played to their end.
    episodes: int = 64
    #: Worlds on which checkpoints are compared in training and the baselines are tuned.
    validation_worlds: int = 4
    #: In-training evaluations in a run, evenly spaced; the best one becomes policy.ckpt.
    points: int = 10
    #: Episodes a world in such an evaluation and in tuning.
    validation_episodes: int = 64


@dataclass
class TrainConfig:
    """``python -m livedqn``: train."""

    #: Seed of the run: network, exploration, environment.
    seed: int = 0
    #: Environment steps (transitions), the total over all rows.
    steps: int = 150_000
    #: Parallel viewers (rows of the vector environment).
    num_envs: int = 32
    #: auto, cpu, cuda, cuda:1, mps ...
    device: str = "auto"
    #: Uniform exploration over the mask mixed into every plugin's probabilities.
    exploration_floor: float = 0.0
    #: Environment steps between two resume points.
    save_every: int = 25_000
    #: A policy.ckpt whose weights to start from.
    init: str | None = None
    #: The folder of a run to go on with.
    resume: str | None = None
    cap: CapConfig = field(default_factory=CapConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    env: Any = None
    reward: Any = None
    encoder: Any = None
    exploration: Any = None
    agent: Any = None
    replay: Any = None
    logger: Any = None
