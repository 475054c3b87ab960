"""From closed sessions to rows of logs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.join.events import Impression
from livedqn.join.session import Session
from livedqn.logs import NO_ACTION, Impressions
from livedqn.logs.rows import LEAST_S
from livedqn.types import FloatArray, Spec


@np.errstate(over="ignore")  # what float32 cannot hold is infinite, by which its session is known to be impossible
def impressions(sessions: Sequence[Session], spec: Spec, first_row: int) -> Impressions:
    """The rows of ``sessions``, numbered from ``first_row``: of each its requests, and where it was cut the next one,
    without action and by a name of its own, the bitwise complement of its request's."""
    seen: list[Impression] = []
    session, action, request = [], [], []
    signals: list[dict[str, float]] = []
    elapsed_s: list[float] = []
    terminated, truncated = [], []
    for one in sessions:
        shown = [row.impression for row in one.rows]
        times = [impression.time_s for impression in shown]
        times.append(one.successor.time_s if one.successor else one.alive_s)
        elapsed_s += [max(then - now, LEAST_S) for now, then in pairwise(times)]
        signals += [row.signals for row in one.rows]
        request += [impression.request for impression in shown]
        action += [impression.action for impression in shown]
        going_on = [False] * (len(shown) - 1)
        terminated += [*going_on, one.successor is None]
        truncated += [*going_on, one.successor is not None]
        if one.successor:
            shown.append(one.successor)
            request.append(~one.successor.request)
            action.append(NO_ACTION)
            signals.append({})
            elapsed_s.append(np.nan)
            terminated.append(False)
            truncated.append(False)
        session += [one.name] * len(shown)
        seen += shown
    acted = np.array(action, np.int64) != NO_ACTION
    absent = np.where(acted, 0, np.nan).astype(np.float32)
    sizes = np.array([len(one.rooms) for one in seen], np.int64)
    place = np.arange(sizes.max(initial=0)) < sizes[:, None]  # (N, K), which entries a row has

    def ragged(arrays: Sequence[npt.NDArray[Any]], kind: Any) -> Any:
        wide = np.zeros((*place.shape, *arrays[0].shape[1:]), kind)
        wide[place] = np.concatenate(arrays)
        return wide

    def column(name: str) -> FloatArray:
        found = np.array([one.get(name, 0.0) for one in signals]) if name != "left" else np.array(terminated)
        return found.astype(np.float32) + absent

    def stacked(name: str) -> Any:
        return np.stack([one.observation[name] for one in seen]).astype(np.float32)

    return Impressions(
        request=np.array(request, np.int64), session=np.array(session, np.int64),
        viewer=np.array([one.viewer for one in seen], np.int64),
        time_s=np.array([one.time_s for one in seen]).astype(np.int64),
        observation={
            "context": stacked("context"), "history": stacked("history"),
            "candidates": ragged([one.observation["candidates"] for one in seen], np.float32),
            "mask": ragged([one.observation["mask"] for one in seen], np.bool_),
        },
        rooms=ragged([one.rooms for one in seen], np.int64),
        streamers=ragged([one.streamers for one in seen], np.int64),
        action=np.array(action, np.int64),
        propensity=np.array([one.propensity for one in seen], np.float32) + absent,
        policy=np.where(acted, np.array([one.policy for one in seen], np.str_), ""),
        signals={name: column(name) for name in spec.signals},
        native=np.array([one.native for one in seen], np.float32) + absent,
        terminated=np.array(terminated), truncated=np.array(truncated),
        elapsed_s=np.array(elapsed_s, np.float32), row=first_row + np.arange(len(seen)),
    )  # fmt: skip
