"""What every viewer was shown, in order, in sessions, with what they did about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.types import BoolArray, FloatArray, IntArray
from livedqn_kuailive.files import TWICE, UNCLICKED, UNPLACED, Events

#: Seconds that lie at least between two impressions: several may be shown in one millisecond.
LEAST_S = 1e-3
#: How long a viewer stays with a last room that they did not click, s.
STAY_S = 1.0


@dataclass(frozen=True)
class Visits:
    """N impressions, sorted by viewer and time."""

    user: IntArray  # (N,)
    room: npt.NDArray[np.int32]  # (N,), the row of Rooms, -1 where there is none
    time: IntArray  # (N,), ms
    watch_ms: FloatArray  # (N,)
    clicked: BoolArray  # (N,)
    liked: FloatArray  # (N,), 1 or 0, as commented
    commented: FloatArray
    gift_value: FloatArray  # (N,), the sum of prices
    session: IntArray  # (N,)
    first: IntArray  # (N,), of its viewer's rows
    elapsed_s: FloatArray  # (N,)
    terminated: BoolArray  # (N,)
    truncated: BoolArray  # (N,)
    why: npt.NDArray[np.int8]  # (N,), what is wrong, by its place in WHY
    row: IntArray  # (N,), of click.csv, then of negative.csv

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def apart(cls, events: Events, first_session: int) -> Visits:
        """Each of ``events`` as a session of its own, which nothing came before."""
        n = len(events)
        zeros, no, yes = np.zeros(n, np.float32), np.zeros(n, np.bool_), np.ones(n, np.bool_)
        place = np.arange(n)
        return cls(
            events.user, events.room, events.time, zeros, no, zeros, zeros, zeros, first_session + place, place,
            np.full(n, STAY_S, np.float32), yes, no, events.why, events.row,
        )  # fmt: skip


def visits(
    clicks: Events, negatives: Events, later: Mapping[str, Events], *, gap_ms: int, window_ms: int
) -> tuple[Visits, dict[str, Events]]:
    """All impressions, and of ``later`` (like, comment, gift) what belongs to none of them.

    Args:
        clicks: impressions that were clicked, the amount being the time watched, ms.
        negatives: impressions that were not.
        later: what came of them; each belongs to the latest click of the same viewer on the same room.
        gap_ms: of a pause without anything shown or watched, behind which a session begins.
        window_ms: between a click and what came of it.
    """
    is_click = np.concatenate([np.ones(len(clicks), np.bool_), np.zeros(len(negatives), np.bool_)])
    both = Events(*(np.concatenate([getattr(clicks, f.name), getattr(negatives, f.name)]) for f in fields(Events)))
    order = np.lexsort([both.room, both.time, both.user])
    both, clicked = both.take(order), is_click[order]
    user, room, time, why = both.user, both.room, both.time, both.why.copy()
    watch_ms = np.where(clicked, both.amount, 0)
    same = user[1:] == user[:-1]
    again = same & (time[1:] == time[:-1]) & (room[1:] == room[:-1])
    why[1:][again & (why[1:] == 0)] = TWICE
    nowhere = why >= UNPLACED
    until = time + watch_ms.astype(np.int64)
    parted = ~same | (time[1:] - until[:-1] > gap_ms) | nowhere[1:] | nowhere[:-1]
    last = np.concatenate([parted, [True]])[: len(user)]
    begins = np.concatenate([[True], parted])[: len(user)]
    first = np.concatenate([[True], ~same])[: len(user)] | nowhere
    elapsed_s = np.maximum(np.diff(time, append=0) / 1000, LEAST_S)
    elapsed_s = np.where(last, np.maximum(watch_ms / 1000, STAY_S), elapsed_s)
    end = max((int(one.time.max(initial=0)) for one in (both, *later.values())), default=0)
    is_open = last & (until + gap_ms > end) & ~nowhere  # who may only not have been seen to come back
    results, left = {}, {}
    targets = np.flatnonzero(clicked & (why == 0))
    for name, one in later.items():
        found = latest(user[targets], room[targets], time[targets], one, window_ms)
        belongs = (found >= 0) & (one.why == 0)
        results[name] = np.zeros(len(user), np.float32)
        np.add.at(results[name], targets[found[belongs]], one.amount[belongs])
        left[name] = one.take(~belongs)
        left[name].why[left[name].why == 0] = UNCLICKED
    return Visits(
        user, room, time, watch_ms, clicked, np.minimum(results["like"], 1), np.minimum(results["comment"], 1),
        results["gift"], np.cumsum(begins), np.maximum.accumulate(np.where(first, np.arange(len(user)), 0)),
        elapsed_s.astype(np.float32), last & ~is_open, is_open, why, np.where(clicked, 0, len(clicks)) + both.row,
    ), left  # fmt: skip


def latest(user: IntArray, room: Any, time: IntArray, of: Events, window_ms: int) -> IntArray:
    """For each of ``of`` which of the rows (user, room, time) came last before it, at most ``window_ms`` ago; or -1."""
    if not len(user) or not len(of):
        return np.full(len(of), -1)
    users = np.unique(user)
    place = np.searchsorted(users, of.user).clip(0, len(users) - 1)
    rooms = max(int(room.max()), int(of.room.max())) + 2
    codes, number = np.unique(np.searchsorted(users, user) * rooms + room, return_inverse=True)
    code = place * rooms + of.room
    their = np.searchsorted(codes, code).clip(0, len(codes) - 1)
    known = (users[place] == of.user) & (codes[their] == code)
    begin = int(time.min())
    span = int(time.max()) - begin + 2
    key = number * span + (time - begin)
    order = np.argsort(key, kind="stable")
    found = np.searchsorted(key[order], their * span + np.clip(of.time - begin, -1, span - 2), side="right") - 1
    row = order[found.clip(0)]
    known &= (found >= 0) & (number[row] == their) & (of.time - time[row] <= window_ms) & (of.time >= time[row])
    return np.where(known, row, -1)
