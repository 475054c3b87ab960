"""Of the command ``recommend``."""

from __future__ import annotations

from dataclasses import dataclass

from livedqn.config.train import WorldConfig
from livedqn.types import LivedqnError


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
