"""Events made by hand: rooms are named by their number, a room's streamer is a tenth of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from livedqn.join import KINDS, Impression, Joiner, Signal
from livedqn.testing import LOGS_SPEC

SPEC = replace(LOGS_SPEC, signals=("clicked", "watch_s", "gift_value", "gift_delay_s", "left"))
#: Short ones, so that sessions close soon: a click within 10 s, all else within 100 s.
WINDOWS = dict.fromkeys(KINDS, 100.0) | {"click": 10.0}


def shown(request, time_s, rooms=(70, 80), action=1, viewer=1, **more):
    """A request that was answered with row ``action`` of nothing and ``rooms``."""
    k = 1 + len(rooms)
    ids = np.array([0, *rooms], np.int64)
    observation = {
        "context": np.array([20.5, request % 4], np.float32), "history": np.zeros((2, 3), np.float32),
        "candidates": np.stack([ids // 10 % 7, ids], axis=1).astype(np.float32), "mask": np.ones(k, np.bool_),
    }  # fmt: skip
    made = {"propensity": 1 / k, "policy": "p1", **more}
    return Impression(request, viewer, time_s, observation, ids, ids // 10, action, **made)


def did(id, kind, time_s, room=0, viewer=1, **more):
    """A signal."""
    return Signal(id, kind, viewer, time_s, room, **more)


@pytest.fixture
def make_joiner():
    def make(**settings):
        return Joiner(SPEC, **({"windows": WINDOWS, "session_gap_s": 60.0, "allowed_lateness_s": 1e6} | settings))

    return make


@pytest.fixture
def joined(make_joiner):
    """``joined(events)``: all of their sessions, nothing being late."""

    def join(events, **settings):
        joiner = make_joiner(**settings)
        for event in events:
            joiner.add(event)
        joiner.advance(1e9)
        made, still_open = joiner.finish()
        assert still_open == joiner.waiting == 0
        return made

    return join
