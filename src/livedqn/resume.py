"""The resume point of a run: all that a killed run needs to end with the very weights it would have had.

It is the newest only, in ``resume/state.pt`` of the run's folder: networks, optimiser, replay, environment, current
observations, counters and every generator.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from livedqn import checkpoint
from livedqn.agent import DQN
from livedqn.experience import Experience
from livedqn.types import LivedqnError


def path_in(folder: Path) -> Path:
    """Where the resume point of a run lies."""
    return folder / "resume" / "state.pt"


def save(folder: Path, mark: int, agent: DQN, experience: Experience, best: dict[str, Any]) -> None:
    """Write the resume point; ``mark`` is the scheduled step count it belongs to."""
    state = {
        "mark": mark,
        "best": best,
        "agent": agent.learner_state(),
        "experience": experience.state_dict(),
        "generators": _generators(),
    }
    path_in(folder).parent.mkdir(exist_ok=True)
    checkpoint.write_state(path_in(folder), "resume point", state)


def read(folder: Path) -> dict[str, Any]:
    """The resume point of a run.

    Raises:
        LivedqnError: the folder is no run's, or was stopped before its first resume point.
    """
    if not path_in(folder).is_file():
        raise LivedqnError(
            f"{folder} holds no resume point ({path_in(folder)}); give the folder of a run that was saved"
        )
    return checkpoint.read_state(path_in(folder), "resume point")


def restore(state: dict[str, Any], agent: DQN, experience: Experience) -> None:
    """Put everything but the global generators back, once the optimiser exists."""
    agent.load_learner_state(state["agent"])
    experience.load_state_dict(state["experience"])


def restore_generators(state: dict[str, Any]) -> None:
    """Put the global generators back, as the last thing before the first step: building a loader draws from them."""
    generators = state["generators"]
    torch.set_rng_state(generators["torch"])
    if generators["cuda"]:
        torch.cuda.set_rng_state_all(generators["cuda"])
    version, words, gauss = generators["python"]
    random.setstate((version, tuple(words), gauss))
    keys, position, has_gauss, cached = generators["numpy"]
    np.random.set_state(("MT19937", np.array(keys, np.uint32), position, has_gauss, cached))


def _generators() -> dict[str, Any]:
    """The global generators, which ours do not use but a plugin's may."""
    version, words, gauss = random.getstate()
    legacy = np.random.get_state(legacy=False)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": [version, list(words), gauss],
        "numpy": [legacy["state"]["key"].tolist(), legacy["state"]["pos"], legacy["has_gauss"], legacy["gauss"]],
    }
