"""What Python tells a training run: names, settings and objects, over what runs do unless they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn import checkpoint, plugins, resume
from livedqn.config import RESUMABLE, TrainConfig
from livedqn.plugins.loggers import logger
from livedqn.plugins.messages import explain
from livedqn.types import LivedqnError

#: What may be given as an object, instead of a plugin's name or settings.
OBJECTS = ("env", "reward", "encoder", "exploration", "replay")
#: What says nothing of what a run was, when it goes on.
_OF_NOW = (*RESUMABLE, "resume")


def config_of(told: Mapping[str, Any]) -> TrainConfig:
    """The config of a run that is ``told`` so: a name stands for its plugin's settings, settings without a name are of
    the usual plugin, an object stands as it is. A run that goes on (``resume``) is what it was in all that is not said.

    Raises:
        LivedqnError: there is no such setting, a value is of a wrong type, or a run that goes on was something else.
    """
    told = {name: value for name, value in told.items() if value is not None}
    objects = {kind: told.pop(kind) for kind in OBJECTS if not isinstance(told.get(kind, ""), str | Mapping)}
    for kind, given in objects.items():
        if not callable(given):
            raise LivedqnError(f"train() got {kind}={given!r}; it takes a name, settings, or a callable")
    told = {name: plugins.plain(value) for name, value in told.items()}
    for kind in (*plugins.KINDS, "logger"):
        if not isinstance(told.get(kind, {}), str | Mapping):
            raise LivedqnError(f"train() got {kind}={told[kind]!r}; it takes a name, or settings")
        if kind in told:
            told[kind] = plugins.expanded(kind, told[kind])
    if "resume" in told:
        base = _before(Path(str(told["resume"])), told, objects)
    else:  # what is learned from is said
        base = {kind: {"plugin": name} for kind, name in plugins.defaults().items() if kind != "env"}
    whose = f"{told['resume']}/config.yaml does not fit this livedqn" if "resume" in told else ""
    try:
        config = OmegaConf.merge(OmegaConf.structured(TrainConfig), plugins.escaped(base))
        whose = "train() cannot take that"
        typed = OmegaConf.to_object(OmegaConf.merge(config, plugins.escaped(told)))
    except OmegaConfBaseException as error:
        raise LivedqnError(f"{whose}: {explain(error)}") from None
    assert isinstance(typed, TrainConfig)
    return replace(typed, **objects, logger=logger(typed.logger))


def located(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of ``logs`` that say which they are wherever they are read; a reader's address stays."""
    path = logs.get("path")
    return {**logs, "path": str(Path(path).resolve())} if path and Path(path).exists() else {**logs}


def _before(folder: Path, told: dict[str, Any], objects: Mapping[str, Any]) -> dict[str, Any]:
    """The config of the run in ``folder``, if what it is ``told`` now and its ``objects`` are what it had."""
    before = resume.config(folder)
    had = checkpoint.own(before)
    lacks = [kind for kind in had if kind not in objects]
    if lacks:
        raise LivedqnError(
            f"{folder} had {' and '.join(lacks)} of its own, which no file keeps; give {lacks[0]}= again"
        )
    same = {name: value for name, value in told.items() if name not in _OF_NOW}
    if "logs" in same:
        same["logs"] = located(same["logs"])
    changed = next((kind for kind in objects if before.get(kind) is not None), "") or _difference(before, same)
    if changed:
        raise LivedqnError(
            f"{folder} had another {changed}; a run goes on as it was, so leave it out: what is not said stays, and "
            f"{', '.join(RESUMABLE)} alone may change"
        )
    name = str((before["env"] or {}).get("id", ""))
    if ":" in name and told.get("env", {}).get("id") != name:  # Gymnasium would import it: for the caller to say
        raise LivedqnError(
            f"the environment of {folder} imports code ({name}); if you trust it, add env={{'id': {name!r}}}"
        )
    if told.get("logger", {}).get("plugin"):  # another one has other settings
        del before["logger"]
    return before


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first setting of ``now`` that is another than ``before``; "" where none is."""
    for name, value in now.items():
        had = before.get(name)
        if isinstance(had, Mapping) and isinstance(value, Mapping):
            if inner := _difference(had, value):
                return f"{name}.{inner}"
        elif had != value:
            return name
    return ""
