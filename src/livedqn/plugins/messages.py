"""One line out of what Hydra and OmegaConf raise."""

from __future__ import annotations

import re
from typing import Any

from hydra.errors import MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException, ReadonlyConfigError

from livedqn.plugins.discover import KINDS, names
from livedqn.types import did_you_mean


def explain(error: BaseException, prefix: str = "") -> str:
    """Who, what, why and what to do next, on one line.

    Args:
        error: raised while a configuration was composed, read or merged.
        prefix: where the config that was merged stands in the whole ("reward"), if it was not the whole.
    """
    cause = _root(error)
    if isinstance(cause, MissingConfigException) and cause.missing_cfg_file:
        group, _, name = cause.missing_cfg_file.rpartition("/")
        options = [
            option for option in cause.options or (names(group) if group in KINDS else ()) if not option.startswith("_")
        ]
        return f"there is no {group}={name}{did_you_mean(name, options)}; installed: {', '.join(options)}"
    if not isinstance(cause, OmegaConfBaseException):
        return _flat(str(cause))
    where = ".".join(part for part in (prefix, str(cause.full_key or "")) if part)
    what = re.sub(r"^While dereferencing interpolation '.*?': ", "", _flat(str(cause.msg)))  # escaped text is none
    said = f"{where}: {what}" if where else what
    if what.endswith("is not a ListConfig, list or tuple."):
        said = f"{where} is a list, of one value too: {where}=[...]"
    elif " is not a subclass of " in what and cause.full_key:  # of what was merged whole the key is not told
        said = f"{where} holds settings and is none itself: {where}.<name>=..."
    if isinstance(cause, ConfigKeyError | ConfigAttributeError) and isinstance(cause.parent_node, DictConfig):
        said = _unknown(where, cause.parent_node)
    elif isinstance(cause, ReadonlyConfigError):
        said = f"{where} cannot be set; choose with {where.rpartition('.')[0]}=<name>"
    experiment = re.match(r"In 'experiment/(.+?)'", str(error))
    if not experiment:
        return said
    advice = ""
    if "." in where:  # perhaps another plugin was chosen than the preset is made for
        advice = f"; it is made for another {where.partition('.')[0]}, or needs mending"
    return f"experiment={experiment[1]} does not fit: {said}{advice}"


def _root(error: BaseException) -> BaseException:
    """The error behind Hydra's wrapping, which names the key and the types."""
    inner = error.__cause__ or error.__context__
    if isinstance(inner, OmegaConfBaseException) and not isinstance(error, OmegaConfBaseException):
        return inner
    if isinstance(inner, MissingConfigException):
        return inner
    return error


def _unknown(where: str, parent: Any) -> str:
    owner, _, key = where.rpartition(".")
    there = OmegaConf.to_container(parent)
    assert isinstance(there, dict)
    known = [str(name) for name in there if name not in ("plugin", "hydra")]
    of = f" of {owner}={there['plugin']}" if owner and "plugin" in there else ""
    choice = f"it has: {', '.join(known)}" if known else "it has none"
    return f"there is no setting {where!r}{of}{did_you_mean(key, known)}; {choice}"


def _flat(text: str) -> str:
    """Without line breaks, Hydra's links, and OmegaConf's list of keys and types."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not re.match(r"(full_key|reference_type|object_type|See https?:)", line)]
    return " ".join(kept) or "no reason was given"
