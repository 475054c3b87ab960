"""The part of the logs that may judge: sound sessions of viewers, and of days, that no training saw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from livedqn.checkpoint import Checkpoint, learned_from
from livedqn.logs import Impressions
from livedqn.logs.files import digests
from livedqn.logs.rules import sessions_at_fault
from livedqn.logs.seen import SeenSessions
from livedqn.logs.split import day_s, held_out
from livedqn.ope.logged import one_by_one
from livedqn.protocols import Logs
from livedqn.types import LivedqnError


class Judging:
    """Reads ``logs`` anew whenever it is iterated; the counts are of the last time that it came to its end.

    Args:
        logs: of which these are a part.
        holdout: the share of viewers that are held out of training; 1: all of them.
        since: the first day (YYYY-MM-DD, UTC) whose sessions count; "": all.
        by_request: every request is a session of its own.
    """

    def __init__(self, logs: Logs, *, holdout: float, since: str, by_request: bool) -> None:
        self._logs, self._holdout, self._by_request = logs, holdout, by_request
        self._since_s = day_s(since, "ope.since") if since else -np.inf
        self.at_fault = self.missing = self.impressions = 0
        self.rows_at_fault = 0.0  # the share that was left out of the rows that were to judge
        self.has_native = False  # whether the platform's own reward was ever another than 0

    def __iter__(self) -> Iterator[Impressions]:
        at_fault = missing = impressions = rows = bad = 0
        has_native = False
        seen = SeenSessions()
        for part in self._logs:
            is_bad, _ = sessions_at_fault(part, self._logs.spec, seen)
            asked = held_out(part.viewer, self._holdout) & (part.session_s >= self._since_s)
            at_fault += int((asked & is_bad & part.begins).sum())
            rows, bad = rows + int(asked.sum()), bad + int((asked & is_bad).sum())
            chosen = asked & ~is_bad
            sound = part if chosen.all() else part.take(chosen)
            if not len(sound):
                continue
            impressions += int(sound.acted.sum())
            missing += int(np.isnan(sound.propensity[sound.acted]).sum())
            has_native |= bool(np.nan_to_num(sound.native).any())
            yield one_by_one(sound) if self._by_request else sound
        self.at_fault, self.missing, self.impressions = at_fault, missing, impressions
        self.rows_at_fault, self.has_native = bad / max(rows, 1), has_native


def holdout(
    found: Iterable[Checkpoint], logs: Mapping[str, Any], asked: float | None, *, since: str, allow_overlap: bool
) -> float:  # fmt: skip
    """The share of viewers whom none of the policies learned from, of sessions from the day ``since`` on.

    Viewers are held out by a hash, and of a greater share a smaller one is a part, so the smallest is that of all.
    Whoever learned from sessions before that day alone learned from none of these, whoever the viewers are.

    Raises:
        LivedqnError: a policy was trained on these logs, and on viewers that are to judge.
    """
    share = 1.0 if asked is None else asked
    files = set(digests(logs))
    for policy in found:
        for one in learned_from(policy.config):
            kept, before = float(one["holdout"]), one.get("before") or ""
            is_same = _same(one["logs"], logs) or bool(files.intersection(one.get("files") or ()))
            if not is_same or _is_later(since, before):
                continue
            if asked is None and kept > 0:
                share = min(share, kept)
            elif not allow_overlap and share > kept:
                raise LivedqnError(
                    f"{policy.path} was trained on these logs"
                    + (f" before {before}" if before else "")
                    + (f", all viewers but {kept:.0%}" if kept else ", on all viewers")
                    + "; evaluate it on others, "
                    + (f"from that day on (ope.since={before}), " if before else "")
                    + (f"leave out ope.holdout={asked}, " if kept else "")
                    + "or say allow_overlap=true, and every report will say so"
                )
    return share


def _is_later(since: str, before: str) -> bool:
    """Whether sessions that count from a day on are none of those that count before another; "" is no limit."""
    return bool(since and before) and day_s(since, "ope.since") >= day_s(before, "before")


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether both read one place, however it is written; of readers without a path, all settings."""
    if not (one.get("path") and other.get("path")):
        return dict(one) == dict(other)
    paths = [Path(str(logs["path"])).resolve() for logs in (one, other)]
    return paths[0] == paths[1] or paths[0] in paths[1].parents or paths[1] in paths[0].parents
