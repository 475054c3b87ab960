"""What an environment says of itself before it is played."""

from __future__ import annotations

from typing import Any

from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode

from livedqn.testing.errors import ContractError, calling, described, expect, expect_instance
from livedqn.types import LivedqnError, Spec

_SPLITS = ("train", "validation", "test")
_OWED = ("num_envs", "metadata", "single_observation_space", "single_action_space", "reset", "step")
_LETTERS = {"context": "C", "history": "TH", "candidates": "KF", "mask": "K"}  # the shape of one row, see types.py


def declared(env: Any) -> Spec:
    """The specification of ``env``, whose metadata and spaces keep what is promised of them.

    Raises:
        ContractError: the first promise that they do not keep.
    """
    expect_instance(env, "check_env")
    missing = [name for name in _OWED if not hasattr(env, name)]
    expect(
        not missing,
        f"{type(env).__name__} has no {', '.join(missing)}; it owes a gymnasium.vector.VectorEnv, and a single "
        "Gymnasium environment becomes one by SyncVectorEnv([make] * rows, autoreset_mode=AutoresetMode.DISABLED)",
    )
    _check_metadata(env.metadata)
    _check_spaces(env.single_observation_space, env.single_action_space)
    try:
        with calling(type(env).__name__, "its spaces were joined with metadata['columns']"):
            spec = Spec.of(env)
    except ContractError as error:
        cause = error.__cause__
        raise ContractError(str(cause)) if isinstance(cause, LivedqnError) else error from cause
    expect(spec.episode in ("session", "viewer"), f"metadata['episode'] is {spec.episode!r}, not session or viewer")
    expect(
        spec.episode == "session" or "left" in spec.signals,
        "metadata['episode'] is 'viewer', so metadata['signals'] owes left: leaving is a step among others",
    )
    return spec


def _check_metadata(metadata: Any) -> None:
    expect(isinstance(metadata, dict), f"metadata is {described(metadata)}; it owes a dict")
    mode = metadata.get("autoreset_mode")
    expect(
        mode is AutoresetMode.DISABLED,
        f"metadata['autoreset_mode'] is {mode}; it owes AutoresetMode.DISABLED: rows restart when they are told to",
    )
    for key in ("signals", "splits"):
        names = metadata.get(key, ())
        good = isinstance(names, (tuple, list)) and all(isinstance(name, str) for name in names)
        expect(good, f"metadata[{key!r}] is {names!r}; it owes a tuple of names, or nothing")
    for key in ("overwrites", "has_nothing", "distinct"):
        flag = metadata.get(key, True)
        expect(isinstance(flag, bool), f"metadata[{key!r}] is {flag!r}; it owes a bool, or nothing")
    splits = tuple(metadata.get("splits", ()))
    expect(splits in ((), _SPLITS), f"metadata['splits'] is {splits}; it owes {_SPLITS}, or nothing")


def _check_spaces(observations: Any, actions: Any) -> None:
    expect(
        isinstance(actions, Discrete),
        f"single_action_space is {actions}; it owes Discrete(K): deep Q-learning chooses among numbered actions",
    )
    spaces = getattr(observations, "spaces", {})
    for name, letters in _LETTERS.items():
        shape = getattr(spaces.get(name), "shape", None) if name in spaces else (int(actions.n),) * len(letters)
        good = shape is not None and len(shape) == len(letters) and (letters[0] != "K" or shape[0] == actions.n)
        expect(
            good,
            f"the space of {name} has shape {shape}; it owes ({', '.join(letters)}), K being the {actions.n} actions",
        )
