"""Presets: settings with a name, which ship as files of ``livedqn.conf`` and build on a plugin or on another preset."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from omegaconf import DictConfig, OmegaConf

from livedqn.plugins.discover import KINDS, names
from livedqn.plugins.escapes import escaped, unescaped
from livedqn.plugins.hints import plain


def presets(kind: str) -> dict[str, str]:
    """Name -> the first line of its file, what it is for."""
    folder = files("livedqn.conf").joinpath(kind)
    found = {f.name.removesuffix(".yaml"): f.read_text() for f in folder.iterdir()} if folder.is_dir() else {}
    return {name: found[name].partition("\n")[0].removeprefix("# ") for name in sorted(found)}


def expanded(kind: str, chosen: str | Mapping[str, Any]) -> dict[str, Any]:
    """``chosen``, a name or ``{"plugin": name, **settings}``, with a preset's name replaced by what it stands for.

    A command line's presets are composed by Hydra; this is what Python's names go by. A plugin of a preset's name hides
    it, there as here.
    """
    values = {"plugin": chosen} if isinstance(chosen, str) else dict(plain(chosen))
    name = values.get("plugin")
    if kind not in KINDS or not isinstance(name, str) or name in names(kind):
        return values
    file = files("livedqn.conf").joinpath(kind, f"{name}.yaml")
    if not name.isidentifier() or not file.is_file():
        return values
    own = OmegaConf.create(file.read_text(encoding="utf-8"))
    assert isinstance(own, DictConfig)
    base = next(part for part in own.pop("defaults") if part != "_self_")
    del values["plugin"]
    merged = OmegaConf.merge(escaped(expanded(kind, base)), own, escaped(values))
    return {str(key): value for key, value in unescaped(OmegaConf.to_container(merged)).items()}
