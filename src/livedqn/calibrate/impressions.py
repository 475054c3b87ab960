"""Requests of viewers: a user's own, from a CSV, or those of an environment whose policy chooses uniformly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.config.logs import SESSION_GAP_S
from livedqn.csvrows import Check, Form, flag, label, label_or_none, number, read
from livedqn.envs import LiveStream
from livedqn.types import BoolArray, FloatArray, IntArray, Notify

#: Signals that a file may leave out.
OPTIONAL = ("liked", "commented", "followed", "gift_value", "gift_delay_s")


@dataclass(frozen=True)
class RequestLog:
    """N requests, in the order of viewers, visits and time."""

    viewer: IntArray  # (N,)
    visit: IntArray  # (N,), of all viewers
    time_s: FloatArray  # (N,) float64
    shown: BoolArray  # (N,), a room and not *nothing*
    signals: Mapping[str, FloatArray]  # (N,) each: clicked, watch_s, and those of OPTIONAL that are known
    bad: tuple[str, ...] = ()  # what is wrong with each row that was left out

    @classmethod
    def of(
        cls, viewer: npt.NDArray[Any], visit: npt.NDArray[Any] | None, time_s: FloatArray, shown: BoolArray,
        signals: Mapping[str, npt.NDArray[Any]], bad: tuple[str, ...] = (),
    ) -> RequestLog:  # fmt: skip
        """Of arrays in any order; a visit ends after half an hour without a request where ``visit`` is None."""
        viewer = np.unique(viewer, return_inverse=True)[1]
        given = np.zeros(len(viewer), np.int64) if visit is None else np.unique(visit, return_inverse=True)[1]
        order = np.lexsort((time_s, given, viewer))
        viewer, given, time_s = viewer[order], given[order], time_s[order].astype(np.float64)
        signals = {name: values[order].astype(np.float64) for name, values in signals.items()}
        begins = (np.diff(viewer, prepend=-1) != 0) | (np.diff(given, prepend=-1) != 0)
        if visit is None:
            begins[1:] |= np.diff(time_s) - signals["watch_s"][:-1] > SESSION_GAP_S
        return cls(viewer, np.cumsum(begins), time_s, shown[order], signals, bad)

    @classmethod
    def read(cls, path: str, name: str, tolerated: float) -> RequestLog:
        """Those of a CSV with a row for each request; for the arguments see :func:`csvrows.read`.

        Raises:
            LivedqnError: the file is missing or no such CSV, or more rows than are tolerated cannot be true.
        """
        rows = read(path, FORM, name, tolerated)
        known = {column: values for column, values in rows.columns.items() if column in SIGNALS}
        at = rows.columns
        return cls.of(at["viewer"], at.get("session"), at["time_s"], at["room"] != "", known, rows.bad)

    @classmethod
    def played(cls, env: LiveStream, requests: int, seed: int, notify: Notify = lambda *_: None) -> RequestLog:
        """At least ``requests`` of ``env``, whose viewers are shown any candidate or nothing, each as likely.

        Args:
            env: whose viewers are asked.
            requests: in all.
            seed: of their world, and of what is shown.
            notify: takes what is being done, and how many steps of how many are done.
        """
        rng = np.random.default_rng(seed)
        observation, infos = env.reset(seed=seed)
        visit, visits = np.arange(env.num_envs), env.num_envs
        columns: dict[str, list[npt.NDArray[Any]]] = {}
        steps = -(-requests // env.num_envs)
        for step in range(steps):
            ids = infos["ids"]
            among = observation["mask"].cumsum(axis=1)  # which of the allowed each action is, from 1
            actions = (among > (rng.random(env.num_envs) * among[:, -1]).astype(np.int64)[:, None]).argmax(axis=1)
            observation, _, terminated, truncated, infos = env.step(actions)
            row = {"viewer": ids["viewer"], "time_s": ids["time_s"], "visit": visit.copy(), "shown": actions > 0}
            signals = infos["signals"]
            for name, values in (row | {name: signals[name] for name in SIGNALS}).items():
                columns.setdefault(name, []).append(values)
            ended = terminated | truncated
            if ended.any():
                observation, infos = env.reset(options={"reset_mask": ended})
            over = ended | (signals["left"] > 0)
            visit[over] = visits + np.arange(over.sum())
            visits += int(over.sum())
            notify("asking viewers", step, steps)
        notify("asking viewers", steps, steps)
        at = {name: np.concatenate(values) for name, values in columns.items()}
        return cls.of(at["viewer"], at["visit"], at["time_s"], at["shown"], {name: at[name] for name in SIGNALS})

    def clicks(self, name: str) -> FloatArray:
        """A signal of every click, (C,); empty where it is not known."""
        return self.signals[name][self.signals["clicked"] > 0] if name in self.signals else np.empty(0)

    @property
    def feed_s(self) -> FloatArray:
        """Seconds in the feed between two requests of a visit, without what was watched; none below 0 counts."""
        gaps = np.diff(self.time_s) - self.signals["watch_s"][:-1]
        found: FloatArray = gaps[(np.diff(self.visit) == 0) & (gaps > 0)]
        return found


SIGNALS = ("clicked", "watch_s", *OPTIONAL)


def _make_check() -> Check:
    lines: dict[tuple[str, ...], int] = {}  # where each viewer's request stands

    def check(fields: Mapping[str, str], values: Mapping[str, Any], line: int) -> None:
        if not values["room"] and values["clicked"]:
            raise ValueError(f"clicked={fields['clicked']!r} though room is empty: nothing was shown")
        early = [name for name in SIGNALS[1:] if values.get(name) and not values["clicked"]]
        if early:
            raise ValueError(f"{early[0]}={fields[early[0]]!r} of a room that was not clicked")
        if values.get("gift_delay_s") and not values.get("gift_value"):
            raise ValueError(f"gift_delay_s={fields['gift_delay_s']!r} without a gift_value")
        request = tuple(fields.get(name, "") for name in ("viewer", "session", "time_s", "room"))
        first = lines.setdefault(request, line)
        if first != line:
            raise ValueError(f"viewer={fields['viewer']!r} has this room at this time_s already, in line {first}")

    return check


FORM = Form(
    "impressions",
    {"viewer": label, "time_s": number, "room": label_or_none, "clicked": flag, "watch_s": number},
    _make_check,
    {
        "session": label,
        "liked": flag,
        "commented": flag,
        "followed": flag,
        "gift_value": number,
        "gift_delay_s": number,
    },
)
