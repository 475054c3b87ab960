"""Hydra's view of the plugins: a source of configs that answers from package metadata and signatures.

``reward=gift`` asks it for ``reward/gift``; only then is that plugin imported. It also answers the schema of each
command (``TrainConfig`` ...), and, where a command starts from an earlier run, that run's values: laid over the
command's schema, and as one more option of every kind, ``_run_``. They travel in the path of the source as JSON, so
that worker processes of a launcher compose the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn import config
from livedqn.plugins.discover import KINDS, names
from livedqn.plugins.errors import PluginError
from livedqn.plugins.escapes import escaped
from livedqn.plugins.messages import explain
from livedqn.plugins.schema import fixed, node

RUN = "_run_"
SCHEMAS = {name: getattr(config, name) for name in config.__all__ if name.endswith("Config")}
GROUPS = (*KINDS, "logger")


def register(values: Mapping[str, Any]) -> None:
    """Make Hydra ask us first, and lay ``values`` (of a run, of a command line) over what we answer."""
    path = f"livedqn://{json.dumps(values)}".replace("${", "$\\u007b")  # Hydra keeps it in a config

    class LivedqnSearchPath(SearchPathPlugin):
        """Puts us in front, so that no file of a plugin's name hides the plugin."""

        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            search_path.prepend("livedqn", path)

    plugins = Plugins.instance()
    plugins.register(LivedqnSource)
    known = plugins.plugin_type_to_subclass_list[SearchPathPlugin]
    known[:] = [cls for cls in known if cls.__name__ != LivedqnSearchPath.__name__]
    plugins.register(LivedqnSearchPath)


class LivedqnSource(ConfigSource):
    """``livedqn://<values as JSON>``."""

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        self._values: dict[str, Any] = json.loads(self.path or "{}")

    @staticmethod
    def scheme() -> str:
        """The prefix of its paths."""
        return "livedqn"

    def available(self) -> bool:
        """Always: there are built-in plugins."""
        return True

    def is_group(self, config_path: str) -> bool:
        """True for the root and for every kind."""
        return config_path.strip("/") in ("", *GROUPS)

    def is_config(self, config_path: str) -> bool:
        """True for an installed plugin's name, whether or not it can be imported."""
        group, name = _split(config_path)
        if not group:
            return name in SCHEMAS
        return group in GROUPS and (name in _names(group) or (name == RUN and group in self._values))

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """The kinds, or the names of one kind; nothing is imported."""
        group = config_path.strip("/")
        if group == "":
            return [] if results_filter is ObjectType.CONFIG else sorted(GROUPS)
        return [] if group not in GROUPS or results_filter is ObjectType.GROUP else _names(group)

    def load_config(self, config_path: str) -> ConfigResult:
        """Import the one plugin and answer its schema."""
        if not self.is_config(config_path):
            raise ConfigLoadError(f"there is no config {config_path}")
        group, name = _split(config_path)
        if not group:
            given = {key: value for key, value in self._values.items() if key not in GROUPS}
            result = _merged(OmegaConf.structured(SCHEMAS[name]), given, "")
        elif name == RUN:
            given = dict(self._values[group] or {})  # a run from logs has no env: Hydra asks, and then takes it out
            result = _merged(_node(group, given.pop("plugin")), given, group) if given else OmegaConf.create({})
        else:
            result = _node(group, name)
        header: dict[str, str | None] = {"package": group or None}
        return ConfigResult(provider=self.provider, path=self.full_path(), config=result, header=header)


def _node(group: str, name: str) -> DictConfig:
    return fixed(OmegaConf.structured(config.LOGGERS[name])) if group == "logger" else node(group, name)


def _names(group: str) -> list[str]:
    return sorted(config.LOGGERS) if group == "logger" else names(group)


def _merged(schema: DictConfig, given: Mapping[str, Any], group: str) -> DictConfig:
    try:
        schema.merge_with(escaped(given))
    except OmegaConfBaseException as error:
        raise PluginError(f"the run's config does not fit this livedqn: {explain(error, group)}") from error
    return schema


def _split(config_path: str) -> tuple[str, str]:
    group, _, name = config_path.strip("/").removesuffix(".yaml").rpartition("/")
    return group, name
