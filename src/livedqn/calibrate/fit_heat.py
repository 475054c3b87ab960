"""Settings of simulated heat, from the viewers of real rooms.

ln viewers = level(streamer) - rise(age) + demand_exponent ln demand(hour) + AR(1); each part is found where the others
hardly matter.
"""

from __future__ import annotations

import numpy as np

from livedqn.calibrate.fits import Fit, Fits, LeftOpen, fit
from livedqn.calibrate.moments import ar1, laplace_sd, normal_scores
from livedqn.calibrate.rooms import ENOUGH, Entries
from livedqn.envs import Timetable
from livedqn.envs.clock import demand
from livedqn.envs.rooms import BIN_S
from livedqn.types import FloatArray, IntArray

#: Bins of a room's age from which on it has filled.
FILLED = 4
#: An AR(1) with a greater coefficient never comes back to its level while a room is live.
MOST_KEPT = 0.999
#: Below, whole viewers are too coarse for changes of a logarithm.
COUNTABLE = 20


def of_heat(entries: Entries, table: Timetable) -> Fits:
    """Everything that a timetable says of heat."""
    log_demand = np.log(demand(table.starts_s))[entries.bin]
    log_heat = np.log(np.maximum(entries.heat - 0.5, 0.5))  # a room's is rounded down, half a viewer on average
    age = np.floor(entries.age_h * 3600 / BIN_S).astype(np.int64)
    found: Fits = []
    exponent = 0.0
    if is_of_15_min(table):
        one = _exponent(entries, age, log_heat, log_demand)
        exponent = float(one.value) if isinstance(one, Fit) and not isinstance(one.value, tuple) else 0.0
        log_heat = log_heat - exponent * log_demand
        found = [one, *_walk(entries, age, log_heat), *_rise(entries, age, log_heat)]
    else:
        names = ("demand_exponent", "ar_coefficient", "ar_step_sd", "rise_log_mean", "rise_kept")
        why = f"snapshots are {spacing(table) / 60:.0f} min apart; it takes 15"
        found = [LeftOpen(tuple(f"platform.{name}" for name in names), why)]
    return [*found, *_levels(entries, age, log_heat)]


def spacing(table: Timetable) -> float:
    """Seconds from one snapshot to the next, the median."""
    return float(np.median(np.diff(table.starts_s)))


def is_of_15_min(table: Timetable) -> bool:
    """Whether what changes from one snapshot to the next changes as in a bin of simulated rooms."""
    return 0.8 * BIN_S <= spacing(table) <= 1.2 * BIN_S


def _changes(entries: Entries, age: IntArray, *values: FloatArray) -> list[FloatArray]:
    """Of rooms that have filled, from one bin to the next, (n,) each."""
    is_one = (np.diff(entries.room) == 0) & (np.diff(entries.bin) == 1)
    counted = np.minimum(entries.heat[1:], entries.heat[:-1]) >= COUNTABLE
    return [np.diff(one)[is_one & counted & (age[:-1] >= FILLED)] for one in values]


def _exponent(entries: Entries, age: IntArray, log_heat: FloatArray, log_demand: FloatArray) -> Fit | LeftOpen:
    """Slope through the origin of changes over changes, which hardly depend on one another as levels do."""
    y, x = _changes(entries, age, log_heat, log_demand)
    slope = float((x * y).sum() / ((x * x).sum() or np.nan))
    return fit("platform.demand_exponent", slope, len(y), "changes in 15 min", 10 * ENOUGH)


def _walk(entries: Entries, age: IntArray, log_heat: FloatArray) -> Fits:
    """The autoregression, of what the hour does not explain: by its changes, and by how far it leads from the level.

    That is the variance within a channel, of which its own mean takes the part of one of its rooms: who has one room
    says nothing.
    """
    (changes,) = _changes(entries, age, log_heat)
    some = (age >= FILLED) & (entries.heat >= COUNTABLE)
    rooms = np.bincount(np.unique(np.stack([entries.streamer[some], entries.of[some]]), axis=1)[0])
    some[some] = rooms[entries.streamer[some]] > 1
    streamer, values = entries.streamer[some], log_heat[some]
    means = np.bincount(streamer, values) / np.maximum(np.bincount(streamer), 1)
    free = (1 - 1 / rooms[streamer]).sum()
    if len(changes) < 10 * ENOUGH or not free:
        why = f"{len(changes):,} changes of {COUNTABLE} viewers or more are too few; it takes {10 * ENOUGH}"
        return [LeftOpen(("platform.ar_coefficient", "platform.ar_step_sd"), why)]
    sd = float(np.sqrt(((values - means[streamer]) ** 2).sum() / free))
    coefficient, step_sd = ar1(laplace_sd(changes), sd) if sd else (0.0, 0.0)
    coefficient = min(coefficient, MOST_KEPT)
    return [fit("platform.ar_coefficient", coefficient, len(values), "counts of viewers", 10 * ENOUGH),
            fit("platform.ar_step_sd", step_sd, len(changes), "changes in 15 min", 10 * ENOUGH)]  # fmt: skip


def _rise(entries: Entries, age: IntArray, log_heat: FloatArray) -> Fits:
    """How much rooms grow from their first bin to the second, and from there to the third: a geometric series."""
    names = ("platform.rise_log_mean", "platform.rise_kept")
    same = (np.diff(entries.room) == 0) & (np.diff(age) == 1)
    same &= np.minimum(entries.heat[1:], entries.heat[:-1]) > 0  # who has just begun may say 0 whoever is there
    growth = [np.diff(log_heat)[same & (age[:-1] == bin_)] for bin_ in (0, 1)]
    rooms = min(map(len, growth))
    if rooms < ENOUGH:
        return [
            LeftOpen(names, f"{rooms:,} rooms that were seen from their first 15 min on are too few; it takes {ENOUGH}")
        ]
    first, second = (float(values.mean()) for values in growth)
    kept = min(max(second / first, 0.0), 0.95) if first > 0 else 0.0
    return [fit(name, value, rooms, "rooms from their start on", ENOUGH)
            for name, value in zip(names, (max(first, 0.0) / (1 - kept), kept), strict=True)]  # fmt: skip


def _levels(entries: Entries, age: IntArray, log_heat: FloatArray) -> Fits:
    """A channel's level over its normal score, and how that goes with the length of its rooms."""
    some = age >= FILLED
    count = np.bincount(entries.streamer[some])
    channels = np.flatnonzero(count)
    level = (np.bincount(entries.streamer[some], log_heat[some]) / np.maximum(count, 1))[channels]
    if len(channels) < ENOUGH:
        names = ("platform.viewers_log", "platform.length_popularity")
        return [LeftOpen(names, f"{len(channels):,} channels that are live for an hour are too few; it takes {ENOUGH}")]
    score = normal_scores(level)
    degree = min(2, len(np.unique(score)) - 1)  # where channels hardly differ there is no curve
    curve = np.polynomial.polynomial.polyfit(score, level, degree, w=np.sqrt(count[channels]))  # known the better
    curve = np.pad(curve, (0, 2 - degree))
    scores = np.full(max(int(entries.room_streamer.max()), len(count)) + 1, np.nan)
    scores[channels] = score
    of_room = scores[entries.room_streamer]
    whole = entries.is_whole & ~np.isnan(of_room)
    lengths = normal_scores((entries.ends_s - entries.started_s)[whole])
    differ = whole.sum() >= ENOUGH and np.ptp(of_room[whole]) > 0 and np.ptp(lengths) > 0
    together = float(np.corrcoef(of_room[whole], lengths)[0, 1]) if differ else np.nan
    return [fit("platform.viewers_log", tuple(curve.tolist()), len(channels), "channels", ENOUGH),
            fit("platform.length_popularity", together, int(whole.sum()), "whole rooms", 10 * ENOUGH)]  # fmt: skip
