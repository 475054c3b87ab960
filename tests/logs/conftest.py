"""Whether logs are the same, and how to spoil a row of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from livedqn.logs import Impressions


@pytest.fixture
def spoilt() -> Callable[..., Impressions]:
    """``spoilt(impressions, propensity=(3, 1.5))``: row 3 with another value; dots lead into dictionaries."""

    def spoil(impressions: Impressions, **changes: tuple[Any, Any]) -> Impressions:
        for name, (row, value) in changes.items():
            outer, _, inner = name.partition("__")
            whole = getattr(impressions, outer)
            changed = (whole[inner] if inner else whole).copy()
            changed[row] = value
            impressions = replace(impressions, **{outer: whole | {inner: changed} if inner else changed})
        return impressions

    return spoil


@pytest.fixture
def same() -> Callable[[Impressions, Impressions], None]:
    """``same(one, other)``."""
    return expect_same


def expect_same(one: Impressions, other: Impressions) -> None:
    """Assert that all rows are equal, NaN being equal to NaN; rows may be padded differently."""
    width = max(one.rooms.shape[1], other.rooms.shape[1])

    def padded(array: Any) -> Any:
        return np.pad(array, [(0, 0), (0, width - array.shape[1]), *[(0, 0)] * (array.ndim - 2)])

    for field in fields(Impressions):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if field.name in ("row", "source"):
            continue
        if not isinstance(mine, dict):
            mine, theirs = {"": mine}, {"": theirs}
        assert mine.keys() == theirs.keys()
        for name in mine:
            ragged = name in ("mask", "candidates") or field.name in ("rooms", "streamers")
            values = [padded(array) if ragged else array for array in (mine[name], theirs[name])]
            np.testing.assert_array_equal(*values, err_msg=f"{field.name} {name}")
