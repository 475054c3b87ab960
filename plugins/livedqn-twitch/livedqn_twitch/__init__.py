"""An environment of real rooms: snapshots of a live platform, replayed in their order, with livedqn's viewers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from livedqn.envs import TYPICAL, LiveStream, Snapshots, Timetable, Viewers
from livedqn.types import LivedqnError

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
    whole: Timetable
    splits: tuple[str, ...] = tuple(SPLIT_DAYS)

    def timetable(self, seed: int, split: str) -> Timetable:
        """The rooms of ``split``, of all days where it is "", whatever the seed."""
        return self.timetables[split] if split else self.whole

    @classmethod
    def read(cls, path: str, topics: int) -> TwitchRooms:
        """The rooms of the file at ``path``.

        Raises:
            LivedqnError: the file is missing or no such CSV, a row cannot be true, or a split has no rooms.
        """
        found = Snapshots.read(path, "rooms")
        first, last = found.times_s[[0, -1]]
        bounds = [*(first + days * SECONDS_PER_DAY for days in SPLIT_DAYS.values()), last + 1]
        topic = found.topics(topics, until_s=bounds[1])  # the training days'
        timetables = {}
        for split, (start, end) in zip(SPLIT_DAYS, pairwise(bounds), strict=True):
            if ((found.times_s >= start) & (found.times_s < end)).sum() < 2:
                days = (last - first) / SECONDS_PER_DAY
                raise LivedqnError(f"rooms={path} spans {days:.1f} days, which leaves no two snapshots for {split}; "
                                   f"it takes more than {SPLIT_DAYS['test']} days")  # fmt: skip
            timetables[split] = found.timetable(topic, start, end)
        return cls(topics, found.streamers, timetables, found.timetable(topic))
