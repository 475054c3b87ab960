"""Plugins: found by package metadata, typed by their signatures, built by name. There is no registry.

``names`` imports nothing, ``schema`` imports the one plugin that was chosen, ``build`` builds it.
"""

from livedqn.plugins.build import build
from livedqn.plugins.defaults import defaults
from livedqn.plugins.discover import KINDS, PARTS, is_built_in, names
from livedqn.plugins.errors import PluginError
from livedqn.plugins.escapes import as_yaml, escaped, unescaped
from livedqn.plugins.hints import plain
from livedqn.plugins.presets import expanded
from livedqn.plugins.schema import schema

__all__ = [
    "KINDS",
    "PARTS",
    "PluginError",
    "as_yaml",
    "build",
    "defaults",
    "escaped",
    "expanded",
    "is_built_in",
    "names",
    "plain",
    "schema",
    "unescaped",
]
