"""Simulated rooms: when streamers go live, for how long, and how many watch them.

Numbers marked T were measured on French Twitch channels (1,913 broadcasts in 15-minute snapshots, winter 2019; and
271,173 broadcasts of 16,595 channels, July 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from livedqn.envs import keyed
from livedqn.envs.clock import demand
from livedqn.envs.columns import HIGH
from livedqn.envs.keyed import PLATFORM, Purpose
from livedqn.envs.timetable import SECONDS_PER_DAY, Timetable
from livedqn.types import FloatArray, IntArray, LivedqnError

BIN_S = 900  # the grid on which T was measured
#: Starts by hour (UTC), relative: T, smoothed, and a little steeper, for the days of popular rooms vary 6.3-fold.
STARTS = np.array([
    0.3, 0.2, 0.1, 0.1, 0.1, 0.6, 0.6, 0.6, 0.8, 0.9, 0.7, 0.6,
    0.5, 0.6, 1.0, 1.4, 1.7, 2.1, 2.6, 3.2, 3.0, 1.6, 0.6, 0.4,
])  # fmt: skip
START_JITTER_H = 1.5  # either way: T, the gap between two starts is 24 h, mostly 18 to 31
MONTHLY_MEDIAN, MONTHLY_LOG_SD = 14.0, 0.9  # T: broadcasts a month, q10/50/90 = 3/14/32
#: T: minutes at these normal quantiles, 05/25/50/75/95/99 %. The ends are assumed; after the last there is still a
#: pause before the next day's start.
LENGTH_Z = np.array([-2.326, -1.645, -0.674, 0, 0.674, 1.645, 2.326, 3.09])
LENGTH_MIN = np.array([5.0, 15, 105, 185, 291, 527, 799, 1200])
LENGTH_POPULARITY = 0.33  # correlation of normal scores: T, median 283 for popular channels, and 3.9 % end in a bin
VIEWERS_LOG = 2.05, 1.65, 0.21  # by powers of the normal score: T, mean viewers of a room, q50/90/99 = 8/95/1,536
MOST_POPULAR = 3.5  # highest normal score, or one channel may have half of all viewers: T, the top 1 % have 67 %
AR_COEFFICIENT, AR_STEP_SD = 0.97, 0.12  # of ln viewers by bin: T, the steps of a room that has filled; heavy-tailed
RISE_LOG_MEAN, RISE_KEPT = 1.15, 0.3  # the lack of ln viewers at the start, and how much is left a bin later: T, by age
DEMAND_EXPONENT = 0.43  # T: over a day viewers vary 19-fold, rooms 6.3-fold; those live at night are popular ones
#: A room changes its topic now and then, or never does: T, 22 % of all rooms and 38 % of popular ones have several, and
#: 3.6 % of the popular ones' bins bring another.
CHANGE_SHARE, CHANGE_POPULARITY = 0.36, 0.067  # of rooms that do, and what a unit of popularity adds
CHANGE_CHANCE = 0.08  # in a bin
PAST_LOG_SD = 1.5  # of ln broadcasts before the world begins: some streamers are new (assumed)


@dataclass(frozen=True)
class SimulatedRooms:
    """``streamers`` of ``topics`` over ``days``: the same streamers in every world, with other broadcasts."""

    streamers: int
    topics: int
    days: int
    #: How often rooms change their topic, times as often as was measured; 0 = never.
    topic_changes: float = 1.0
    #: These streamers are so popular a share of a platform's: 1 = they are all there are.
    popular: float = 1.0
    #: Broadcasts before the world begins, median over streamers (assumed).
    past_broadcasts: float = 60.0
    splits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.topic_changes * CHANGE_CHANCE <= 1:
            raise LivedqnError(
                f"env sim has topic_changes={self.topic_changes}; choose a number from 0 to {1 / CHANGE_CHANCE:g}"
            )
        if not 0 < self.popular <= 1:
            raise LivedqnError(f"env sim has popular={self.popular}, which is no share; choose one above 0, up to 1")
        if not self.past_broadcasts >= 0:
            raise LivedqnError(f"env sim has past_broadcasts={self.past_broadcasts}; it needs at least 0")
        for name in ("streamers", "topics", "days"):
            if getattr(self, name) < 1:
                raise LivedqnError(f"env sim has {name}={getattr(self, name)}; it needs at least 1")

    def timetable(self, seed: int, split: str) -> Timetable:
        """The rooms of the world of ``seed``; a world is its own split."""
        return _simulated(self, seed)


@lru_cache(maxsize=32)  # policies are compared on the same worlds again and again
def _simulated(rooms: SimulatedRooms, seed: int) -> Timetable:
    number = np.arange(1, rooms.streamers + 1)
    regularity, popularity, experience = keyed.normal(keyed.key(PLATFORM, Purpose.STREAMER, number), 3).T
    popularity = _among_the_most_popular(popularity, rooms.popular)
    past = rooms.past_broadcasts * np.exp(PAST_LOG_SD * experience)
    streamer, start_min, length_min, earlier = _broadcasts(rooms, seed, regularity, popularity)
    room = 1 + np.arange(len(streamer))

    # a room is in every bin that begins while it is live, and ends with the last of them
    first_bin = np.ceil(start_min * 60 / BIN_S).astype(np.int64)
    last_bin = np.ceil((start_min + length_min) * 60 / BIN_S).astype(np.int64)
    age_bins = np.arange(1 + int(LENGTH_MIN[-1] * 60) // BIN_S)
    bin_of = first_bin[:, None] + age_bins
    bins = rooms.days * SECONDS_PER_DAY // BIN_S
    live = (bin_of < last_bin[:, None]) & (bin_of >= 0) & (bin_of < bins)
    heat = _heat(seed, room, popularity[streamer - 1], bin_of)

    which, age = np.nonzero(live)
    topic = _topics(rooms, seed, room, streamer, popularity, len(age_bins))
    entries = {
        "bin": bin_of[which, age],
        "room": room[which],
        "streamer_id": streamer[which],
        "streamer": streamer[which].astype(np.int32),
        "topic": topic[which, age],
        "heat": heat[which, age],
        "started_s": start_min[which] * 60,
        "ends_s": last_bin[which] * float(BIN_S),
        "broadcasts": np.minimum(np.floor(past[streamer[which] - 1] + earlier[which]), HIGH).astype(np.float32),
    }
    return Timetable.of(np.arange(bins) * float(BIN_S), bins * float(BIN_S), entries)


def _among_the_most_popular(score: FloatArray, share: float) -> FloatArray:
    """Normal scores (M,) of the same ranks within the highest ``share`` of all: 1 - (1 - rank) share."""
    if share == 1:
        return score
    below = torch.from_numpy(-score)
    highest: FloatArray = -torch.special.ndtri(share * torch.special.ndtr(below)).numpy()
    return highest


def _broadcasts(
    rooms: SimulatedRooms, seed: int, regularity: FloatArray, popularity: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Streamer, start and length in minutes, and the streamer's earlier broadcasts in this world: (R,) each.

    Every streamer has an hour of their own and comes back to it on some days, and one who is popular stays longer. The
    day before the first is simulated too, so that rooms are live when the world begins.
    """
    share_of_days = np.minimum(1.0, MONTHLY_MEDIAN / 30 * np.exp(MONTHLY_LOG_SD * regularity))
    number = np.arange(1, rooms.streamers + 1)
    hour = _start_hour(keyed.uniform(keyed.key(PLATFORM, Purpose.STREAMER, number, 1), 1))
    day = np.arange(-1, rooms.days)
    keys = keyed.key(seed, Purpose.BROADCAST, number[:, None], day + 1)
    happens, jitter = np.moveaxis(keyed.uniform(keys, 2), -1, 0)
    happens = happens < share_of_days[:, None]
    start = 60 * (24.0 * day + hour + START_JITTER_H * (2 * jitter - 1))
    own = keyed.normal(keyed.key(keys, 1), 1)[..., 0]
    score = LENGTH_POPULARITY * popularity[:, None] + np.sqrt(1 - LENGTH_POPULARITY**2) * own
    length = np.interp(score, LENGTH_Z, LENGTH_MIN)
    earlier = np.cumsum(happens, axis=1) - happens
    index = np.nonzero(happens)
    return index[0] + 1, start[index], length[index], earlier[index]


def _topics(
    rooms: SimulatedRooms, seed: int, room: IntArray, streamer: IntArray, popularity: FloatArray, ages: int
) -> IntArray:
    """The topic of each room at each age, (R, ages) int32: its streamer's own, until it is changed for another."""
    own = keyed.uniform(keyed.key(PLATFORM, Purpose.TOPIC, streamer), 1)
    drawn = keyed.uniform(keyed.key(seed, Purpose.TOPIC, room, 1), 1 + 2 * ages)
    changing = drawn[:, :1] < CHANGE_SHARE + CHANGE_POPULARITY * popularity[streamer - 1, None]
    changes = changing & (drawn[:, 1 : 1 + ages] < rooms.topic_changes * CHANGE_CHANCE)
    changes[:, 0] = False
    shift = changes * (1 + np.floor(drawn[:, 1 + ages :] * (rooms.topics - 1)))  # to another topic, if there is one
    topic = (np.floor(own * rooms.topics) + np.cumsum(shift, axis=1)) % rooms.topics
    numbers: IntArray = 1 + topic.astype(np.int32)
    return numbers


def _start_hour(u: FloatArray) -> FloatArray:
    """Hours that are distributed as ``STARTS``, from uniform numbers."""
    hour: FloatArray = np.interp(u, np.append(0, np.cumsum(STARTS)) / STARTS.sum(), np.arange(25))
    return hour


def _heat(seed: int, room: IntArray, popularity: FloatArray, bin_of: IntArray) -> FloatArray:
    """Viewers of each room at each age, (R, ages) float32: by streamer, age, hour of day, and an AR(1) of its own."""
    ages = bin_of.shape[1]
    drawn = keyed.exponential(keyed.key(seed, Purpose.HEAT, room), 2 * ages + 1)
    shocks = AR_STEP_SD / np.sqrt(2) * (drawn[:, :ages] - drawn[:, ages:-1])  # Laplace: large steps are not so rare
    walk = np.empty_like(shocks)
    walk[:, 0] = shocks[:, 0] / np.sqrt(1 - AR_COEFFICIENT**2)  # begins with its stationary variance
    for age in range(1, ages):
        walk[:, age] = AR_COEFFICIENT * walk[:, age - 1] + shocks[:, age]
    by_streamer = np.polynomial.polynomial.polyval(np.minimum(popularity, MOST_POPULAR), VIEWERS_LOG)
    # a room begins at a random share of its level: the few steps that double it are mostly its first
    by_age = -RISE_LOG_MEAN * drawn[:, -1:] * RISE_KEPT ** np.arange(ages)
    by_hour = DEMAND_EXPONENT * np.log(demand(bin_of * float(BIN_S)))
    heat: FloatArray = np.floor(1 + np.exp(by_streamer[:, None] + by_age + by_hour + walk)).astype(np.float32)
    return heat
