"""Simulated rooms: when streamers go live, for how long, and how many watch them.

Numbers marked T were measured on French Twitch channels (1,913 broadcasts in 15-minute snapshots, winter 2019; and
271,173 broadcasts of 16,595 channels, July 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from livedqn.envs import keyed
from livedqn.envs.clock import demand
from livedqn.envs.keyed import PLATFORM, Purpose
from livedqn.envs.timetable import SECONDS_PER_DAY, Timetable
from livedqn.types import FloatArray, IntArray, LivedqnError

BIN_S = 900  # the grid on which T was measured
START_HOUR, START_HOUR_SD = 18.5, 3.9  # the sd such that live rooms vary 6-fold over a day (T), most at 21 h
START_JITTER_H = 1.0  # T: the gap between two starts is 24 h, mostly 18 to 31
MONTHLY_MEDIAN, MONTHLY_LOG_SD = 14.0, 0.9  # T: broadcasts a month, q10/50/90 = 3/14/32
LENGTH_LOG_MEAN, LENGTH_LOG_SD = 5.16, 0.80  # T: of ln minutes
LONGEST_MIN = 20 * 60.0  # leaves a pause before the next day's start (assumed)
VIEWERS_MEDIAN, VIEWERS_LOG_SD = 8.0, 2.0  # T: mean viewers of a room, q50/90/99 = 8/95/1,536
AR_COEFFICIENT, AR_STEP_SD = 0.83, 0.258  # T: ln viewers a bin, in steps of sd 0.27 = step sd of this AR(1)
DEMAND_EXPONENT = 0.37  # T: over a day viewers vary 19-fold, rooms 6.3-fold: a room's viewers 3-fold = 19 ** 0.37
AGE_H = np.array([0.125, 0.375, 0.75, 1.5, 2.5, 5.0, 7.0])  # T: viewers over the room's peak, by age
AGE_SHARE = np.array([0.32, 0.53, 0.66, 0.74, 0.75, 0.66, 0.59])
PAST_MEDIAN, PAST_LOG_SD = 60.0, 1.5  # broadcasts before the world begins: some streamers are new (assumed)


@dataclass(frozen=True)
class SimulatedRooms:
    """``streamers`` of ``topics`` over ``days``: the same streamers in every world, with other broadcasts."""

    streamers: int
    topics: int
    days: int
    splits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("streamers", "topics", "days"):
            if getattr(self, name) < 1:
                raise LivedqnError(f"env sim has {name}={getattr(self, name)}; it needs at least 1")

    def timetable(self, seed: int, split: str) -> Timetable:
        """The rooms of the world of ``seed``; a world is its own split."""
        return _simulated(self, seed)


@lru_cache(maxsize=32)  # policies are compared on the same worlds again and again
def _simulated(rooms: SimulatedRooms, seed: int) -> Timetable:
    number = np.arange(1, rooms.streamers + 1)
    traits = keyed.normal(keyed.key(PLATFORM, Purpose.STREAMER, number), 5)
    past = PAST_MEDIAN * np.exp(PAST_LOG_SD * traits[:, 3])
    streamer, start_min, length_min, earlier = _broadcasts(rooms, seed, traits)
    room = 1 + np.arange(len(streamer))

    # a room is in every bin that begins while it is live, and ends with the last of them
    first_bin = np.ceil(start_min * 60 / BIN_S).astype(np.int64)
    last_bin = np.ceil((start_min + length_min) * 60 / BIN_S).astype(np.int64)
    age_bins = np.arange(1 + int(LONGEST_MIN * 60) // BIN_S)
    bin_of = first_bin[:, None] + age_bins
    bins = rooms.days * SECONDS_PER_DAY // BIN_S
    live = (bin_of < last_bin[:, None]) & (bin_of >= 0) & (bin_of < bins)
    log_viewers = np.log(VIEWERS_MEDIAN) + VIEWERS_LOG_SD * traits[streamer - 1, 2]
    heat = _heat(seed, room, log_viewers, bin_of)

    which, age = np.nonzero(live)
    topic_draw = keyed.uniform(keyed.key(PLATFORM, Purpose.TOPIC, number), 1)[:, 0]
    topic = 1 + (topic_draw * rooms.topics).astype(np.int32)
    entries = {
        "bin": bin_of[which, age],
        "room": room[which],
        "streamer_id": streamer[which],
        "streamer": streamer[which].astype(np.int32),
        "topic": topic[streamer[which] - 1],
        "heat": heat[which, age],
        "started_s": start_min[which] * 60,
        "ends_s": last_bin[which] * float(BIN_S),
        "broadcasts": np.floor(past[streamer[which] - 1] + earlier[which]).astype(np.float32),
    }
    return Timetable.of(np.arange(bins) * float(BIN_S), bins * float(BIN_S), entries)


def _broadcasts(
    rooms: SimulatedRooms, seed: int, traits: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Streamer, start and length in minutes, and the streamer's earlier broadcasts in this world: (R,) each.

    Every streamer has an hour of their own and comes back to it on some days. The day before the first is simulated
    too, so that rooms are live when the world begins.
    """
    share_of_days = np.minimum(1.0, MONTHLY_MEDIAN / 30 * np.exp(MONTHLY_LOG_SD * traits[:, 0]))
    hour = START_HOUR + START_HOUR_SD * traits[:, 1]
    day = np.arange(-1, rooms.days)
    keys = keyed.key(seed, Purpose.BROADCAST, np.arange(1, rooms.streamers + 1)[:, None], day + 1)
    happens = keyed.uniform(keys, 1)[..., 0] < share_of_days[:, None]
    noise = keyed.normal(keyed.key(keys, 1), 2)
    start = 60 * (24.0 * day + hour[:, None] + START_JITTER_H * noise[..., 0])
    length = np.minimum(LONGEST_MIN, np.exp(LENGTH_LOG_MEAN + LENGTH_LOG_SD * noise[..., 1]))
    earlier = np.cumsum(happens, axis=1) - happens
    index = np.nonzero(happens)
    return index[0] + 1, start[index], length[index], earlier[index]


def _heat(seed: int, room: IntArray, log_viewers: FloatArray, bin_of: IntArray) -> FloatArray:
    """Viewers of each room at each age, (R, ages) float32: streamer, age, hour of day, and an AR(1) of its own."""
    age_h = np.arange(bin_of.shape[1]) * BIN_S / 3600
    shocks = keyed.normal(keyed.key(seed, Purpose.HEAT, room), bin_of.shape[1])
    walk = np.empty_like(shocks)
    walk[:, 0] = shocks[:, 0] * AR_STEP_SD / np.sqrt(1 - AR_COEFFICIENT**2)  # begins in its stationary law
    for age in range(1, shocks.shape[1]):
        walk[:, age] = AR_COEFFICIENT * walk[:, age - 1] + AR_STEP_SD * shocks[:, age]
    by_age = np.log(np.interp(age_h, AGE_H, AGE_SHARE))
    by_hour = DEMAND_EXPONENT * np.log(demand(bin_of * float(BIN_S)))
    heat: FloatArray = np.floor(1 + np.exp(log_viewers[:, None] + by_age + by_hour + walk)).astype(np.float32)
    return heat
