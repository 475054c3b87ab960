"""The typed configuration of every command. Plain dataclasses: reading them imports neither Hydra nor torch.

The node of a plugin kind is its settings plus ``plugin: <name>``; its schema is built from the plugin's own signature.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from livedqn.types import LivedqnError

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
    #: In-training evaluations in a run, evenly spaced; the best one becomes policy.ckpt.
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
    env: Any = None
    reward: Any = None

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise LivedqnError(f"threads={self.threads} must be 1 or more")
        if not 0 <= self.seed < 2**32:
            raise LivedqnError(f"seed={self.seed} is out of range; choose one from 0 to {2**32 - 1}")


@dataclass
class TrainConfig(WorldConfig):
    """``python -m livedqn``: train."""

    #: Parallel viewers (rows of the vector environment), or sessions of logs side by side.
    num_envs: int = 1_024
    #: Environment steps (transitions), or impressions of logs that are taken in: the total over all rows.
    steps: int = 1_000_000
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
    #: Of logs: the largest share of rows that may belong to a session with a fault. They are left out and counted.
    tolerated: float = 0.01
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
            if getattr(self, name) < 1:
                raise LivedqnError(f"{name}={getattr(self, name)} must be 1 or more")
        self.compile = str(self.compile).lower()  # YAML reads true as a truth value
        if self.compile not in COMPILE:
            raise LivedqnError(f"compile={self.compile} is none of {', '.join(COMPILE)}")
        if not 0 <= self.exploration_floor <= 1:
            raise LivedqnError(f"exploration_floor={self.exploration_floor} is no share; choose one from 0 to 1")
        for name in ("holdout", "tolerated"):
            if not 0 <= getattr(self, name) < 1:
                raise LivedqnError(f"{name}={getattr(self, name)} is no share; choose one from 0 up to less than 1")


#: What ``ope.unit`` may be.
UNITS = ("session", "request")


@dataclass
class OpeConfig:
    """Off-policy evaluation, from logs."""

    #: What a value is of: a session, or a request, each alone as if nothing followed.
    unit: str = "session"
    #: Discount of a request within a session; 1: what a session earns.
    discount: float = 1.0
    #: Uniform choice over the mask mixed into each policy that is judged; 0: as it is.
    epsilon: float = 0.0
    #: The share of viewers that judge; null: those whom the training of the checkpoints left out of these logs, or all.
    holdout: float | None = None
    #: The first day whose sessions judge (YYYY-MM-DD, UTC); empty: all.
    since: str = ""
    #: Guess propensities that are missing from what was shown; every report then says so.
    estimate_propensities: bool = False

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise LivedqnError(f"ope.unit={self.unit} is none of {', '.join(UNITS)}")
        for name in ("discount", "epsilon"):
            if not 0 <= getattr(self, name) <= 1:
                raise LivedqnError(f"ope.{name}={getattr(self, name)} is out of range; choose a number from 0 to 1")
        if self.holdout is not None and not 0 < self.holdout <= 1:
            raise LivedqnError(f"ope.holdout={self.holdout} is no share; choose one above 0, up to 1")


@dataclass
class GateConfig:
    """When a policy may go live."""

    #: From logs: exit 1 unless the policy earns more than the logs' own by more than this, at the lower bound of the
    #: 95 % interval of the difference, or if these logs cannot answer; null = no gate.
    min_lower_bound: float | None = None


@dataclass
class EvaluateConfig(WorldConfig):
    """``python -m livedqn evaluate``: compare policies on worlds that training never saw, or from logs."""

    #: One policy.ckpt or several: [a.ckpt, b.ckpt].
    checkpoint: list[str] = field(default_factory=list)
    #: Policies to compare: policy, always (the policy without nothing), random, hottest, favourite, myopic, linucb and
    #: lints (linear bandits), and of simulated viewers oracle and lookahead, which know them; empty = the quick ones:
    #: policy, random, hottest, favourite, myopic. From logs random, hottest and favourite, which show a room always.
    policies: list[str] = field(default_factory=list)
    #: From logs: judge by what a policy was trained on, too; every report then says so.
    allow_overlap: bool = False
    ope: OpeConfig = field(default_factory=OpeConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    #: Logged impressions to judge policies by, instead of playing env; null = play.
    logs: Any = None


@dataclass
class RecommendConfig:
    """``python -m livedqn recommend``: answer observations, one JSON object a line."""

    #: The policy.ckpt that answers.
    checkpoint: str = ""
    #: A file of observations; null = stdin.
    input: str | None = None
    #: auto, cpu, cuda, cuda:1, mps ...
    device: str = WorldConfig.device
    #: Torch's threads on a CPU.
    threads: int = WorldConfig.threads

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise LivedqnError(f"threads={self.threads} must be 1 or more")


@dataclass
class DataConfig:
    """A user's own data, to which the environment is fitted; CSV, or .csv.gz."""

    #: Rooms: a row for each of every snapshot; null = compare with published numbers.
    rooms: str | None = None
    #: Impressions: a row for each request, whether a room was shown or none; null = compare with published numbers.
    impressions: str | None = None
    #: The largest share of rows that may be wrong: they are left out, counted and shown.
    tolerated: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.tolerated < 1:
            raise LivedqnError(f"data.tolerated={self.tolerated} is no share; choose one from 0 up to less than 1")


@dataclass
class CollectConfig:
    """``python -m livedqn collect``: logs of a policy that plays an environment."""

    #: Where the logs go: a new folder.
    out: str = "logs"
    #: Who acts: random, hottest or favourite; a checkpoint goes before.
    policy: str = "random"
    #: A policy.ckpt that acts, in the environment of its run unless env= says another.
    checkpoint: str | None = None
    #: Uniform exploration over the mask mixed into the exploration's probabilities, so that no propensity is tiny.
    exploration_floor: float = 0.01
    #: Requests that are answered, over all viewers.
    steps: int = 100_000
    #: Viewers at once.
    num_envs: int = 1_024
    #: Seed of the world and of what is explored.
    seed: int = 0
    #: auto, cpu, cuda, cuda:1, mps ...
    device: str = WorldConfig.device
    #: Torch's threads on a CPU.
    threads: int = WorldConfig.threads
    cap: CapConfig = field(default_factory=CapConfig)
    env: Any = None
    exploration: Any = None

    def __post_init__(self) -> None:
        for name in ("num_envs", "steps", "threads"):
            if getattr(self, name) < 1:
                raise LivedqnError(f"{name}={getattr(self, name)} must be 1 or more")
        if not 0 <= self.exploration_floor <= 1:
            raise LivedqnError(f"exploration_floor={self.exploration_floor} is no share; choose one from 0 to 1")
        if not 0 <= self.seed < 2**32:
            raise LivedqnError(f"seed={self.seed} is out of range; choose one from 0 to {2**32 - 1}")


@dataclass
class CheckLogsConfig:
    """``python -m livedqn check-logs``: what is wrong with logs, before anything is learned from them."""

    logs: Any = None


@dataclass
class JoinConfig:
    """``python -m livedqn join``: events become logs."""

    #: A file of events, one JSON object a line.
    events: str | None = None
    #: A YAML file that says what impressions show.
    spec: str | None = None
    #: Where the logs go.
    out: str = "logs"
    #: A file that keeps what is open, to go on from with the events that come next; null = it is left out.
    state: str | None = None
    #: By how many seconds events may be older than the newest.
    allowed_lateness_s: float = 600.0
    #: Seconds without a sign of life after which a session is over.
    session_gap_s: float = 1_800.0
    #: Seconds after the impression within which a kind of signal counts, where not as usual: windows="{click: 60}".
    windows: Any = None

    def __post_init__(self) -> None:
        found = {} if self.windows is None else self.windows
        if not isinstance(found, dict) or not all(isinstance(value, int | float) for value in found.values()):
            raise LivedqnError(f'windows={self.windows} does not map kinds to seconds; write windows="{{click: 60}}"')


@dataclass
class CalibrateConfig:
    """``python -m livedqn calibrate``: an environment beside published numbers, or fitted to your own data."""

    #: Seed of the world, and of what is shown.
    seed: int = 0
    #: Viewers at once.
    num_envs: int = 1_000
    #: Requests of viewers, answered uniformly: any candidate, or nothing.
    requests: int = 500_000
    #: The share of channels that count as popular, as those of some published numbers were: 2 % have as many viewers as
    #: they had; null = 0.02, or all of them beside data of your own.
    popular: float | None = None
    data: DataConfig = field(default_factory=DataConfig)
    env: Any = None

    def __post_init__(self) -> None:
        for name in ("num_envs", "requests"):
            if getattr(self, name) < 1:
                raise LivedqnError(f"{name}={getattr(self, name)} must be 1 or more")
        if self.popular is not None and not 0 < self.popular <= 1:
            raise LivedqnError(f"popular={self.popular} is no share; choose one above 0, up to 1")
        if not 0 <= self.seed < 2**32:
            raise LivedqnError(f"seed={self.seed} is out of range; choose one from 0 to {2**32 - 1}")
