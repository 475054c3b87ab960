"""Logs made by rule: what is in them can be read off, and any row can be spoilt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from livedqn.logs import NO_ACTION, Impressions
from livedqn.types import Column, Spec

LOGS_SPEC = Spec(
    context=(Column("hour", unit="h"), Column("country", "category", cardinality=4)),
    context_shape=(2,),
    num_actions=4,
    history=(Column("real"), Column("streamer", "id"), Column("clicked")),
    history_length=2,
    candidates=(Column("streamer", "id", role="streamer"), Column("heat", "count", "viewers", role="heat")),
    signals=("clicked", "watch_s", "left"),
)


def example_impressions(
    lengths: Sequence[int], *, start_s: int = 0, first: int = 0, terminated: bool = False, seed: int = 0,
    has_nothing: bool = LOGS_SPEC.has_nothing,
) -> Impressions:  # fmt: skip
    """Sessions of so many actions, by a random policy, of what ``LOGS_SPEC`` shows; a request a minute.

    Args:
        lengths: actions of each session.
        start_s: when all of them begin.
        first: the number of the first session; requests, viewers are numbered from it, too.
        terminated: whether they end in leaving; else they are cut, and end with a last observation.
        seed: of candidates and actions.
        has_nothing: as their spec says; where it is False the first room is always allowed.
    """
    rng = np.random.default_rng(seed)
    rows = [length + (not terminated) for length in lengths]
    n = sum(rows)
    position = np.concatenate([np.arange(count) for count in rows])
    length = np.repeat(lengths, rows)
    acted = position < length
    sizes = np.maximum(rng.integers(1, LOGS_SPEC.num_actions + 1, n), 1 + (not has_nothing))
    real = np.arange(LOGS_SPEC.num_actions) < sizes[:, None]
    mask = real & (rng.random(real.shape) < 0.8)
    mask[:, int(not has_nothing)] = True
    mask[:, 0] = has_nothing
    rooms = np.where(real, rng.integers(1, 99, real.shape), 0)
    rooms[:, 0] = 0
    luck = np.where(mask, rng.random(mask.shape), -1)
    candidates = np.stack([rooms % 7, rooms * 10.0], axis=2).astype(np.float32)
    history = np.zeros((n, LOGS_SPEC.history_length, len(LOGS_SPEC.history)), np.float32)
    history[:, -1] = [1, 3, 1]
    session = first + np.repeat(np.arange(len(lengths)), rows)
    last = position == length - 1
    absent = np.where(acted, 0, np.nan).astype(np.float32)
    return Impressions(
        request=100 * first + np.arange(n), session=session, viewer=session + 1_000, time_s=start_s + 60 * position,
        observation={
            "context": np.stack([np.full(n, 20.5), rng.integers(0, 4, n)], axis=1).astype(np.float32),
            "history": history, "candidates": candidates, "mask": mask,
        },
        rooms=rooms, streamers=rooms % 7, action=np.where(acted, luck.argmax(axis=1), NO_ACTION),
        propensity=(1 / mask.sum(axis=1) + absent).astype(np.float32), policy=np.where(acted, "random", ""),
        signals={
            "clicked": absent + (position % 2 == 0), "watch_s": absent + (2.5 * position).astype(np.float32),
            "left": absent + (last & terminated),
        },
        native=absent + position.astype(np.float32), terminated=last & terminated, truncated=last & (not terminated),
        elapsed_s=absent + 60, row=np.arange(n),
    )  # fmt: skip
