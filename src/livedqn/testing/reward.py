"""What decides whether a class is a reward."""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.protocols import Reward
from livedqn.testing.errors import ContractError, described, described_error, expect, expect_instance
from livedqn.types import FloatArray

_ROWS = 64
_EVENTS = ("clicked", "liked", "commented", "followed", "left", "shown")


def check_reward(reward: Reward) -> None:
    """Try ``reward`` on made signals.

    Raises:
        ContractError: the first promise that it does not keep.
    """
    expect_instance(reward, "check_reward")
    name = type(reward).__name__
    expect(callable(reward), f"{name} cannot be called; it owes __call__(signals)")
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
        signals.keys() == before.keys(),
        f"{name} added or removed signals ({', '.join(sorted(signals.keys() ^ before.keys()))}); it may only read them",
    )
    expect(
        isinstance(answer, np.ndarray) and answer.shape == (size,) and answer.dtype == np.float32,
        f"{name} answered {described(answer)} to signals of shape ({size},); it owes float32 of the same shape",
    )
    expect(np.isfinite(answer).all(), f"{name} answered values that are not finite; it owes finite rewards")
    for n, values in signals.items():
        expect(np.array_equal(values, before[n]), f"{name} changed signal {n!r}, which it may only read")
    answer = answer.copy()
    again = _call(name, reward, signals)
    expect(np.array_equal(again, answer), f"{name} answered differently to the same signals; a reward is pure")
    # each alone: another order of the rows would not betray what they share, such as a mean over all
    for row in range(size):
        alone = _call(name, reward, {n: values[row : row + 1] for n, values in signals.items()})
        expect(
            np.shape(alone) == (1,) and np.allclose(alone[0], answer[row], rtol=1e-5, atol=1e-6),
            f"{name} lets one row's signals decide another row's reward; rows are different viewers",
        )


def _call(name: str, reward: Reward, signals: dict[str, FloatArray]) -> FloatArray:
    try:
        return reward(signals)
    except KeyError as error:
        if error.args[:1] and error.args[0] not in reward.signals:
            raise ContractError(f"{name} reads signal {error}, which {name}.signals does not name") from error
        raise ContractError(f"{name} raised KeyError: {error} when given the signals that it names") from error
    except Exception as error:
        raise ContractError(f"{name} raised {described_error(error)} when given the signals that it names") from error


def _made(name: str, size: int, rng: np.random.Generator) -> FloatArray:
    """Events are 0 or 1, ``native`` may be negative, time passes, all else is an amount: often 0, seldom large."""
    if name in _EVENTS:
        return (rng.random(size) < 0.5).astype(np.float32)
    if name == "native":
        return rng.normal(size=size).astype(np.float32)
    if name == "elapsed_s":  # never 0: a reward may divide by it
        return rng.lognormal(3, 2, size).astype(np.float32)
    return ((rng.random(size) < 0.7) * rng.lognormal(3, 2, size)).astype(np.float32)
