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

from livedqn import checkpoint, durable
from livedqn.agent import DQN
from livedqn.choice import Choice
from livedqn.experience import Experience
from livedqn.types import LivedqnError, first_line

#: What a state stumbles over that is not what :func:`save` wrote.
BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError)


def path_in(folder: Path) -> Path:
    """Where the resume point of a run lies."""
    return folder / "resume" / "state.pt"


def save(
    folder: Path, mark: int, agent: DQN, experience: Experience, choice: Choice, *, is_evaluated: bool
) -> None:  # fmt: skip
    """Write the resume point; ``mark`` is the scheduled step count it belongs to, ``is_evaluated`` says whether
    evaluations decide the ``choice``."""
    state = {
        "mark": mark,
        "is_evaluated": is_evaluated,
        "choice": choice.state_dict(),
        "agent": agent.learner_state(),
        "experience": experience.state_dict(),
        "generators": _generators(),
    }
    durable.folder(path_in(folder).parent)
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
    state = checkpoint.read_state(path_in(folder), "resume point")
    try:
        types = [(state["mark"], int), (state["is_evaluated"], bool), (state["agent"]["settled"], dict)]
        if not all(type(value) is wanted for value, wanted in types):
            raise TypeError("a value is of another type")
        choice, steps = Choice.from_state(state["choice"]), int(state["experience"]["steps"])
        return {**state, "choice": choice, "steps": steps}
    except BROKEN as error:
        raise _damaged(folder, error) from error


def config(folder: Path) -> dict[str, Any]:
    """The config of the run in a folder, as it was told.

    Raises:
        LivedqnError: the folder is no run's, or its config was changed.
    """
    return {name: value for name, value in _written(folder).items() if name not in checkpoint.NOTES}


def notes(folder: Path) -> checkpoint.Notes:
    """What the run in a folder has learned from: those of :data:`livedqn.checkpoint.NOTES` that it has noted.

    Raises:
        LivedqnError: as :func:`config` does.
    """
    return {name: value for name, value in _written(folder).items() if name in checkpoint.NOTES}


def _written(folder: Path) -> dict[str, Any]:
    path = folder / "config.yaml"
    try:
        found = checkpoint.parsed(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        raise LivedqnError(f"{path} does not exist; give the folder that the run named at its end") from None
    except NotADirectoryError:
        raise LivedqnError(f"{folder} is a file; a run goes on in its folder, which is {folder.parent}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise LivedqnError(f"{path} cannot be read: {error}") from error
    has_notes = all(isinstance(found.get(name, []), list) for name in checkpoint.NOTES)
    if not (has_notes and isinstance(found.get("agent"), dict) and isinstance(found.get("env", ""), dict | None)):
        raise LivedqnError(f"{path} is damaged or was changed: it is no config that a run writes")
    return found


def restore(folder: Path, state: dict[str, Any], agent: DQN, experience: Experience) -> None:
    """Put everything but the global generators back, once the optimiser exists.

    Raises:
        LivedqnError: the state of the run in ``folder`` is not one of such an agent and environment.
    """
    try:
        agent.load_learner_state(state["agent"])
        experience.load_state_dict(state["experience"])
    except BROKEN as error:
        raise _damaged(folder, error) from error


def restore_generators(state: dict[str, Any]) -> None:
    """Put the global generators back, as the last thing before the first step: building a loader draws from them."""
    generators = state["generators"]
    torch.set_rng_state(generators["torch"])
    torch.cuda.set_rng_state_all(generators["cuda"][: torch.cuda.device_count()])  # there may be fewer GPUs than then
    version, words, gauss = generators["python"]
    random.setstate((version, tuple(words), gauss))
    keys, position, has_gauss, cached = generators["numpy"]
    np.random.set_state(("MT19937", np.array(keys, np.uint32), position, has_gauss, cached))


def _damaged(folder: Path, error: Exception) -> LivedqnError:
    if isinstance(error, RuntimeError) and "state_dict" in str(error):
        return LivedqnError(
            f"{path_in(folder)} does not fit its networks as they are installed now, or is damaged: "
            f"{checkpoint.misfit(error)}; the run can go on with the version of the encoder that it began with"
        )
    what = f"{type(error).__name__}: {first_line(error)}"
    return LivedqnError(f"{path_in(folder)} is damaged or was changed ({what}); the run cannot go on from it")


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
