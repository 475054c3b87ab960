"""What a platform knows of a viewer's tastes: each past session measured them, with a variance of ``tag_sessions``.

A tag is the mean of the taste, which is standard normal, given those measurements.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.envs import keyed
from livedqn.envs.elementary import exp
from livedqn.envs.sessions import PULL, TASTE, VISIBLE, Sessions
from livedqn.kernel import formula


@formula
def give_tags(row: int, noise: Any, session: Sessions, v: Any) -> None:
    """Tags of ``row``, whose tastes are there, after as many sessions as the viewer had; ``noise`` is (topics,)."""
    past = session.visit[row].activity
    told = past / (past + v.tag_sessions) if v.tag_sessions > 0 else 1.0  # of the variance of tastes
    blur = np.sqrt(told * (1 - told))
    taste = session.tastes[row, TASTE]
    for topic in range(1, len(taste)):
        _set(row, topic, told * taste[topic] + blur * noise[topic - 1], session, v)


@formula
def know_better(row: int, key: Any, first: int, session: Sessions, v: Any) -> None:
    """Tags of ``row`` after a session more, drawn with the bits of ``key`` from ``first`` on."""
    weight = 1 / (session.visit[row].activity + 1 + v.tag_sessions)
    taste, tag = session.tastes[row, TASTE], session.tastes[row, VISIBLE]
    for topic in range(1, len(taste)):
        noise = keyed.normal_of(keyed.bits_at(key, first + topic))
        measured = taste[topic] + np.sqrt(v.tag_sessions) * noise
        _set(row, topic, tag[topic] + weight * (measured - tag[topic]), session, v)


@formula
def _set(row: int, topic: int, tag: Any, session: Sessions, v: Any) -> None:
    visible = session.tastes[row, VISIBLE]
    visible[topic] = tag
    session.tastes[row, PULL, topic] = exp(v.retrieval_tag * visible[topic])
