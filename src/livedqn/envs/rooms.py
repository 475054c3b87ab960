"""Simulated rooms: when streamers go live, for how long, and how many watch them.

Numbers marked T were measured on French Twitch channels; see :mod:`livedqn.envs.platform`, which has most numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import torch

from livedqn.envs import keyed
from livedqn.envs.clock import demand
from livedqn.envs.columns import HIGH
from livedqn.envs.keyed import PLATFORM, Purpose
from livedqn.envs.platform import MEASURED, Platform
from livedqn.envs.timetable import SECONDS_PER_DAY, Timetable
from livedqn.types import FloatArray, IntArray, LivedqnError

BIN_S = 900  # the grid on which T was measured
#: The normal quantiles 1, 5, 25, 50, 75, 95, 99 and 99.9 %, at which lengths are known.
LENGTH_Z = np.array([-2.326, -1.645, -0.674, 0, 0.674, 1.645, 2.326, 3.09])
MOST_POPULAR = 3.5  # highest normal score, or one channel may have half of all viewers: T, the top 1 % have 67 %
CHANGE_CHANCE = 0.08  # that a room which changes its topic at all does so in a bin: T, of popular ones
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
    platform: Platform = MEASURED
    splits: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.topic_changes * CHANGE_CHANCE <= 1:
            raise LivedqnError(
                f"env sim has topic_changes={self.topic_changes}; choose a number from 0 to {1 / CHANGE_CHANCE:g}"
            )
        if not 0 < self.popular <= 1:
            raise LivedqnError(f"env sim has popular={self.popular}, which is no share; choose one above 0, up to 1")
        if not 0 <= self.past_broadcasts < inf:
            raise LivedqnError(f"env sim has past_broadcasts={self.past_broadcasts}; choose a number, at least 0")
        for name in ("streamers", "topics", "days"):
            if getattr(self, name) < 1:
                raise LivedqnError(f"env sim has {name}={getattr(self, name)}; it needs at least 1")

    def timetable(self, seed: int, split: str) -> Timetable:
        """The rooms of the world of ``seed``; a world is its own split."""
        key = self, seed
        found = _kept.pop(key, None) or _simulated(self, seed)
        _kept[key] = found  # the newest is last
        while len(_kept) > 1 and sum(timetable.nbytes for timetable in _kept.values()) > KEPT_BYTES:
            del _kept[next(iter(_kept))]
        return found


#: Policies are compared on the same worlds again and again, so the last ones are kept, as many as fit.
KEPT_BYTES = 2**28
_kept: dict[tuple[SimulatedRooms, int], Timetable] = {}


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
    age_bins = np.arange(1 + int(rooms.platform.length_min[-1] * 60) // BIN_S)
    bin_of = first_bin[:, None] + age_bins
    bins = rooms.days * SECONDS_PER_DAY // BIN_S
    live = (bin_of < last_bin[:, None]) & (bin_of >= 0) & (bin_of < bins)
    heat = _heat(rooms.platform, seed, room, popularity[streamer - 1], bin_of)

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
    of = rooms.platform
    share_of_days = np.minimum(1.0, of.monthly_median / 30 * np.exp(of.monthly_log_sd * regularity))
    number = np.arange(1, rooms.streamers + 1)
    hour = _start_hour(of, keyed.uniform(keyed.key(PLATFORM, Purpose.STREAMER, number, 1), 1))
    day = np.arange(-1, rooms.days)
    keys = keyed.key(seed, Purpose.BROADCAST, number[:, None], day + 1)
    happens, jitter = np.moveaxis(keyed.uniform(keys, 2), -1, 0)
    happens = happens < share_of_days[:, None]
    start = 60 * (24.0 * day + hour + of.start_jitter_h * (2 * jitter - 1))
    own = keyed.normal(keyed.key(keys, 1), 1)[..., 0]
    score = of.length_popularity * popularity[:, None] + np.sqrt(1 - of.length_popularity**2) * own
    length = np.interp(score, LENGTH_Z, of.length_min)
    earlier = np.cumsum(happens, axis=1) - happens
    index = np.nonzero(happens)
    return index[0] + 1, start[index], length[index], earlier[index]


def _topics(
    rooms: SimulatedRooms, seed: int, room: IntArray, streamer: IntArray, popularity: FloatArray, ages: int
) -> IntArray:
    """The topic of each room at each age, (R, ages) int32: its streamer's own, until it is changed for another."""
    own = keyed.uniform(keyed.key(PLATFORM, Purpose.TOPIC, streamer), 1)
    drawn = keyed.uniform(keyed.key(seed, Purpose.TOPIC, room, 1), 1 + 2 * ages)
    changing = (
        drawn[:, :1] < rooms.platform.change_share + rooms.platform.change_popularity * popularity[streamer - 1, None]
    )
    changes = changing & (drawn[:, 1 : 1 + ages] < rooms.topic_changes * CHANGE_CHANCE)
    changes[:, 0] = False
    shift = changes * (1 + np.floor(drawn[:, 1 + ages :] * (rooms.topics - 1)))  # to another topic, if there is one
    topic = (np.floor(own * rooms.topics) + np.cumsum(shift, axis=1)) % rooms.topics
    numbers: IntArray = 1 + topic.astype(np.int32)
    return numbers


def _start_hour(platform: Platform, u: FloatArray) -> FloatArray:
    """Hours that are distributed as the platform's ``starts``, from uniform numbers."""
    starts = np.array(platform.starts)
    hour: FloatArray = np.interp(u, np.append(0, np.cumsum(starts)) / starts.sum(), np.arange(25))
    return hour


def _heat(of: Platform, seed: int, room: IntArray, popularity: FloatArray, bin_of: IntArray) -> FloatArray:
    """Viewers of each room at each age, (R, ages) float32: by streamer, age, hour of day, and an AR(1) of its own."""
    ages = bin_of.shape[1]
    drawn = keyed.exponential(keyed.key(seed, Purpose.HEAT, room), 2 * ages + 1)
    shocks = of.ar_step_sd / np.sqrt(2) * (drawn[:, :ages] - drawn[:, ages:-1])  # Laplace: large steps are not so rare
    walk = np.empty_like(shocks)
    walk[:, 0] = shocks[:, 0] / np.sqrt(1 - of.ar_coefficient**2)  # begins with its stationary variance
    for age in range(1, ages):
        walk[:, age] = of.ar_coefficient * walk[:, age - 1] + shocks[:, age]
    by_streamer = np.polynomial.polynomial.polyval(np.minimum(popularity, MOST_POPULAR), of.viewers_log)
    # a room begins at a random share of its level: the few steps that double it are mostly its first
    by_age = -of.rise_log_mean * drawn[:, -1:] * of.rise_kept ** np.arange(ages)
    by_hour = of.demand_exponent * np.log(demand(bin_of * float(BIN_S)))
    heat: FloatArray = np.floor(1 + np.exp(by_streamer[:, None] + by_age + by_hour + walk)).astype(np.float32)
    return heat
