"""The plugins of a run that names none: the defaults list of ``conf/train.yaml``, their only home."""

from __future__ import annotations

from importlib.resources import files

from omegaconf import OmegaConf

from livedqn.plugins.discover import KINDS


def defaults() -> dict[str, str]:
    """Kind (and ``logger``) -> name."""
    text = files("livedqn.conf").joinpath("train.yaml").read_text(encoding="utf-8")
    entries = OmegaConf.to_container(OmegaConf.create(text))["defaults"]  # type: ignore[index,call-overload]
    return {
        str(kind): str(name)
        for entry in entries
        if isinstance(entry, dict)
        for kind, name in entry.items()
        if kind in (*KINDS, "logger") and name is not None
    }
