"""What decides whether an object is an environment that livedqn can train on."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch
from gymnasium.vector import AutoresetMode

from livedqn.testing.errors import ContractError, expect
from livedqn.testing.records import Record, Recorder, differing
from livedqn.types import BoolArray, LivedqnError, Spec

_SPLITS = ("train", "validation", "test")
_STEPS = 60


def check_env(env: Any) -> None:
    """Play ``env``, a vector environment, with random allowed actions, restarting rows as they end.

    Leaves it open, in the middle of an episode.

    Raises:
        ContractError: the first promise that it does not keep.
    """
    spec = _declared(env)
    recorder = Recorder(env, spec)
    first = _played(recorder, seed=1)
    different = differing(first, _played(recorder, seed=1))
    expect(not different, f"two runs with the same seed and actions differ: see {different}")
    expect(differing(first, _played(recorder, seed=2)), "reset(seed=1) and reset(seed=2) start the same run")
    _check_splits(env, recorder)
    _check_restart(env, recorder)
    if spec.has_rooms:
        _check_masked_action(env, recorder)
    if hasattr(env, "state_dict"):
        _check_state(env, recorder)


def _declared(env: Any) -> Spec:
    mode = env.metadata.get("autoreset_mode")
    expect(
        mode is AutoresetMode.DISABLED,
        f"metadata['autoreset_mode'] is {mode}; it owes AutoresetMode.DISABLED: rows restart when they are told to",
    )
    splits = tuple(env.metadata.get("splits", ()))
    expect(splits in ((), _SPLITS), f"metadata['splits'] is {splits}; it owes {_SPLITS}, or nothing")
    try:
        spec = Spec.of(env)
    except LivedqnError as error:
        raise ContractError(str(error)) from error
    expect(spec.episode in ("session", "viewer"), f"metadata['episode'] is {spec.episode!r}, not session or viewer")
    return spec


def _played(recorder: Recorder, seed: int) -> list[Record]:
    recorder.rng = np.random.default_rng(0)
    records = [recorder.reset(seed=seed)]
    for _ in range(_STEPS):
        records.append(recorder.step())
        if recorder.ended.any():
            records.append(recorder.restart_ended())
    return records


def _check_splits(env: Any, recorder: Recorder) -> None:
    for split in env.metadata.get("splits", ()):
        recorder.reset(seed=1, options={"split": split})


def _check_restart(env: Any, recorder: Recorder) -> None:
    """``reset_mask``: rows that it does not name are left alone. Environments that ignore it restart them all."""
    if env.num_envs == 1:
        return
    recorder.reset(seed=3)
    before = recorder.step()
    rows: BoolArray = np.zeros(env.num_envs, np.bool_)
    rows[0] = True
    rows |= recorder.ended
    if rows.all():
        return
    mask = rows.copy()
    after = recorder.reset(options={"reset_mask": mask})
    for name in after:
        kept = np.array_equal(before[name][~rows], after[name][~rows]) if name in before else True
        expect(kept, f"reset(options={{'reset_mask': ...}}) changed {name} of rows that the mask does not name")
    expect(np.array_equal(mask, rows), "reset changed the array that it was given as reset_mask")


def _check_masked_action(env: Any, recorder: Recorder) -> None:
    for seed in range(20):
        mask = recorder.reset(seed=seed)["mask"]
        if mask.all():
            continue
        row, action = np.argwhere(~mask)[0]
        actions = np.zeros(env.num_envs, np.int64)
        actions[row] = action
        try:
            env.step(actions)
        except Exception:  # whatever it is, it was refused
            return
        raise ContractError(f"step took action {action} in row {row}, which the mask closes; it owes an error")


def _check_state(env: Any, recorder: Recorder) -> None:
    recorder.reset(seed=4)
    recorder.step()
    if recorder.ended.any():
        recorder.restart_ended()
    buffer, kept = io.BytesIO(), recorder.observation
    torch.save(env.state_dict(), buffer)
    first = [recorder.step(seed=0)]
    buffer.seek(0)
    try:
        state = torch.load(buffer, weights_only=True)
    except Exception as error:
        raise ContractError(f"state_dict() holds more than numbers, strings and tensors: {error}") from error
    env.load_state_dict(state)
    recorder.observation = kept
    again = [recorder.step(seed=0)]
    different = differing(first, again)
    expect(not different, f"after load_state_dict the same actions lead elsewhere: see {different}")
