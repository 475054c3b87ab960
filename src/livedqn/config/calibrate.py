"""Of the command ``calibrate``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from livedqn.types import LivedqnError


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
