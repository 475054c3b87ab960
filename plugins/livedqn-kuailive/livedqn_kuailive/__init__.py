"""Read KuaiLive (arXiv 2508.05633): ``logs=kuailive``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from livedqn.logs import Impressions
from livedqn.types import Column, FloatArray, IntArray, LivedqnError, Spec
from livedqn_kuailive.files import WHY, Events, events, people, rooms
from livedqn_kuailive.live import Heat, Live
from livedqn_kuailive.visits import Visits, visits

__all__ = ["KuaiLive"]

#: Impressions that are made at once, at least: whole viewers.
PART = 4_096
CONSTANT = ("gender", "age", "country")
SIGNALS = ("clicked", "watch_s", "liked", "commented", "gift_value")
LATER = {"like": "", "comment": "", "gift": "gift_price"}


class KuaiLive:
    """What viewers of KuaiLive were shown (click.csv, negative.csv), among rooms that were live then.

    Args:
        path: the folder of click.csv, negative.csv, like.csv, comment.csv, gift.csv, room.csv, user.csv, streamer.csv.
        candidates: of a request, *nothing* included: the room that was shown, and a uniform sample of others live then.
        history: past impressions that are seen.
        session_gap_s: a session begins after a pause of so long in which nothing was shown or watched.
        attribution_s: likes, comments and gifts belong to the viewer's latest click on that room, at most so long ago.
        slack_s: an impression may lie so far before its room's start or behind its end; clocks differ.
        seed: of the sample.

    Raises:
        LivedqnError: a file is missing or cannot be read; a :class:`livedqn.logs.ColumnsError` says which columns are.
    """

    def __init__(
        self, *, path: str, candidates: int = 20, history: int = 10, session_gap_s: float = 1800.0,
        attribution_s: float = 86_400.0, slack_s: float = 60.0, seed: int = 0,
    ) -> None:  # fmt: skip
        if candidates < 2 or history < 1:
            raise LivedqnError(
                f"logs.candidates={candidates} logs.history={history}: it takes 2 and 1, or more: nothing and the room "
                "that was shown, and a place for a past impression"
            )
        self._folder, self._others, self._seed = Path(path), candidates - 2, seed
        self._gap_ms, self._window_ms, self._slack_ms = (
            int(1000 * seconds) for seconds in (session_gap_s, attribution_s, slack_s)
        )
        self._users = people(
            self._folder / "user.csv", "user_id", CONSTANT, ("reg_timestamp", "first_watch_live_timestamp")
        )
        self._streamers = people(
            self._folder / "streamer.csv", "streamer_id", CONSTANT, ("reg_timestamp", "first_live_timestamp"),
            "streamer_",
        )  # fmt: skip
        self._rooms = rooms(self._folder / "room.csv")
        streamer, (category, kind) = Column("streamer", "id", role="streamer"), self._rooms.columns
        context = (Column("hour", "number", "h", role="hour"), *self._users.columns)
        self.spec = Spec(
            context=context, context_shape=(len(context),), num_actions=candidates,
            history=(Column("real"), streamer, category, Column("clicked"), Column("watch_s", "count", "s"),
                     Column("ago_s", "count", "s")),
            history_length=history,
            candidates=(streamer, category, kind, Column("age", "count", "min", role="age"),
                        Column("heat", "count", "viewers in the data", role="heat"), *self._streamers.columns),
            signals=SIGNALS, has_nothing=False,  # whoever was not shown a room is in no file
        )  # fmt: skip
        self.source: dict[str, Any] = {"kuailive": path, "candidates": candidates, "seed": seed}

    def __iter__(self) -> Iterator[Impressions]:
        """All impressions, viewer by viewer; behind them, file by file, what belongs to none."""
        clicks = self._events("click", "watch_live_time", self._slack_ms)
        negatives = self._events("negative", slack_ms=self._slack_ms)
        later = {name: self._events(name, amount) for name, amount in LATER.items()}
        heat = Heat(clicks)
        whole, left = visits(clicks, negatives, later, gap_ms=self._gap_ms, window_ms=self._window_ms)
        first_request = len(whole)
        del clicks, negatives
        times = whole.time[whole.time >= 0]
        live = Live(self._rooms, int(times.min(initial=np.iinfo(np.int64).max)) if len(times) else 0,
                    int(times.max(initial=0)), self._seed)  # fmt: skip
        where = f"{self._folder}: click.csv, then negative.csv"
        starts = np.flatnonzero(whole.first == np.arange(len(whole)))
        start = 0
        for end in [*starts[1:].tolist(), len(whole)]:
            if end - start >= PART or (end == len(whole) and end > start):
                yield self._part(whole, start, end, live, heat, whole.row[start:end], where)
                start = end
        bad = {"room": self._rooms.bad, "user": self._users.bad, "streamer": self._streamers.bad}
        session = int(whole.session[-1]) + 1 if len(whole) else 1
        for name, one in (left | bad).items():
            for at in range(0, len(one), PART):
                apart = Visits.apart(one.take(slice(at, at + PART)), session + at)
                request = first_request + at + np.arange(len(apart))
                yield self._part(apart, 0, len(apart), live, heat, request, str(self._folder / f"{name}.csv"))
            first_request, session = first_request + len(one), session + len(one)

    def _events(self, name: str, amount: str = "", slack_ms: int | None = None) -> Events:
        slack = {} if slack_ms is None else {"slack_ms": slack_ms}
        return events(self._folder / f"{name}.csv", self._rooms, amount, **slack)

    def _part(
        self, whole: Visits, start: int, end: int, live: Live, heat: Heat, request: IntArray, source: str
    ) -> Impressions:
        """Rows ``start`` to ``end``, of whole viewers."""
        rows = {field.name: getattr(whole, field.name)[start:end] for field in fields(Visits)}
        time, n = np.maximum(rows["time"], 0), end - start
        shown = rows["room"].astype(np.int64)
        offered = np.concatenate([shown[:, None], live.others(time, shown, rows["user"], self._others)], axis=1)
        warm = np.where(offered < 0, -1, heat.at(offered.clip(0), time[:, None]))
        order = np.lexsort([offered, -warm], axis=1)  # hottest first: a place tells nothing of what was shown
        offered, warm = (np.take_along_axis(array, order, axis=1) for array in (offered, warm))
        real = offered >= 0
        room = offered.clip(0)
        rooms, streamers = np.zeros((2, n, 1 + offered.shape[1]), np.int64)
        rooms[:, 1:] = np.where(real, 1 + self._rooms.live_id[room], 0)
        streamers[:, 1:] = np.where(real, 1 + self._rooms.streamer[room], 0)
        candidates = np.zeros((n, 1 + offered.shape[1], len(self.spec.candidates)), np.float32)
        age_min = np.maximum(time[:, None] - self._rooms.start[room], 0) / 60_000
        person = self._streamers.at(self._streamers.find(self._rooms.streamer[room]), time[:, None])
        made = [_id(streamers[:, 1:]), *np.moveaxis(self._rooms.features[room], 2, 0), age_min, warm]
        candidates[:, 1:] = np.concatenate([np.stack(made, axis=2), person], axis=2) * real[:, :, None]
        hour = time / 3_600_000 % 24
        context = np.concatenate([hour[:, None], self._users.at(self._users.find(rows["user"]), time)], axis=1)
        place = np.where(shown < 0, self.spec.num_actions, 1 + (offered == shown[:, None]).argmax(axis=1))
        return Impressions(
            request=request, session=rows["session"], viewer=rows["user"], time_s=time // 1000,
            observation={
                "context": context.astype(np.float32), "history": self._history(rows, start),
                "candidates": candidates, "mask": np.concatenate([np.zeros((n, 1), np.bool_), real], axis=1),
            },
            rooms=rooms, streamers=streamers, action=place, propensity=np.full(n, np.nan, np.float32),
            policy=np.full(n, ""),
            signals={
                "clicked": rows["clicked"].astype(np.float32), "watch_s": (rows["watch_ms"] / 1000).astype(np.float32),
                **{name: rows[name] for name in SIGNALS[2:]},
            },
            native=np.zeros(n, np.float32), terminated=rows["terminated"], truncated=rows["truncated"],
            elapsed_s=rows["elapsed_s"], row=rows["row"], source=source, defect=np.array(WHY)[rows["why"]],
        )  # fmt: skip

    def _history(self, rows: dict[str, Any], start: int) -> FloatArray:
        """(n, T, H): the viewer's past impressions, the newest last, and of each what had happened by then."""
        n, length = len(rows["time"]), self.spec.history_length
        past = np.arange(n)[:, None] + np.arange(-length, 0)
        real = past >= (rows["first"] - start)[:, None]
        past = past.clip(0)
        passed_ms = rows["time"][:, None] - rows["time"][past]
        room = rows["room"][past]
        known = room >= 0
        streamer = np.where(known, 1 + self._rooms.streamer[room.clip(0)], 0)
        category = self._rooms.features[room.clip(0), 0] * known
        watch_ms = np.minimum(rows["watch_ms"][past], passed_ms)
        made = [real, _id(streamer), category, rows["clicked"][past], watch_ms / 1000, passed_ms / 1000]
        return (np.stack(made, axis=2) * real[:, :, None]).astype(np.float32)


def _id(ids: IntArray) -> IntArray:
    """As features hold them: below 2**24, 0 for none."""
    return np.where(ids < 2**24, ids, 1 + ids % (2**24 - 1))
