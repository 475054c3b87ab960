"""Commands that start from an earlier run: its values become the defaults of this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from livedqn.cli.from_logs import NO_ENV
from livedqn.config import RESUMABLE, WorldConfig
from livedqn.plugins.discover import KINDS
from livedqn.plugins.source import RUN
from livedqn.types import LivedqnError

#: What evaluation takes from a run; the machine may be another one, and so may be the logs that judge.
_SHARED = {f.name for f in fields(WorldConfig)} - {"device", "tolerated"}


def of_checkpoints(value: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Defaults of ``evaluate``: the world of the (first) checkpoint's run, and the list of checkpoints.

    Raises:
        LivedqnError: a file is missing or foreign, or the runs disagree about what is not overridden.
    """
    from livedqn import checkpoint  # imports torch

    is_list = value.startswith("[") and value.endswith("]")
    paths = [part.strip() for part in value[1:-1].split(",")] if is_list else [value]
    runs = [checkpoint.read_config(path) for path in paths]
    kinds = ("reward",) if _chosen("logs", overrides) else ("env", "reward")
    for kind in kinds:
        for path, run in zip(paths, runs, strict=True):
            if run[kind] != runs[0][kind] and not _chosen(kind, overrides):
                raise LivedqnError(f"{path} and {paths[0]} had another {kind} each; say which with {kind}=<name>")
        if not (isinstance(runs[0][kind], Mapping) or _chosen(kind, overrides)):
            raise LivedqnError(f"{paths[0]} was trained {_without(runs[0], kind)}; say which: {kind}=<name>")
    if "env" in kinds and not _chosen("env", overrides):
        _refuse_import(runs[0]["env"], overrides)
    world = {key: item for key, item in runs[0].items() if key in _SHARED and (key in kinds or key not in KINDS)}
    return world | {"checkpoint": paths}


def of_policy(path: str, overrides: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Defaults of ``collect`` with a checkpoint, and what chooses them: environment and cap of its run.

    Raises:
        LivedqnError: the file is missing or foreign, or its environment is not to be had.
    """
    from livedqn import checkpoint  # imports torch

    run = checkpoint.read_config(path)
    values = {"checkpoint": path, "cap": run["cap"]}
    if _chosen("env", overrides):
        return values, []
    if not isinstance(run["env"], Mapping):
        raise LivedqnError(f"{path} was trained {_without(run, 'env')}; say which: env=<name>")
    _refuse_import(run["env"], overrides)
    return values | {"env": run["env"]}, [f"env={RUN}"]


def of_run(folder: str, overrides: Sequence[str]) -> dict[str, Any]:
    """Defaults of ``resume``: all that the run was.

    Raises:
        LivedqnError: the folder is no run's, or something is to change that cannot.
    """
    from livedqn import checkpoint, resume  # imports torch

    run = resume.config(Path(folder))
    if own := checkpoint.own(run):
        raise LivedqnError(
            f"{folder} was trained from Python with {' and '.join(own)} of its own, which no file keeps; go on from "
            f"there: livedqn.train(resume={folder!r}, {own[0]}=...)"
        )
    for override in overrides:
        key, _, value = override.partition("=")
        is_same_env = key == "env.id" and value == (run["env"] or {}).get("id")
        if not is_same_env and not key.startswith("hydra") and key.partition(".")[0] not in RESUMABLE:
            raise LivedqnError(f"a run goes on as it was: resume= takes {', '.join(RESUMABLE)}, not {key}")
    if run["env"]:
        _refuse_import(run["env"], overrides)
    return run | {"resume": folder}


def choices(run: Mapping[str, Any]) -> list[str]:
    """Overrides that choose what a run ``resume`` goes on with may have or not: logs, and then an environment."""
    return [f"logs={RUN}"] * bool(run.get("logs")) + [NO_ENV] * (run["env"] is None)


def _chosen(kind: str, overrides: Sequence[str]) -> bool:
    return any(override.startswith(f"{kind}=") for override in overrides)


def _without(run: Mapping[str, Any], kind: str) -> str:
    """How a run comes to have no node of a ``kind``."""
    is_from_logs = kind == "env" and run.get("logs")
    return "from logs, without env" if is_from_logs else f"from Python with {kind} of its own"


def _refuse_import(env: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """``module:Id`` makes Gymnasium import a module: that is for the user to say, not for a file."""
    name = str(env.get("id", ""))
    if ":" in name and not _chosen("env.id", overrides):
        raise LivedqnError(f"this run's environment imports code ({name}); if you trust it, add env.id={name}")
