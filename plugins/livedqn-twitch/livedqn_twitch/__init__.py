"""An environment of real rooms: snapshots of a live platform, replayed in their order, with livedqn's viewers.

A snapshot is known from its time until the next one: between the two the *last* heat is shown, never one interpolated
towards a snapshot that nobody has seen yet. A room ends at the first snapshot in which it is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.envs import TYPICAL, LiveStream, Timetable, Viewers
from livedqn.types import LivedqnError
from livedqn_twitch.snapshots import Rows, read

__all__ = ["TwitchRooms", "twitch"]

SECONDS_PER_DAY = 86_400
#: Each split begins so many days after the first snapshot, and ends where the next one begins.
SPLIT_DAYS = {"train": 0, "validation": 28, "test": 34}


def twitch(
    num_envs: int, *, rooms: str, topics: int = 12, candidates: int = 20, history: int = 10, max_requests: int = 200,
    episode: str = "session", viewers: Viewers = TYPICAL, invalid: str = "raise",
) -> LiveStream:  # fmt: skip
    """Real live rooms, replayed from a CSV of snapshots, and simulated viewers.

    Training has the first 28 days, validation the next 6, the report the rest. A world's seed changes its viewers and
    their sessions; the rooms are what they were.

    Args:
        num_envs: viewers at once.
        rooms: the CSV (or .csv.gz): a row for each room of each snapshot.
        topics: the commonest games of the training days are topics of their own, the last topic is all others.
        candidates: rooms that may be shown at a request, *nothing* included.
        history: how many past impressions are seen.
        max_requests: an episode is truncated in a visit of so many.
        episode: session (one visit; leaving ends it), or viewer (visit after visit, until they never come back).
        viewers: how viewers behave.
        invalid: what a masked action does: raise (an error), or nothing (it counts as *nothing*).

    Raises:
        LivedqnError: the file is missing or no such CSV, a row cannot be true, or a split has no rooms.
    """
    if topics < 1:
        raise LivedqnError(f"env twitch has topics={topics}; it needs at least 1")
    return LiveStream(
        num_envs, TwitchRooms.read(rooms, topics), viewers,
        candidates=candidates, history=history, max_requests=max_requests, episode=episode, invalid=invalid,
    )  # fmt: skip


@dataclass(frozen=True)
class TwitchRooms:
    """The rooms of a file of snapshots: a ``livedqn.envs.Rooms``."""

    topics: int
    streamers: int
    timetables: dict[str, Timetable]
    splits: tuple[str, ...] = tuple(SPLIT_DAYS)

    def timetable(self, seed: int, split: str) -> Timetable:
        """The rooms of ``split``, whatever the seed."""
        return self.timetables[split]

    @classmethod
    def read(cls, path: str, topics: int) -> TwitchRooms:
        """The rooms of the file at ``path``.

        Raises:
            LivedqnError: the file is missing or no such CSV, a row cannot be true, or a split has no rooms.
        """
        rows = read(path)
        snapshots, snapshot = np.unique(rows["snapshot_s"], return_inverse=True)
        streamer = np.unique(rows["streamer_id"], return_inverse=True)[1] + 1
        starts_s = {split: snapshots[0] + days * SECONDS_PER_DAY for split, days in SPLIT_DAYS.items()}
        topic = _topics(rows["game_id"], rows["snapshot_s"] < starts_s["validation"], topics)
        ends_s = _ends(rows["room"], snapshot, snapshots)
        earlier = _earlier_broadcasts(rows, streamer)
        ends = [*list(starts_s.values())[1:], snapshots[-1] + 1]
        timetables = {}
        for (split, start), end in zip(starts_s.items(), ends, strict=True):
            chosen = (rows["snapshot_s"] >= start) & (rows["snapshot_s"] < end)
            inside = (snapshots >= start) & (snapshots < end)
            if inside.sum() < 2:
                days = (snapshots[-1] - snapshots[0]) / SECONDS_PER_DAY
                raise LivedqnError(f"rooms={path} spans {days:.1f} days, which leaves no two snapshots for {split}; "
                                   f"it takes more than {SPLIT_DAYS['test']} days")  # fmt: skip
            entries = {
                "bin": snapshot[chosen] - snapshot[chosen].min(),
                "room": rows["room"][chosen],
                "streamer_id": rows["streamer_id"][chosen],
                "streamer": streamer[chosen].astype(np.int32),
                "topic": topic[chosen],
                "heat": rows["heat"][chosen],
                "started_s": rows["started_s"][chosen],
                "ends_s": ends_s[chosen],
                "broadcasts": earlier[chosen],
            }
            # the last snapshot tells only that these rooms are live: it closes the split
            timetables[split] = Timetable.of(snapshots[inside], float(snapshots[inside][-1]) + 1, entries)
        return cls(topics=topics, streamers=int(streamer.max()), timetables=timetables)


def _topics(game: npt.NDArray[Any], training: npt.NDArray[np.bool_], topics: int) -> npt.NDArray[np.int32]:
    """The topic of every row, 1 for the commonest game of the training days; the last topic is all other games."""
    names, counts = np.unique(game[training], return_counts=True)
    common = names[np.lexsort((names, -counts))][: topics - 1]
    topic = np.full(len(game), topics, np.int32)
    for number, name in enumerate(common, start=1):
        topic[game == name] = number
    return topic


def _ends(room: npt.NDArray[Any], snapshot: npt.NDArray[Any], snapshots: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """When each row's room ends: the time of the first snapshot after it in which the room is missing."""
    order = np.lexsort((snapshot, room))
    r, s = room[order], snapshot[order]
    is_last = np.append((r[1:] != r[:-1]) | (s[1:] != s[:-1] + 1), True)
    last = s[is_last][np.searchsorted(np.flatnonzero(is_last), np.arange(len(r)))]
    ends = np.empty(len(room), np.float64)
    ends[order] = np.append(snapshots, snapshots[-1] + 1)[last + 1]
    return ends


def _earlier_broadcasts(rows: Rows, streamer: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """How many other rooms of the same streamer came before each row's room, in this file."""
    rooms, first, of_row = np.unique(rows["room"], return_index=True, return_inverse=True)
    order = np.lexsort((rooms, rows["started_s"][first], streamer[first]))
    whose = streamer[first][order]
    rank = np.arange(len(rooms)) - np.searchsorted(whose, whose)
    earlier = np.empty(len(rooms), np.float32)
    earlier[order] = rank
    return earlier[of_row]
