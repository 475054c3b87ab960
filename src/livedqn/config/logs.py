"""Of the commands that write and look at logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from livedqn.config.train import CapConfig, WorldConfig
from livedqn.types import LivedqnError

#: After so long without a sign of life a visit is over, where nothing else says so.
SESSION_GAP_S = 1_800.0


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
    session_gap_s: float = SESSION_GAP_S
    #: Seconds after the impression within which a kind of signal counts, where not as usual: windows="{click: 60}".
    windows: Any = None

    def __post_init__(self) -> None:
        found = {} if self.windows is None else self.windows
        if not isinstance(found, dict) or not all(isinstance(value, int | float) for value in found.values()):
            raise LivedqnError(f'windows={self.windows} does not map kinds to seconds; write windows="{{click: 60}}"')
