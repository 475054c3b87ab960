"""What decides whether an object is an environment that livedqn can train on."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
import torch

from livedqn.testing.answers import Record
from livedqn.testing.declared import declared
from livedqn.testing.errors import ContractError, calling, described_error, expect
from livedqn.testing.records import RandomPlayer, differing
from livedqn.types import BoolArray

_STEPS = 60
_STEPS_FROM_STATE = 20


def check_env(env: Any) -> None:
    """Play ``env``, a vector environment, with random allowed actions, restarting rows as they end.

    Leaves it open, in the middle of an episode.

    Raises:
        ContractError: the first promise that it does not keep.
    """
    spec = declared(env)
    player = RandomPlayer(env, spec)
    first = _played(player, seed=1)
    _expect_same(first, _played(player, seed=1), "two runs with the same seed and actions differ")
    expect(differing(first, _played(player, seed=2)), "reset(seed=1) and reset(seed=2) start the same run")
    player.expect_restarts()
    _check_splits(env, player)
    _check_distinct(env, player)
    _check_restart(env, player)
    if spec.has_rooms:
        _check_masked_action(env, player)
    if hasattr(env, "state_dict"):
        _check_state(env, player)


def _played(player: RandomPlayer, seed: int) -> list[Record]:
    player.rng = np.random.default_rng(0)
    return [player.reset(seed=seed), *player.play(_STEPS)]


def _expect_same(first: list[Record], second: Iterable[Record], promise: str) -> None:
    different = differing(first, second)
    expect(not different, f"{promise}: see {different}")


def _check_splits(env: Any, player: RandomPlayer) -> None:
    for split in env.metadata.get("splits", ()):
        player.reset(seed=1, options={"split": split})


def _check_distinct(env: Any, player: RandomPlayer) -> None:
    """Rows ``distinct`` apart are the same viewers, and have the same luck."""
    if not env.metadata.get("distinct"):
        return
    n = 1 if env.num_envs < 3 else 2
    like = np.arange(env.num_envs) % n
    player.rng = np.random.default_rng(0)
    options = {"distinct": n}
    for record in chain([player.reset(seed=2, options=options)], player.play(_STEPS)):
        unlike = [name for name, rows in record.items() if not np.array_equal(rows, rows[like], equal_nan=True)]
        expect(
            not unlike,
            f"after reset(options={options}) rows {n} apart, which are the same viewer with the same luck and take the "
            f"same actions, differ in {', '.join(unlike)}",
        )


def _check_restart(env: Any, player: RandomPlayer) -> None:
    """``reset_mask`` restarts rows in the middle of an episode too, and they play on."""
    player.reset(seed=3)
    for attempt in range(6):  # more than once, since a row may happen to be where it began
        list(player.play(3))
        rows: BoolArray = np.arange(env.num_envs) == attempt % env.num_envs
        player.restart(rows)
        list(player.play(1))
    player.expect_restarts()


def _check_masked_action(env: Any, player: RandomPlayer) -> None:
    for seed in range(20):
        mask = player.reset(seed=seed)["mask"]
        if mask.all():
            continue
        row, action = np.argwhere(~mask)[0]
        actions = mask.argmax(axis=1)
        actions[row] = action
        try:
            env.step(actions)
        except Exception:  # whatever it is, it was refused
            return
        raise ContractError(f"step took action {action} in row {row}, which the mask closes; it owes an error")


def _check_state(env: Any, player: RandomPlayer) -> None:
    """A state taken in mid-play leads on as the environment itself went on, whatever was played in between."""
    name = type(env).__name__
    player.reset(seed=4)
    list(player.play(3))
    place, buffer = player.place(), _saved(env, name)
    player.rng = np.random.default_rng(5)
    first = list(player.play(_STEPS_FROM_STATE))
    player.reset(seed=5)  # a state that leaves out the world must not find it still there
    try:
        state = torch.load(buffer, weights_only=True)
    except Exception as error:
        raise ContractError(f"state_dict() holds more than numbers, strings and tensors: {error}") from error
    expect(hasattr(env, "load_state_dict"), f"{name} has state_dict but no load_state_dict; it owes both, or neither")
    with calling(name, "load_state_dict was given what state_dict had answered"):
        env.load_state_dict(state)
    player.go_to(place, "load_state_dict")
    player.rng = np.random.default_rng(5)
    _expect_same(first, player.play(_STEPS_FROM_STATE), "after load_state_dict the same actions lead elsewhere")


def _saved(env: Any, name: str) -> io.BytesIO:
    """What ``state_dict`` answers, as a file."""
    with calling(name, "state_dict was called"):
        state = env.state_dict()
    buffer = io.BytesIO()
    try:
        torch.save(state, buffer)
    except Exception as error:
        reason = described_error(error)
        raise ContractError(f"state_dict() holds more than numbers, strings and tensors: {reason}") from error
    buffer.seek(0)
    return buffer
