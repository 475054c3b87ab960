"""Loggers: chosen as plugins are, but ours alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn.config import LOGGERS
from livedqn.plugins.escapes import escaped
from livedqn.plugins.messages import explain
from livedqn.types import LivedqnError


def logger(node: Mapping[str, Any]) -> Any:
    """The typed settings of the logger that ``node`` names.

    Raises:
        LivedqnError: there is no such logger or setting, or a value is wrong.
    """
    if (name := node.get("plugin")) not in LOGGERS:
        raise LivedqnError(f"there is no logger={name}; choose one of {', '.join(LOGGERS)}")
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(LOGGERS[name]), escaped(node)))
    except OmegaConfBaseException as error:
        raise LivedqnError(explain(error, "logger")) from error
