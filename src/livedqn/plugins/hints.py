"""Types that a setting may have, and the way back from configured values to annotated ones."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

_PRIMITIVES = (bool, int, float, str)


def refusal(hint: Any) -> str | None:
    """Why a parameter of this type cannot be configured, or None where it can."""
    if hint is Any or hint in (*_PRIMITIVES, Path) or _is_enum(hint):
        return None
    if dataclasses.is_dataclass(hint):
        problems = (refusal(inner) for inner in get_type_hints(hint).values())
        return next((problem for problem in problems if problem), None)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _refuse_union([option for option in inner if option is not NoneType], optional=NoneType in inner)
    if origin is dict and inner and inner[0] in _PRIMITIVES:
        return refusal(inner[1])
    if origin in (list, tuple) and inner:
        if len(set(inner) - {...}) > 1:  # OmegaConf would take the first type for all
            return "the values of a tuple must be of one type"
        return refusal(inner[0])
    if origin is Literal:
        return "Literal is not supported; use an Enum, or str and raise a ValueError that lists the choices"
    name = getattr(hint, "__name__", str(hint))
    return f"{name} is none of bool, int, float, str, Path, Enum, Any, list[...], tuple[...], dict[str, ...], dataclass"


def plain(value: Any) -> Any:
    """A value as a config holds it: scalars of NumPy are numbers, paths are texts, a dataclass is its fields."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def restore(value: Any, hint: Any, where: str) -> Any:
    """Build the annotated type back from plain values: tuples, paths, enums and dataclasses, however deep.

    Raises:
        ValueError: a tuple of fixed length got another one.
    """
    if value is None or hint is Any:
        return value
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        options = [option for option in inner if option is not NoneType]
        return restore(value, options[0], where) if len(options) == 1 else value
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        build: Callable[..., Any] = hint  # type: ignore[assignment]
        taken = [field.name for field in dataclasses.fields(hint) if field.init]
        return build(**{key: restore(value[key], hints[key], f"{where}.{key}") for key in taken if key in value})
    if origin is dict:
        return {key: restore(item, inner[1], f"{where}.{key}") for key, item in value.items()}
    if origin is list:
        return [restore(item, inner[0], where) for item in value]
    if origin is tuple:
        hints_of_items = [inner[0]] * len(value) if inner[-1] is ... else list(inner)
        if len(value) != len(hints_of_items):
            raise ValueError(f"{where} takes {len(hints_of_items)} values, not {len(value)}")
        return tuple(restore(item, h, where) for item, h in zip(value, hints_of_items, strict=True))
    return value


def _refuse_union(options: list[Any], *, optional: bool) -> str | None:
    if len(options) == 1:
        if optional and get_origin(options[0]) is dict:
            return "an optional dict is not supported; let its default be an empty dict"
        return refusal(options[0])
    if all(option in _PRIMITIVES for option in options):
        return None
    return "a union may hold bool, int, float, str and None only"


def _is_enum(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, Enum)
