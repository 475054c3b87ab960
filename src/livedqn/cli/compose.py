"""Hand a command line to Hydra, and its errors to the user as one line."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from livedqn.cli import earlier
from livedqn.cli.jobs import JOBS, refused, remove_empty
from livedqn.cli.overrides import take_paths, tidy
from livedqn.cli.words import Words
from livedqn.plugins.messages import explain
from livedqn.plugins.source import GROUPS, register
from livedqn.types import LivedqnError

#: Settings whose values are paths.
PATHS = {"train": ("resume", "init"), "evaluate": ("checkpoint",), "recommend": ("checkpoint", "input")}
#: The options of each command.
OPTIONS = {"train": (*GROUPS, "experiment"), "evaluate": ("env", "reward"), "recommend": ()}


def run(words: Words, *, wants_traceback: bool) -> None:
    """Compose the configuration of a command and run it, or print it, or what else the flags ask for.

    Raises:
        LivedqnError: the command line cannot be understood or does not fit what is installed.
    """
    command = words.command
    if "--shell-completion" in words.flags:
        os.environ["COMP_LINE"] = os.environ.get("COMP_LINE", "").replace(" ++", " ").replace(" +", " ")
        name, values, overrides = command, dict[str, Any](), words.overrides
    else:
        name, values, overrides = _prepared(words)
    register(values)
    sweep = datetime.now().strftime("runs/multi/%Y-%m-%d/%H-%M-%S-%f")
    if "--multirun" in words.flags:
        overrides.insert(0, f"hydra.sweep.dir={sweep}")  # said here, so that a refused sweep can be cleared away

    def job(composed: DictConfig) -> None:
        try:
            JOBS[command](composed)
        except LivedqnError as error:
            if wants_traceback:
                raise
            refused(error)

    sys.argv = [sys.argv[0], *words.flags, *overrides]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints and exits on its own
    try:
        hydra.main(config_path="pkg://livedqn.conf", config_name=name, version_base="1.3")(job)()
    except (HydraException, OmegaConfBaseException) as error:
        raise LivedqnError(explain(error)) from error
    finally:
        remove_empty(Path(sweep))


def _prepared(words: Words) -> tuple[str, dict[str, Any], list[str]]:
    """The primary config, the values to lay over it, and the overrides that are left to Hydra."""
    command = words.command
    others, paths = take_paths(words.overrides, PATHS[command])
    overrides = tidy(others, is_multirun="--multirun" in words.flags)
    for override in overrides:
        option = override.partition("=")[0].partition(".")[0]
        if option in OPTIONS["train"] and option not in OPTIONS[command]:
            takes = f"; only {' and '.join(OPTIONS[command])} can be chosen" if OPTIONS[command] else ""
            raise LivedqnError(f"{command} takes the policy as it was trained, so {option} cannot be set{takes}")
    if "--multirun" in words.flags and (command == "recommend" or "resume" in paths):
        raise LivedqnError(f"{'resume=' if command == 'train' else command} does one thing; leave out --multirun")
    if command != "train" and not paths.get("checkpoint"):
        raise LivedqnError(f"{command} needs checkpoint=<run>/policy.ckpt; a training run names its own at its end")
    if command == "evaluate":
        return command, earlier.of_checkpoints(paths["checkpoint"], overrides), overrides
    if "resume" in paths:
        also = [f"init={paths['init']}"] if "init" in paths else []
        return "resume", earlier.of_run(paths["resume"], [*overrides, *also]), overrides
    return command, {key: earlier.literal(path) for key, path in paths.items()}, overrides
