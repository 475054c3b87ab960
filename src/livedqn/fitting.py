"""Lightning's Trainer, as lean as a run by our own clock needs it."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import Any

from livedqn.agent import DQN
from livedqn.lightning import pl
from livedqn.loop import Loop, Marks, signals_given_back

#: Logging, saving and progress are ours: a default Trainer more than doubles the time of an update.
LEAN: dict[str, Any] = {
    "logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False,
    "num_sanity_val_steps": 0, "limit_val_batches": 0, "max_epochs": 1,
}  # fmt: skip


def fit(agent: DQN, loop: Loop, marks: Marks) -> None:
    """Train up to the last mark, or only restore what was trained to its end and stopped in its evaluation."""
    if not len(marks):
        agent.configure_optimizers()
        loop.restore(agent)
        return
    chosen = agent.device.index  # of several accelerators, the one that the user named
    devices = 1 if chosen is None or agent.device.type == "cpu" else [chosen]
    with _quiet_lightning(), signals_given_back():
        pl.Trainer(**LEAN, accelerator=agent.device.type, devices=devices, callbacks=[loop]).fit(agent, marks)


@contextmanager
def _quiet_lightning() -> Any:
    """Lightning tells of devices it did not use and of loaders it would build otherwise; neither concerns a user."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
        try:
            yield
        finally:
            logger.setLevel(level)
