"""Logged sessions as estimators take them: parts of whole sessions, and of each request what follows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from livedqn.logs import Impressions
from livedqn.logs.split import uniform
from livedqn.protocols import Reward
from livedqn.scoring import all_signals, scored
from livedqn.types import BoolArray, FloatArray, IntArray

#: Rows that are looked at together: what is made of them stays near the processor.
ROWS = 4_096
#: Viewers fall into folds by another hash than the one by which they are held out.
_FOLD_SEED = 1_000_003


class Requests(NamedTuple):
    """The N requests of one part that were answered; ``rows`` are theirs among all rows of the part."""

    rows: IntArray  # (N,)
    reward: FloatArray  # (N,) float64
    successor: IntArray  # (N,) the row of the next observation of the same session; -1 where the session is over
    is_cut: BoolArray  # (N,) the last of a session of which more would have followed, and its successor is there
    is_unknown: BoolArray  # (N,) the same, and its successor is missing
    begins: BoolArray  # (N,) the first of a session
    viewer: IntArray  # (N,)


def requests(part: Impressions, reward: Reward) -> Requests:
    """What was answered in ``part``, and what is known to follow.

    A visit is over where it terminated, and where the viewer left it for another day; where it was truncated, which its
    last impression or the observation behind that may say, it would have gone on.
    """
    acted, successor = part.acted, part.successor
    goes_on = (successor >= 0) & (acted[successor] | part.truncated | part.truncated[successor])
    unknown = acted & ~part.terminated & (successor < 0)
    rows = np.flatnonzero(acted)
    return Requests(
        rows, rewards(part, reward)[rows], np.where(goes_on, successor, -1)[rows],
        (goes_on & ~acted[successor])[rows], unknown[rows], part.begins[rows], part.viewer[rows],
    )  # fmt: skip


def rewards(part: Impressions, reward: Reward) -> FloatArray:
    """Of every row (N,) float64, and 0 where nothing was chosen."""
    has_rooms = "candidates" in part.observation
    told = all_signals(part.signals, part.action, part.elapsed_s, part.native, has_rooms=has_rooms)
    answered = {name: values[part.acted] for name, values in told.items()}
    found = np.zeros(len(part))
    found[part.acted] = scored(reward, answered, int(part.acted.sum()))
    return found


def one_by_one(part: Impressions) -> Impressions:
    """Every request as a session of its own."""
    alone = part.take(part.acted)
    over = np.ones(len(alone), np.bool_)
    return replace(alone, session=np.arange(len(alone)), terminated=over, truncated=~over)


def pieces(parts: Iterable[Impressions]) -> Iterator[Impressions]:
    """The same in parts of about ``ROWS`` rows, whole sessions."""
    for part in parts:
        starts = np.flatnonzero(part.begins)
        ends = np.append(starts[1:], len(part))
        first = 0
        while first < len(part):
            last = int(ends[np.searchsorted(ends, min(first + ROWS, len(part)))])
            yield part.take(slice(first, last))
            first = last


def folds(viewer: IntArray, count: int) -> IntArray:
    """The fold of each viewer (N,), from 0 to ``count`` - 1."""
    return np.asarray(uniform(viewer, _FOLD_SEED) * count, np.int64)
