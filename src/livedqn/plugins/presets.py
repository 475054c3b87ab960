"""Presets: settings with a name, which ship as files of ``livedqn.conf`` and build on a plugin or on another preset."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn.plugins.discover import KINDS, names
from livedqn.plugins.errors import PluginError
from livedqn.plugins.escapes import escaped, unescaped
from livedqn.plugins.hints import plain
from livedqn.plugins.messages import explain
from livedqn.types import did_you_mean


def presets(kind: str) -> dict[str, str]:
    """Name -> the first line of its file, what it is for."""
    folder = files("livedqn.conf").joinpath(kind)
    found = {f.name.removesuffix(".yaml"): f.read_text() for f in folder.iterdir()} if folder.is_dir() else {}
    return {name: found[name].partition("\n")[0].removeprefix("# ") for name in sorted(found)}


def expanded(kind: str, chosen: str | Mapping[str, Any]) -> dict[str, Any]:
    """``chosen``, a name or ``{"plugin": name, **settings}``, with a preset's name replaced by what it stands for.

    A command line's presets are composed by Hydra; this is what Python's names go by. A plugin of a preset's name hides
    it, there as here.

    Raises:
        PluginError: there is no such plugin or preset, or what is laid over it is nothing that a config holds.
    """
    values = {"plugin": chosen} if isinstance(chosen, str) else dict(plain(chosen))
    name = values.get("plugin")
    if kind not in KINDS or not isinstance(name, str) or name in names(kind):
        return values
    file = files("livedqn.conf").joinpath(kind, f"{name}.yaml")
    if not name.isidentifier() or not file.is_file():
        known = sorted({*names(kind), *presets(kind)})
        raise PluginError(f"there is no {kind}={name}{did_you_mean(name, known)}; installed: {', '.join(known)}")
    own = OmegaConf.create(file.read_text(encoding="utf-8"))
    assert isinstance(own, DictConfig)
    base = next(part for part in own.pop("defaults") if part != "_self_")
    del values["plugin"]
    try:
        merged = OmegaConf.merge(escaped(expanded(kind, base)), own, escaped(values))
    except OmegaConfBaseException as error:
        raise PluginError(f"{kind}={name} cannot take that: {explain(error, kind)}") from error
    return {str(key): value for key, value in unescaped(OmegaConf.to_container(merged)).items()}
