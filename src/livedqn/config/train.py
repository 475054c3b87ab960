"""Of a run, and of worlds in which policies are evaluated."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from livedqn.types import LivedqnError

#: Environment steps of a run that plays, where nothing is said.
STEPS = 1_000_000
#: Of a run that learns from logs, where nothing is said: it goes through them until it has taken in so many steps, but
#: at least once, and at most so often (benchmarks/offline).
LOGGED_STEPS, MOST_EPOCHS = 400_000, 5
#: The updates that such a run makes at least, however short the logs are (benchmarks/offline), and the share of any run
#: from logs that its warm-up takes at most: nothing has to be explored, only transforms and rewards to be scaled.
LEAST_UPDATES, WARMUP_SHARE = 512, 0.1
#: What may change when a run goes on.
RESUMABLE = ("steps", "logger", "compile")
#: What ``compile`` may be.
COMPILE = ("auto", "true", "false")


@dataclass
class CapConfig:
    """A cap on injections; it acts through the mask, the same in training and in evaluation."""

    #: The largest share of a visit's requests at which a room may be shown; 1 = no cap.
    max_share_shown: float = 1.0
    #: The largest number of rooms shown in one visit; null = no cap.
    max_shown_per_session: int | None = None


@dataclass
class EvaluationConfig:
    """Evaluation: greedy, on worlds (seeds) of its own."""

    #: Worlds of the final table; the unit of its intervals.
    worlds: int = 20
    #: Episodes a world: all are played to their end.
    episodes: int = 384
    #: Worlds on which checkpoints are compared in training and the baselines are tuned.
    validation_worlds: int = 4
    #: In-training evaluations in a run, evenly spaced; they choose what becomes policy.ckpt.
    points: int = 5
    #: Episodes a world in such an evaluation.
    validation_episodes: int = 1_024
    #: Episodes a world of each rule or margin that is tried, at first; the best six get eight times as many more.
    tuning_episodes: int = 48

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise LivedqnError(f"evaluation.{name}={value} must be 1 or more")


@dataclass
class CsvLogger:
    """``logger=csv``: metrics.csv alone, which every run writes."""

    plugin: str = "csv"


@dataclass
class WandbLogger:
    """``logger=wandb``: Weights & Biases beside metrics.csv."""

    plugin: str = "wandb"
    #: offline, online or disabled; the environment's WANDB_MODE where nothing is said.
    mode: str = field(default_factory=lambda: os.environ.get("WANDB_MODE", "offline"))
    #: The project there.
    project: str = "livedqn"
    #: The team or user that owns the project; null = the key's own.
    entity: str | None = None

    def __post_init__(self) -> None:
        if self.mode not in ("offline", "online", "disabled"):
            raise LivedqnError(f"logger.mode is {self.mode!r}; choose offline, online or disabled")


LOGGERS = {"csv": CsvLogger, "wandb": WandbLogger}


def require_share(name: str, value: float) -> None:
    """Raise LivedqnError unless a setting is a share that leaves something."""
    if not 0 <= value < 1:
        raise LivedqnError(f"{name}={value} is no share; choose one from 0 up to less than 1")


@dataclass
class WorldConfig:
    """What training and evaluation share: evaluation takes these values from the run's own config."""

    #: Seed of the run: network, exploration, environment.
    seed: int = 0
    #: auto, cpu, cuda, cuda:1, mps ...
    device: str = "auto"
    #: Torch's threads on a CPU: networks this small gain little from more, and lose much where cores are shared.
    threads: int = 1
    cap: CapConfig = field(default_factory=CapConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    #: Of logs: the largest share of rows that may belong to a session with a fault. They are left out and counted.
    tolerated: float = 0.01
    env: Any = None
    reward: Any = None

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise LivedqnError(f"threads={self.threads} must be 1 or more")
        if not 0 <= self.seed < 2**32:
            raise LivedqnError(f"seed={self.seed} is out of range; choose one from 0 to {2**32 - 1}")
        require_share("tolerated", self.tolerated)


@dataclass
class TrainConfig(WorldConfig):
    """``python -m livedqn``: train."""

    #: Parallel viewers (rows of the vector environment), or sessions of logs side by side.
    num_envs: int = 1_024
    #: Environment steps (transitions), or impressions of logs that are taken in: the total over all rows. null:
    #: 1,000,000, which the parts' defaults fit; from logs what `epochs` comes to.
    steps: int | None = None
    #: Of logs: passes over the impressions that training sees, where `steps` says nothing; null: as many as make about
    #: 400,000 steps, from one to five.
    epochs: float | None = None
    #: Uniform exploration over the mask mixed into every plugin's probabilities.
    exploration_floor: float = 0.0
    #: Compile the update (needs a C++ compiler): auto where it saves time, true, or false.
    compile: str = "auto"
    #: Environment steps between two resume points.
    save_every: int = 500_000
    #: A policy.ckpt whose weights to start from.
    init: str | None = None
    #: The folder of a run to go on with.
    resume: str | None = None
    #: Of logs: the share of viewers that training never sees, to judge the policy by. The same ones in every run.
    holdout: float = 0.2
    #: Of logs: the first day (YYYY-MM-DD, UTC) whose sessions training never sees, nor any later; empty: it sees all.
    before: str = ""
    #: Logged impressions to learn from, instead of playing env, which is then for evaluation alone; null = play.
    logs: Any = None
    encoder: Any = None
    exploration: Any = None
    agent: Any = None
    replay: Any = None
    #: A CsvLogger or a WandbLogger.
    logger: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("num_envs", "steps", "save_every"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise LivedqnError(f"{name}={value} must be 1 or more")
        if self.epochs is not None:
            if self.logs is None:
                raise LivedqnError(f"epochs={self.epochs:g} is of logs; add logs=parquet, or give steps= instead")
            if self.steps is not None:
                raise LivedqnError(f"steps={self.steps} and epochs={self.epochs:g} both say how long it is; give one")
            if not 0 < self.epochs < float("inf"):
                raise LivedqnError(f"epochs={self.epochs:g} must be above 0; a pass over the logs is 1")
        self.compile = str(self.compile).lower()  # YAML reads true as a truth value
        if self.compile not in COMPILE:
            raise LivedqnError(f"compile={self.compile} is none of {', '.join(COMPILE)}")
        if not 0 <= self.exploration_floor <= 1:
            raise LivedqnError(f"exploration_floor={self.exploration_floor} is no share; choose one from 0 to 1")
        if self.before and self.logs is None:
            raise LivedqnError(f"before={self.before} is of logs; add logs=parquet, or leave it out")
        require_share("holdout", self.holdout)
        if self.holdout != type(self).holdout and self.logs is None:
            raise LivedqnError(f"holdout={self.holdout} is of logs; add logs=parquet, or leave it out")


#: What ``ope.unit`` may be.
