"""Hand a command line to Hydra, and its errors to the user as one line."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from errno import EACCES, EDQUOT, ENOSPC, EPERM, EROFS
from itertools import pairwise
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from livedqn.cli import earlier
from livedqn.cli.commands import COMMANDS
from livedqn.cli.from_logs import from_logs, judged
from livedqn.cli.jobs import JOBS, remove_empty, say
from livedqn.cli.overrides import take_paths, tidy
from livedqn.cli.printed import leave_if_unread
from livedqn.cli.words import Words
from livedqn.plugins.messages import explain
from livedqn.plugins.source import GROUPS, register
from livedqn.types import LivedqnError

#: What to do about a file that cannot be read or written.
CURES = {
    **dict.fromkeys((ENOSPC, EDQUOT), "free some space, or choose another disk"),
    **dict.fromkeys((EACCES, EPERM), "mend its permissions, or choose another folder"),
    EROFS: "choose another folder",
}


def run(words: Words, *, wants_traceback: bool) -> None:
    """Compose the configuration of a command and run it, or print it, or what else the flags ask for.

    Raises:
        LivedqnError: the command line cannot be understood or does not fit what is installed.
    """
    command = words.command
    if "--shell-completion" in words.flags:
        os.environ["COMP_LINE"] = completable(os.environ.get("COMP_LINE", ""))
        name, values, overrides = command, dict[str, Any](), words.overrides
    else:
        name, values, overrides = _prepared(words)
    register(values)
    sweep = datetime.now().strftime("runs/multi/%Y-%m-%d/%H-%M-%S-%f")
    if "--multirun" in words.flags:
        overrides.insert(0, f"hydra.sweep.dir={sweep}")  # said here, so that a refused sweep can be cleared away
    _refuse_code(words.flags)
    there_before = _existing(overrides)
    is_composed, refusals = False, 0

    def job(composed: DictConfig) -> None:
        nonlocal is_composed, refusals
        is_composed = True
        try:
            JOBS[command](composed)
        except BrokenPipeError:
            leave_if_unread()  # at once: Hydra would print what it makes of it
            raise
        except (LivedqnError, OSError) as error:
            if wants_traceback or (isinstance(error, OSError) and not (error.filename or error.errno in CURES)):
                raise
            say(error if isinstance(error, LivedqnError) else _of_file(error))
            if "--multirun" not in words.flags:
                sys.exit(2)
            refusals += 1  # the other jobs of a sweep have nothing to do with it
        finally:
            remove_empty(Path(HydraConfig.get().runtime.output_dir), there_before)
        is_composed = False

    sys.argv = [sys.argv[0], *words.flags, *overrides]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints and exits on its own
    try:
        hydra.main(config_path="pkg://livedqn.conf", config_name=name, version_base="1.3")(job)()
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise LivedqnError(explain(error)) from error
    except (OSError, ValueError) as error:
        if is_composed:  # what a job raises is for it to explain
            raise
        raise LivedqnError(_of_file(error) if isinstance(error, OSError) else explain(error)) from error
    finally:
        remove_empty(Path(sweep).absolute(), there_before)
    if refusals:
        sys.exit(2)


def completable(line: str) -> str:
    """A line to be completed as Hydra reads it: the program and overrides, no command, flags or signs."""
    program, *rest = line.split(" ")  # what is being typed, last, may be empty still
    kept = [word.lstrip("+") for word in rest if not word.startswith("-") and word not in COMMANDS]
    return " ".join([program, *kept])


def _refuse_code(flags: list[str]) -> None:
    """Presets of the user's are settings: Hydra would import and call whatever ``_target_`` names."""
    folders = [value for flag, value in pairwise(flags) if flag == "--config-dir"]
    for path in (path for folder in folders for path in sorted(Path(folder).rglob("*.yaml"))):
        if b"_target_" in path.read_bytes():
            raise LivedqnError(f"{path} holds _target_; livedqn builds installed plugins only, by name")


def _existing(overrides: list[str]) -> set[Path]:
    """Of the folders in which a run may lie those that exist already."""
    given = [o.partition("=")[2] for o in overrides if o.startswith(("hydra.run.dir=", "hydra.sweep.dir="))]
    folders = [Path(path).absolute() for path in ("runs", *given)]
    return {path for folder in folders for path in (folder, *folder.parents) if path.exists()}


def _of_file(error: OSError) -> LivedqnError:
    cure = CURES.get(error.errno or 0, "look at what lies there")
    return LivedqnError(f"{error.filename or 'a file cannot be written'}: {error.strerror}; {cure}")


def _prepared(words: Words) -> tuple[str, dict[str, Any], list[str]]:
    """The primary config, the values to lay over it, and the overrides that are left to Hydra."""
    command, known = words.command, COMMANDS[words.command]
    others, paths = take_paths(words.overrides, known.paths)
    overrides = tidy(others, is_multirun="--multirun" in words.flags)
    for override in overrides:
        option = override.partition("=")[0].partition(".")[0]
        if option in (*GROUPS, "experiment") and option not in known.options:
            takes = f"; only {' and '.join(known.options)} can be chosen" if 0 < len(known.options) < 3 else ""
            raise LivedqnError(f"{command} {known.why_not}, so {option} cannot be set{takes}")
    if "--multirun" in words.flags and not (known.can_sweep and "resume" not in paths):
        raise LivedqnError(f"{'resume=' if command == 'train' else command} does one thing; leave out --multirun")
    if known.needs_policy and not paths.get("checkpoint"):
        raise LivedqnError(f"{command} needs checkpoint=<run>/policy.ckpt; a training run names its own at its end")
    if command == "evaluate":
        overrides = judged(overrides)
        return command, earlier.of_checkpoints(paths["checkpoint"], overrides), overrides
    if command == "collect" and "checkpoint" in paths:
        values, chosen = earlier.of_policy(paths.pop("checkpoint"), overrides)
        return command, values | paths, [*chosen, *overrides]
    if "resume" in paths:
        also = [f"init={paths['init']}"] if "init" in paths else []
        values = earlier.of_run(paths["resume"], [*overrides, *also])
        return "resume", values, [*overrides, *earlier.choices(values)]
    if command == "train":
        overrides = from_logs(overrides)
    return command, _nested(paths), overrides


def _nested(values: dict[str, str]) -> dict[str, Any]:
    """``{"data.rooms": path}`` as ``{"data": {"rooms": path}}``."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        *outer, name = key.split(".")
        node = found
        for part in outer:
            node = node.setdefault(part, {})
        node[name] = value
    return found
