"""The time of day and how many viewers are about then."""

from __future__ import annotations

import numpy as np

from livedqn.envs.timetable import SECONDS_PER_DAY
from livedqn.kernel import formula
from livedqn.types import FloatArray

#: Viewers by hour, relative: a trough at 5 and a peak at 21, 19 times as high (15-minute snapshots of French Twitch
#: rooms, winter 2019), and a bump at noon (KuaiLive, arXiv 2508.05633). The hours between are assumed.
DEMAND = np.array([
    9.0, 5.5, 3.2, 1.9, 1.2, 1.0, 1.2, 1.8, 2.8, 4.0, 5.2, 6.6,
    7.8, 7.4, 7.2, 7.8, 9.0, 11.0, 13.5, 16.0, 18.2, 19.0, 17.5, 13.5,
])  # fmt: skip


@formula
def hour_of_day(time_s: FloatArray) -> FloatArray:
    """Hours since midnight, [0, 24)."""
    return (time_s % SECONDS_PER_DAY) / 3600


def demand(time_s: FloatArray) -> FloatArray:
    """How many viewers are about, relative to the mean over a day; linear between full hours."""
    hour = hour_of_day(time_s)
    relative: FloatArray = np.interp(hour, np.arange(25), np.append(DEMAND, DEMAND[0])) / DEMAND.mean()
    return relative
