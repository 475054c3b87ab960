"""Text that is text to OmegaConf, too, which takes dollar and brace for a reference to another setting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf


def escaped(value: Any) -> Any:
    """Plain values, as ``config.merge_with`` takes them: dollar and brace stay what they are."""
    if isinstance(value, str):  # backslashes before them count too
        return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    if isinstance(value, Mapping):
        return {key: escaped(item) for key, item in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list | tuple) else value


def as_yaml(config: Mapping[str, Any]) -> str:
    """A config as files hold it, for :func:`unescaped` to find it again."""
    return OmegaConf.to_yaml(OmegaConf.create(escaped(config)))


def unescaped(value: Any) -> Any:
    """The inverse of :func:`escaped`, of what a file holds.

    Raises:
        ValueError: it holds a reference, which was never escaped.
    """
    if isinstance(value, str):
        text = re.sub(r"(\\+)\$\{", lambda found: found[1][: len(found[1]) // 2] + "${", value)
        if escaped(text) != value:
            raise ValueError(f"{value} refers to something else")
        return text
    if isinstance(value, dict):
        return {key: unescaped(item) for key, item in value.items()}
    return [unescaped(item) for item in value] if isinstance(value, list) else value
