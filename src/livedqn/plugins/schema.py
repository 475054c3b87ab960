"""The typed configuration of one plugin: a dataclass made from its signature, with its name in ``plugin``."""

from __future__ import annotations

import dataclasses
from copy import deepcopy
from typing import Any, cast, get_origin, get_type_hints

from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn.plugins.discover import who
from livedqn.plugins.errors import PluginError
from livedqn.plugins.signature import Setting, settings
from livedqn.types import first_line


def schema(kind: str, name: str) -> type:
    """A dataclass: ``plugin`` and a typed field for each setting, with the signature's own defaults.

    Raises:
        PluginError: the plugin cannot be loaded or configured.
    """
    fields = [("plugin", str, name), *((s.name, s.hint, _field(s)) for s in settings(kind, name))]
    return dataclasses.make_dataclass(f"{kind}={name}".replace("=", "_"), fields)


def node(kind: str, name: str) -> DictConfig:
    """The schema as a config: dictionaries take any key, ``plugin`` takes no other value."""
    try:
        config: DictConfig = OmegaConf.structured(schema(kind, name))
    except OmegaConfBaseException as error:
        raise PluginError(f"{who(kind, name)}: a default does not fit its type: {first_line(error)}") from error
    return fixed(config)


def fixed(config: DictConfig) -> DictConfig:
    """The same config with ``plugin`` read-only, all other settings writable, every dictionary open for new keys."""
    config._get_node("plugin")._set_flag("readonly", True)  # type: ignore[union-attr]
    _open(config)
    return config


def _open(config: DictConfig) -> None:
    for key in config:
        child = None if OmegaConf.is_missing(config, key) else config._get_node(key)
        if isinstance(child, DictConfig) and not child._is_none():
            if dataclasses.is_dataclass(OmegaConf.get_type(child)):
                OmegaConf.set_readonly(child, False)  # a frozen dataclass, too, is configured before it is built
            else:
                OmegaConf.set_struct(child, False)
            _open(child)


def _needed(cls: type) -> DictConfig:
    """A dataclass whose fields are to be given, as a config that takes them one by one, however deep."""
    config: DictConfig = OmegaConf.structured(cls)
    OmegaConf.set_readonly(config, False)
    for key, hint in get_type_hints(cls).items():
        if dataclasses.is_dataclass(hint) and OmegaConf.is_missing(config, key):
            config[key] = _needed(cast(type, hint))
    return config


def _field(setting: Setting) -> Any:
    if setting.make_default is None and get_origin(setting.hint) is dict:  # OmegaConf adds no key to a missing dict
        return dataclasses.field(default_factory=dict)
    if setting.make_default is None and dataclasses.is_dataclass(setting.hint):  # nor a field to one
        return dataclasses.field(default_factory=lambda: _needed(cast(type, setting.hint)))
    if setting.make_default is None:
        return dataclasses.field(default=MISSING)
    make_default = setting.make_default
    return dataclasses.field(default_factory=lambda: deepcopy(make_default()))
