"""Build a plugin by name from its settings. Nothing that a config holds is ever imported by path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from livedqn.plugins.discover import load, who
from livedqn.plugins.errors import PluginError, reason
from livedqn.plugins.hints import restore
from livedqn.plugins.messages import explain
from livedqn.plugins.schema import node
from livedqn.plugins.signature import settings
from livedqn.types import LivedqnError


def build(kind: str, chosen: Mapping[str, Any] | str, *supplied: Any) -> Any:
    """The plugin that ``chosen`` names, built with what livedqn supplies and with typed settings.

    Args:
        kind: one of :data:`livedqn.plugins.KINDS`.
        chosen: a name (all defaults), or ``{"plugin": name, **settings}``.
        supplied: what livedqn hands to every plugin of this kind, by position.

    Raises:
        PluginError: no such plugin or setting, a value of a wrong type, or the plugin breaks its promise.
    """
    values = {"plugin": chosen} if isinstance(chosen, str) else dict(chosen)
    name = values.pop("plugin", None)
    if not isinstance(name, str):
        raise PluginError(f"the settings of {kind} name no plugin: add 'plugin': <name>")
    plugin = who(kind, name)
    try:
        config = node(kind, name)
        OmegaConf.set_struct(config, True)
        config.merge_with(values)
        unset = sorted(OmegaConf.missing_keys(config))
        plain = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        raise PluginError(f"{plugin}: {explain(error, kind)}") from error
    if unset:
        raise PluginError(f"{kind}={name} needs a value for {', '.join(f'{kind}.{key}' for key in unset)}")
    assert isinstance(plain, dict)
    try:
        arguments = {s.name: restore(plain[s.name], s.hint, f"{kind}.{s.name}") for s in settings(kind, name)}
        built = load(kind, name)(*supplied, **arguments)
    except ValueError as error:
        raise PluginError(f"{plugin} refuses its settings: {' '.join(str(error).split())}") from error
    except LivedqnError:
        raise
    except Exception as error:  # a missing file, a bug: whose it is has to be said
        raise PluginError(f"{plugin} cannot be built: {reason(error)}; HYDRA_FULL_ERROR=1 shows where") from error
    _check(kind, built, plugin)
    return built


def _check(kind: str, built: Any, plugin: str) -> None:
    from livedqn import protocols  # needs torch, which a command without a network does not import

    promise = {
        "env": protocols.Env,
        "reward": protocols.Reward,
        "encoder": protocols.Encoder,
        "exploration": protocols.Exploration,
        "replay": protocols.Replay,
        "logs": protocols.Logs,
    }.get(kind)
    if promise is None:
        return
    names = {*promise.__annotations__, *(key for key, value in vars(promise).items() if callable(value))}
    public = sorted(key for key in names if key == "__call__" or not key.startswith("_"))
    missing = [key for key in public if not hasattr(built, key)]
    if missing:
        tested = "" if kind in ("replay", "logs") else f", and livedqn.testing.check_{kind} tests it"
        contract = f"the contract is livedqn.protocols.{promise.__name__}{tested}"
        raise PluginError(f"{plugin} lacks {', '.join(missing)}; {contract}")
    if kind == "reward" and not (isinstance(built.signals, tuple) and all(isinstance(n, str) for n in built.signals)):
        raise PluginError(f"{plugin} has signals={built.signals!r}; a reward owes a tuple of the names that it reads")
