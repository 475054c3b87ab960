"""What decides whether a class is a reward."""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.protocols import Reward
from livedqn.testing.errors import ContractError, expect
from livedqn.types import FloatArray

_ROWS = 64
_EVENTS = ("clicked", "liked", "commented", "followed", "left", "shown")


def check_reward(reward: Reward) -> None:
    """Try ``reward`` on made signals.

    Raises:
        ContractError: the first promise that it does not keep.
    """
    name = type(reward).__name__
    names: Any = getattr(reward, "signals", None)
    expect(
        isinstance(names, tuple) and all(isinstance(n, str) for n in names),
        f"{name}.signals is {names!r}; it owes a tuple of the signals' names that it reads",
    )
    rng = np.random.default_rng(0)
    for size in (1, _ROWS):
        _check(name, reward, {n: _made(n, size, rng) for n in names}, size)


def _check(name: str, reward: Reward, signals: dict[str, FloatArray], size: int) -> None:
    before = {n: values.copy() for n, values in signals.items()}
    answer = _call(name, reward, signals)
    expect(
        isinstance(answer, np.ndarray) and answer.shape == (size,) and answer.dtype == np.float32,
        f"{name} answered {_described(answer)} to signals of shape ({size},); it owes float32 of the same shape",
    )
    expect(np.isfinite(answer).all(), f"{name} answered values that are not finite; it owes finite rewards")
    for n, values in signals.items():
        expect(np.array_equal(values, before[n]), f"{name} changed signal {n!r}, which it may only read")
    answer = answer.copy()
    again = _call(name, reward, signals)
    expect(np.array_equal(again, answer), f"{name} answered differently to the same signals; a reward is pure")
    order = np.arange(size)[::-1]
    reversed_answer = _call(name, reward, {n: values[order] for n, values in signals.items()})
    expect(
        np.allclose(reversed_answer, answer[order], rtol=1e-5, atol=1e-6),
        f"{name} lets one row's signals decide another row's reward; rows are different viewers",
    )


def _call(name: str, reward: Reward, signals: dict[str, FloatArray]) -> FloatArray:
    try:
        return reward(signals)
    except KeyError as error:
        raise ContractError(f"{name} reads signal {error}, which {name}.signals does not name") from error


def _made(name: str, size: int, rng: np.random.Generator) -> FloatArray:
    """Events are 0 or 1, the environment's reward may be negative, all else is an amount: often 0, seldom large."""
    if name in _EVENTS:
        return (rng.random(size) < 0.5).astype(np.float32)
    if name == "native":
        return rng.normal(size=size).astype(np.float32)
    return ((rng.random(size) < 0.7) * rng.lognormal(3, 2, size)).astype(np.float32)


def _described(answer: object) -> str:
    if isinstance(answer, np.ndarray):
        return f"{answer.dtype} of shape {answer.shape}"
    return f"a {type(answer).__name__}"
