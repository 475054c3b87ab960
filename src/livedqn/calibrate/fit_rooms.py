"""Settings of simulated rooms, from the timetable of real ones."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from livedqn.calibrate import hours
from livedqn.calibrate.fit_heat import of_heat, spacing
from livedqn.calibrate.fits import Fit, Fits, LeftOpen, fit
from livedqn.calibrate.moments import lognormal, zero_inflated
from livedqn.calibrate.rooms import ENOUGH, Entries, quantile
from livedqn.envs import Platform, Timetable
from livedqn.envs.rooms import BIN_S, CHANGE_CHANCE

_DAY_S = 86_400
#: The quantiles of ``Platform.length_min``, in percent.
LENGTH_PERCENT = (1, 5, 25, 50, 75, 95, 99, 99.9)
LENGTHS = 200  # rooms that say something of them
#: Quantiles over channels at which broadcasts a month are compared: at both ends chance decides.
MONTHLY_SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
#: Beyond this the hour is nobody's own.
JITTER_MOST_H = 4.0
#: Snapshots further apart miss rooms that are shorter, and how many, nobody knows.
APART_MOST_S = 1_800
#: Why the others stay as they are.
OPEN = (
    LeftOpen(("topics",), "how many categories count as topics of their own is yours to choose"),
    LeftOpen(("past_broadcasts",), "broadcasts before the first snapshot are not in the file"),
    LeftOpen(("platform.change_popularity",), "too few rooms change their topic to tell how popularity matters"),
    LeftOpen(("demand by hour",), "its shape is no setting; platform.demand_exponent is how much heat follows it"),
)  # fmt: skip


def of_rooms(table: Timetable, channels: int, was: Platform) -> Fits:
    """All that the rooms of ``table`` say, and why they say no more.

    Args:
        table: of the real rooms, all days.
        channels: how many might have been live.
        was: the settings before; ends of distributions that too few rooms reach keep their ratios.
    """
    entries = Entries(table, channels, popular=1.0)
    found: Fits = [Fit("streamers", channels, channels, "channels"), Fit("popular", 1.0, channels, "channels")]
    # where lengths stay as they are, the hours of starts must leave them room, as they are rounded
    most_h = (
        JITTER_MOST_H if entries.is_whole.sum() >= LENGTHS else math.floor(50 * (24 - was.length_min[-1] / 60)) / 100
    )
    starts = of_starts(entries, table, most_h)
    jitters = [one.value for one in starts if isinstance(one, Fit) and isinstance(one.value, float)]
    jitter_h = jitters[0] if jitters else was.start_jitter_h
    longest_min = replace(was, start_jitter_h=jitter_h, length_min=8 * (1.0,)).longest_min
    return [
        *found, *starts, *of_broadcasts(entries, table, channels), *of_lengths(entries, table, was, longest_min),
        *of_heat(entries, table), *of_topics(entries, table), *OPEN,
    ]  # fmt: skip


def of_starts(entries: Entries, table: Timetable, jitter_most_h: float) -> Fits:
    """When streamers go live."""
    seen = entries.started_s >= table.starts_s[0]
    started_s, streamer = entries.started_s[seen], entries.room_streamer[seen]
    jitter_h, gaps = hours.jitter(started_s, streamer)
    jitter_h = min(jitter_h, jitter_most_h)
    found = fit("platform.start_jitter_h", jitter_h, gaps, "gaps between two starts", ENOUGH)
    counts = np.bincount((started_s % _DAY_S // 3600).astype(np.int64), minlength=24)
    own = hours.own_hours(np.maximum(counts, 0.1), jitter_h if isinstance(found, Fit) else 0.0)
    return [found, fit("platform.starts", tuple(own.tolist()), len(started_s), "starts", 24 * ENOUGH)]


def of_broadcasts(entries: Entries, table: Timetable, channels: int) -> Fits:
    """How often streamers go live. Who does so every day says only that: quantiles near one a day do not count."""
    names = ("platform.monthly_median", "platform.monthly_log_sd")
    if spacing(table) > APART_MOST_S:
        return [_too_far_apart(names, table)]
    days = (table.end_s - table.starts_s[0]) / _DAY_S
    seen = entries.started_s >= table.starts_s[0]
    number = np.bincount(entries.room_streamer[seen], minlength=channels + 1)[1:]
    known = {share: n for share in MONTHLY_SHARES if 1 <= (n := float(np.quantile(number, share))) <= 0.95 * days}
    if channels < ENOUGH or len(known) < 2 or days < 7:
        return [
            LeftOpen(names, f"{channels:,} channels in {days:.0f} days are too few, or live every day or hardly ever")
        ]
    median, log_sd = lognormal(list(known), list(known.values()))
    return [fit(name, value, channels, "channels", ENOUGH)
            for name, value in zip(names, (median * 30 / days, log_sd), strict=True)]  # fmt: skip


def of_lengths(entries: Entries, table: Timetable, was: Platform, longest_min: float) -> Fits:
    """How long rooms are live, in the quantiles of ``Platform.length_min``."""
    if spacing(table) > APART_MOST_S:
        return [_too_far_apart(("platform.length_min",), table)]
    bin_min = spacing(table) / 60
    minutes = ((entries.ends_s - entries.started_s) / 60 - bin_min / 2)[entries.is_whole]
    lengths = np.array([quantile(minutes, percent) for percent in LENGTH_PERCENT])
    for inner, outer in [*pairwise(range(3, 8)), *pairwise(range(3, -1, -1))]:  # from the median outwards
        if np.isnan(lengths[outer]):
            lengths[outer] = lengths[inner] * was.length_min[outer] / was.length_min[inner]
    rising = np.minimum(np.maximum.accumulate(np.maximum(lengths, 1)), np.floor(longest_min))
    return [fit("platform.length_min", tuple(rising.tolist()), len(minutes), "whole rooms", LENGTHS)]


def _too_far_apart(names: tuple[str, ...], table: Timetable) -> LeftOpen:
    apart, most = spacing(table) / 60, APART_MOST_S / 60
    return LeftOpen(names, f"snapshots {apart:g} min apart miss rooms that are shorter; it takes {most:g} min at most")


def of_topics(entries: Entries, table: Timetable) -> Fits:
    """How rooms change their topic: which ones do, and how often in 15 minutes, however far apart snapshots are."""
    names = ("platform.change_share", "topic_changes")
    same = np.diff(entries.room) == 0
    changed = same & (np.diff(entries.topic) != 0)
    rooms = len(entries.mean)
    happened = np.bincount(entries.of[1:][changed], minlength=rooms)
    if (happened > 0).sum() < ENOUGH:
        return [
            LeftOpen(names, f"{(happened > 0).sum():,} rooms that change their topic are too few; it takes {ENOUGH}")
        ]
    share, chance = zero_inflated(happened, np.bincount(entries.of[1:][same], minlength=rooms))
    chance = 1 - (1 - chance) ** (BIN_S / spacing(table))
    return [fit(names[0], share, rooms, "rooms", ENOUGH),
            fit(names[1], chance / CHANGE_CHANCE, int(happened.sum()), "changes", ENOUGH)]  # fmt: skip
