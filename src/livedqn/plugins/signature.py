"""Read the settings of a plugin off its constructor: every parameter that livedqn does not supply itself."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from livedqn.plugins.discover import load, who
from livedqn.plugins.errors import PluginError, reason
from livedqn.plugins.hints import refusal
from livedqn.types import LivedqnError

#: How many parameters of a plugin livedqn supplies, by position, whatever their names (see ``livedqn.protocols``).
SUPPLIED = {"env": 1, "reward": 0, "encoder": 1, "exploration": 0, "agent": 2, "replay": 3, "logs": 0}
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclasses.dataclass(frozen=True)
class Setting:
    """One configurable parameter; ``make_default`` is None where the user has to give a value."""

    name: str
    hint: Any
    make_default: Callable[[], Any] | None


def settings(kind: str, name: str) -> list[Setting]:
    """The settings of a plugin, in the order of its signature; imports it.

    Raises:
        PluginError: it cannot be loaded, or a parameter cannot be configured.
    """
    target = load(kind, name)
    try:
        return _settings(kind, name, target)
    except LivedqnError:
        raise
    except Exception as error:  # annotations are code of the plugin's, and may raise anything
        raise PluginError(f"{who(kind, name)} has a signature that cannot be read: {reason(error)}") from error


def _settings(kind: str, name: str, target: Any) -> list[Setting]:
    if not callable(target):
        raise PluginError(f"{who(kind, name)} is {target!r}; a plugin is a class or a function")
    parameters = list(inspect.signature(target).parameters.values())
    supplied = SUPPLIED[kind]
    if len(parameters) < supplied or any(p.kind not in _BY_POSITION for p in parameters[:supplied]):
        raise PluginError(f"{who(kind, name)} must take {supplied} arguments by position; see livedqn.protocols")
    hints, factories = _hints(target, parameters[supplied:], who(kind, name)), _factories(target)
    found = []
    for parameter in parameters[supplied:]:
        problem = _refusal(parameter, hints)
        if problem:
            raise PluginError(f"{who(kind, name)}: parameter {parameter.name!r} cannot be configured: {problem}")
        make_default = factories.get(parameter.name)
        if make_default is None and parameter.default is not inspect.Parameter.empty:
            make_default = _constant(parameter.default)
        found.append(Setting(parameter.name, hints[parameter.name], make_default))
    return found


def _refusal(parameter: inspect.Parameter, hints: dict[str, Any]) -> str | None:
    if parameter.kind in _VARIADIC:
        return "name each setting instead of * or **"
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        return "it is positional-only"
    if parameter.name == "plugin":
        return "the name is taken by livedqn"
    if parameter.name not in hints:
        return "annotate it with a type"
    return refusal(hints[parameter.name])


def _hints(target: Any, parameters: list[inspect.Parameter], plugin: str) -> dict[str, Any]:
    """Resolve the annotations of these parameters alone: others may be importable by type checkers only."""
    if dataclasses.is_dataclass(target):  # fields of a base class are resolved where that class stands
        annotated: dict[str, tuple[Any, dict[str, Any]]] = {}
        for base in reversed(inspect.getmro(target)):  # type: ignore[arg-type]
            scope = vars(inspect.getmodule(base))
            annotated |= {key: (hint, scope) for key, hint in vars(base).get("__annotations__", {}).items()}
    else:
        function = inspect.unwrap(target.__init__ if inspect.isclass(target) else target)
        scope = getattr(function, "__globals__", {})
        annotated = {key: (hint, scope) for key, hint in getattr(function, "__annotations__", {}).items()}
    resolved: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name not in annotated:
            continue
        hint, scope = annotated[parameter.name]
        holder = type("_Holder", (), {"__annotations__": {parameter.name: hint}})
        try:
            resolved |= get_type_hints(holder, globalns=scope)
        except Exception as error:
            raise PluginError(
                f"{plugin}: the type of parameter {parameter.name!r} cannot be read: {reason(error)}"
            ) from error
    return resolved


def _factories(target: Any) -> dict[str, Callable[[], Any]]:
    """The ``default_factory`` of dataclass fields, which a signature shows as a sentinel."""
    if not dataclasses.is_dataclass(target):
        return {}
    missing = dataclasses.MISSING
    return {f.name: f.default_factory for f in dataclasses.fields(target) if f.default_factory is not missing}


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value
