"""Build a plugin by name from its settings. Nothing that a config holds is ever imported by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn.plugins.discover import load, who
from livedqn.plugins.errors import PluginError, reason
from livedqn.plugins.escapes import escaped
from livedqn.plugins.hints import restore
from livedqn.plugins.messages import explain
from livedqn.plugins.presets import expanded
from livedqn.plugins.schema import node
from livedqn.plugins.signature import settings
from livedqn.types import LivedqnError


def build(kind: str, chosen: Mapping[str, Any] | str | Callable[..., Any], *supplied: Any) -> Any:
    """The plugin that ``chosen`` names, built with what livedqn supplies and with typed settings.

    Args:
        kind: one of :data:`livedqn.plugins.KINDS`.
        chosen: a name (all defaults), ``{"plugin": name, **settings}``, either with a preset's name too, or from Python
            what needs no name: where something is supplied what makes one of it (a class, a function), else the thing
            itself.
        supplied: what livedqn hands to every plugin of this kind, by position.

    Raises:
        PluginError: no such plugin or setting, a value of a wrong type, or the plugin breaks its promise.
    """
    if not isinstance(chosen, str | Mapping):
        return _given(kind, chosen, supplied)
    values = expanded(kind, chosen)
    name = values.pop("plugin", None)
    if not isinstance(name, str):
        raise PluginError(f"the settings of {kind} name no plugin: add 'plugin': <name>")
    plugin = who(kind, name)
    try:
        config = node(kind, name)
        OmegaConf.set_struct(config, True)
        config.merge_with(escaped(values))
        unset = sorted(OmegaConf.missing_keys(config))
        known = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        raise PluginError(f"{plugin}: {explain(error, kind)}") from error
    if unset:
        raise PluginError(f"{kind}={name} needs a value for {', '.join(f'{kind}.{key}' for key in unset)}")
    assert isinstance(known, dict)
    try:
        arguments = {s.name: restore(known[s.name], s.hint, f"{kind}.{s.name}") for s in settings(kind, name)}
        built = load(kind, name)(*supplied, **arguments)
    except ValueError as error:
        raise PluginError(f"{plugin} refuses its settings: {' '.join(str(error).split())}") from error
    except LivedqnError:
        raise
    except Exception as error:  # a missing file, a bug: whose it is has to be said
        raise PluginError(f"{plugin} cannot be built: {reason(error)}; HYDRA_FULL_ERROR=1 shows where") from error
    _check(kind, built, plugin)
    return built


def _given(kind: str, given: Any, supplied: tuple[Any, ...]) -> Any:
    """What ``given``, an object from Python, is or makes; what it raises itself is its owner's to see whole."""
    name = getattr(given, "__name__", type(given).__name__)
    if not supplied and isinstance(given, type):
        raise PluginError(f"{kind} was given the class {name}; it takes an instance: {kind}={name}(...)")
    if supplied and not (callable(given) and (isinstance(given, type) or _lacks(kind, given))):
        raise PluginError(f"{kind} was given a {name}; it takes what makes one, a class or a function")
    built = given(*supplied) if supplied else given
    _check(kind, built, f"{kind}={name} (from Python)")
    return built


def _promise(kind: str) -> Any:
    from livedqn import protocols  # needs torch, which a command without a network does not import

    return {
        "env": protocols.Env,
        "reward": protocols.Reward,
        "encoder": protocols.Encoder,
        "exploration": protocols.Exploration,
        "replay": protocols.Replay,
        "logs": protocols.Logs,
    }.get(kind)


def _lacks(kind: str, built: Any) -> list[str]:
    """What the contract of a kind, if there is one, asks for and ``built`` does not have, sorted."""
    if (promise := _promise(kind)) is None:
        return []
    names = {*promise.__annotations__, *(key for key, value in vars(promise).items() if callable(value))}
    public = sorted(key for key in names if key == "__call__" or not key.startswith("_"))
    return [key for key in public if not hasattr(built, key)]


def _check(kind: str, built: Any, plugin: str) -> None:
    if missing := _lacks(kind, built):
        tested = "" if kind == "replay" else f", and livedqn.testing.check_{kind} tests it"
        contract = f"the contract is livedqn.protocols.{_promise(kind).__name__}{tested}"
        raise PluginError(f"{plugin} lacks {', '.join(missing)}; {contract}")
    if kind == "reward" and not (isinstance(built.signals, tuple) and all(isinstance(n, str) for n in built.signals)):
        raise PluginError(f"{plugin} has signals={built.signals!r}; a reward owes a tuple of the names that it reads")
