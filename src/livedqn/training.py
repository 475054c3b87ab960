"""The composition root: a training run as a list of things that are built and handed to one another."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from livedqn import checkpoint, device, evaluate, plugins, report, resume, tracking
from livedqn.agent import DQN
from livedqn.config import TrainConfig
from livedqn.experience import Experience
from livedqn.live import Live
from livedqn.loop import Loop, Marks
from livedqn.protocols import Env, Exploration, Replay, Reward
from livedqn.stage import Stage, world_seed
from livedqn.types import LivedqnError

#: Ours do all of it: logging, saving, progress; a default Trainer more than doubles the time of an update.
LEAN = {
    "logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False,
    "num_sanity_val_steps": 0, "limit_val_batches": 0, "max_epochs": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What a run leaves behind."""

    folder: Path
    agent: DQN
    evaluation: evaluate.Evaluation | None  # None where a signal stopped the run early
    stopped_by: int | None = None


def train(
    env: str | Mapping[str, Any] | Callable[[int], Env],
    *,
    reward: str | Mapping[str, Any] | Reward = "native",
    folder: str | Path | None = None,
    **settings: Any,
) -> Run:
    """Train from Python, without Hydra.

    Args:
        env: an installed plugin's name, its settings (``{"plugin": "sim", ...}``), or a function that takes the number
            of parallel viewers and returns a vector environment.
        reward: a name, settings, or a reward itself.
        folder: where the run lies; a new one below ``runs/`` where none is given.
        settings: any field of :class:`~livedqn.config.TrainConfig`: ``steps=20_000, seed=1, encoder="gru",
            agent={"plugin": "dqn", "discount": 0.95}`` ...

    Raises:
        LivedqnError: anything that cannot be built or does not fit together.
    """
    unknown = set(settings) - {f.name for f in fields(TrainConfig)}
    if unknown:
        raise LivedqnError(f"train() has no setting {', '.join(sorted(unknown))}; see livedqn.config.TrainConfig")
    config = TrainConfig(**settings)
    config.env = None if callable(env) else env
    config.reward = None if callable(reward) else reward
    for kind, name in DEFAULTS.items():
        if getattr(config, kind) is None:
            setattr(config, kind, name)
    folder = Path(folder) if folder else Path("runs") / datetime.now().strftime("%Y-%m-%d/%H-%M-%S")
    return run(config, folder, env if callable(env) else None, reward if callable(reward) else None)
