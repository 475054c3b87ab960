"""From what Hydra composed to the dataclass that a command takes."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn.plugins.discover import KINDS
from livedqn.plugins.hints import restore
from livedqn.plugins.loggers import logger
from livedqn.plugins.messages import explain
from livedqn.types import LivedqnError

Config = TypeVar("Config")


def typed(composed: DictConfig, cls: type[Config]) -> Config:
    """The resolved configuration of a command; nodes of plugins are plain Python, as a checkpoint stores them.

    Raises:
        LivedqnError: a value is missing or cannot be resolved, or something is to be imported by path.
    """
    try:
        unset = sorted(OmegaConf.missing_keys(composed))
        if unset:
            kind = unset[0].partition(".")[0]
            raise LivedqnError(f"{kind}={composed[kind]['plugin']} needs a value: {unset[0]}=<value>")
        plain = _plain(OmegaConf.to_container(composed, resolve=True), "")
    except OmegaConfBaseException as error:
        raise LivedqnError(explain(error)) from error
    may_lack = ("env", "logs") if plain.get("logs") else ("logs",)
    for kind in (*KINDS, "logger"):
        if kind not in plain or (plain[kind] is None and kind in may_lack):
            continue
        if not (isinstance(plain[kind], dict) and plain[kind].get("plugin")):
            raise LivedqnError(f"a preset leaves {kind} without a plugin; choose one with {kind}=<name>")
    if "logger" in plain:
        plain["logger"] = logger(plain["logger"])
    config: Config = restore({key: value for key, value in plain.items() if key != "experiment"}, cls, "")
    return config


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        if "_target_" in value:
            raise LivedqnError(f"{where or 'the configuration'} holds _target_; livedqn builds installed plugins only")
        return {key: _plain(item, f"{where}.{key}".strip(".")) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in value]
    if isinstance(value, Enum):
        return value.name
    return str(value) if isinstance(value, Path) else value
