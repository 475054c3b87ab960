"""Decisions of whole sessions as impressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np

from livedqn.logs import NO_ACTION, Impressions
from livedqn.types import FloatArray, IntArray, Observation, Spec
from livedqn_reagent.decisions import Decision


def impressions(
    sessions: Sequence[Sequence[Decision]], spec: Spec, step_s: float, repeats: bool, source: str
) -> Impressions:
    """All rows of ``sessions``, each sorted by ``sequence_number``; where one goes on, its last observation, too.

    With ``repeats`` an empty last list of possible actions is that of the step before.
    """
    rows = [row for session in sessions for row in _rows(session, repeats)]
    n = len(rows)
    ends = np.array([row.action is None and not row.defect for row in rows])
    last = np.array([one.mdp_id != other.mdp_id or not one.mdp_id for one, other in pairwise(rows)] + [True])
    goes_on = np.concatenate([ends[1:], [False]]) & ~last
    absent = np.where(ends, np.nan, 0).astype(np.float32)
    session = np.array([_name(row.mdp_id.encode()) if row.mdp_id else -1 - row.row for row in rows])
    at = np.array([row.row for row in rows])
    time_s = np.array([row.sequence for row in rows]) * step_s
    observation, rooms = _observed(rows, spec)

    def number(field: str) -> FloatArray:
        return np.array([getattr(row, field) for row in rows], np.float32) + absent

    signals = {name: [row.signals[i] if row.signals else 0 for row in rows] for i, name in enumerate(spec.signals)}
    return Impressions(
        request=np.where(ends, -1 - at, at), session=session, viewer=session,
        time_s=np.clip(time_s, -(2**62), 2**62).astype(np.int64),
        observation=observation, rooms=rooms, streamers=rooms,
        action=np.where(ends, NO_ACTION, _actions(rows, spec)), propensity=number("propensity"), policy=np.full(n, ""),
        signals={name: np.array(values, np.float32) + absent for name, values in signals.items()},
        native=number("reward"), terminated=last & ~ends, truncated=goes_on, elapsed_s=number("time_diff") * step_s,
        row=at, source=source, defect=np.array([row.defect for row in rows], np.str_),
    )  # fmt: skip


def _rows(session: Sequence[Decision], repeats: bool) -> Iterator[Decision]:
    """With time to the next, what is wrong between two, and how the last one ends."""
    if not session[0].mdp_id:  # none of these can be placed
        yield from session
        return
    for row, following in pairwise(session):
        passed = following.sequence - row.sequence
        wrong = "" if np.isnan(row.time_diff) or row.time_diff == passed else "time_diff does not lead to the next row"
        wrong = "sequence_number comes twice in its mdp_id" if passed == 0 else wrong
        yield replace(row, time_diff=float(passed), defect=row.defect or wrong)
    last = session[-1]
    if np.isnan(last.time_diff):
        last = replace(last, time_diff=1.0)
    if not last.possible and repeats and len(session) > 1:
        last = replace(last, possible=session[-2].possible)
    elif not last.possible and last.action is not None:
        last = replace(last, possible=(last.action,), propensity=np.nan)
    yield last
    if last.next_possible and last.next_state is not None:
        yield Decision(
            last.row, last.mdp_id, int(last.sequence + last.time_diff), last.next_state, last.next_possible
        )  # fmt: skip


def _observed(rows: Sequence[Decision], spec: Spec) -> tuple[Observation, IntArray]:
    """Observation, and ids (N, K): equal ones of equal actions."""
    n, k = len(rows), spec.num_actions
    mask, rooms = np.zeros((n, k), np.bool_), np.zeros((n, k), np.int64)
    context = np.zeros((n, len(spec.context)), np.float32)
    for i, row in enumerate(rows):
        if row.state is not None:
            context[i] = row.state
    if not spec.has_rooms:
        for i, row in enumerate(rows):
            mask[i, np.array(row.possible, np.int64).ravel()] = True
        return {"context": context, "mask": mask}, rooms
    candidates = np.zeros((n, k, len(spec.candidates)), np.float32)
    for i, row in enumerate(rows):
        for j, features in enumerate(row.possible, start=1):
            candidates[i, j], mask[i, j], rooms[i, j] = features, True, _name(features.tobytes())
    history = np.zeros((n, spec.history_length, len(spec.history)), np.float32)
    return {"context": context, "mask": mask, "candidates": candidates, "history": history}, rooms


def _actions(rows: Sequence[Decision], spec: Spec) -> IntArray:
    """The chosen one's place, (N,); K where it is none of the possible."""

    def place(row: Decision) -> int:
        if row.action is None:
            return spec.num_actions
        if not spec.has_rooms:
            return int(row.action[0])
        equal: Any = (j for j, one in enumerate(row.possible, start=1) if np.array_equal(one, row.action))
        return next(equal, spec.num_actions)

    return np.array([place(row) for row in rows], np.int64)


def _name(of: bytes) -> int:
    """63 bits of its BLAKE2b hash, or the number that it is."""
    if of.isdigit() and len(of) <= 18 and (of[:1] != b"0" or len(of) == 1):
        return int(of)
    return int.from_bytes(blake2b(of, digest_size=8).digest(), "little") >> 1
