"""Statistics of rooms, from a timetable: simulated, or replayed from a platform."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from livedqn.calibrate.published import BY_AGE, FIGURES, ROOMS
from livedqn.envs import Timetable
from livedqn.types import BoolArray, FloatArray, IntArray

#: Fewer rooms, or popular channels, say nothing, nor does a quantile with fewer values beyond it: NaN.
ENOUGH, BEYOND = 30, 10
_DAY_S = 86_400
_LN2 = math.log(2)


class Entries:
    """A timetable's entries by room and time, flat (N,), and one value for each of R rooms."""

    def __init__(self, table: Timetable, streamers: int, popular: float) -> None:
        bins, place = np.nonzero(table.room)
        order = np.lexsort((bins, table.room[bins, place]))
        bins, place = bins[order], place[order]
        self.bin: IntArray = bins
        self.room, self.streamer = table.room[bins, place], table.streamer[bins, place]
        self.topic, self.heat = table.topic[bins, place], table.heat[bins, place].astype(np.float64)
        self.age_h = (table.starts_s[bins] - table.started_s[bins, place]) / 3600
        _, first, self.of, entries = np.unique(self.room, return_index=True, return_inverse=True, return_counts=True)
        self.mean = np.bincount(self.of, self.heat) / entries
        self.log_mean = np.bincount(self.of, np.log(np.maximum(self.heat, 1))) / entries
        self.peak = np.maximum(np.maximum.reduceat(self.heat, first), 1)
        self.is_one_bin = entries == 1
        # a room that is missing in a snapshot is two stretches of one, and ends with the last of them
        self.started_s = table.started_s[bins, place][first]
        self.ends_s = np.maximum.reduceat(table.ends_s[bins, place], first)
        # seen to its end; and begun a day before the table's, so that short ones are not seen whole more often
        last_s = table.end_s - _DAY_S
        self.is_whole = (self.started_s >= table.starts_s[0]) & (self.started_s < last_s) & (self.ends_s < table.end_s)
        # an end between two snapshots that are far apart, for some are missing, is not known
        apart_s = np.diff(table.starts_s, append=table.end_s)
        self.is_whole &= (apart_s <= 2 * np.median(apart_s))[np.maximum.reduceat(bins, first)]
        changes = (np.diff(self.topic) != 0) & (np.diff(self.room) == 0)
        self.has_several_topics = np.bincount(self.of[1:][changes], minlength=len(first)) > 0
        self.room_streamer = self.streamer[first]
        self.watched = np.bincount(self.streamer, self.heat)
        by_channel = self.watched / np.maximum(np.bincount(self.streamer), 1)
        channels = np.flatnonzero(by_channel)
        self.popular = channels[np.argsort(-by_channel[channels])[: round(popular * streamers)]]
        self.popular_channels = round(popular * streamers)

    def is_popular(self, streamers: IntArray) -> BoolArray:
        """Which of them are popular."""
        return np.isin(streamers, self.popular)


def statistics(table: Timetable, streamers: int, popular: float) -> dict[str, float]:
    """By the names of :data:`~livedqn.calibrate.published.FIGURES`; NaN where the timetable is too small to say.

    Args:
        table: of some days, in bins of 15 minutes.
        streamers: how many channels there are, live or not.
        popular: the share of the channels that are ``top``, those with the most viewers.
    """
    unknown = {figure.name: math.nan for figure in FIGURES if figure.source in ROOMS}
    if len(np.unique(table.room[table.room > 0])) < ENOUGH or len(table.starts_s) < 2:
        return unknown
    entries = Entries(table, streamers, popular)
    found = {**_of_all(table, streamers, entries), **_of_lengths(table, entries)}
    if entries.popular_channels >= ENOUGH:
        found |= {**_over_the_day(table, entries), **_of_changes(table, entries), **_of_heat(entries)}
    return {**unknown, **found}


def _of_all(table: Timetable, streamers: int, entries: Entries) -> dict[str, float]:
    """Who is live, and how unequal they are."""
    watched = np.sort(entries.watched[1:])[::-1]
    watched = np.pad(watched, (0, max(0, streamers - len(watched))))
    shares = np.cumsum(watched) / (watched.sum() or math.nan)
    live = _by_hour(table, table.count) / streamers
    found = {
        "live": float((table.count / streamers).mean()),
        "live_least": float(live.min()), "live_most": float(live.max()),
        "watch_gini": float(2 * shares.mean() - 1 - 1 / streamers),  # of shares in falling order
        "several_topics": float(entries.has_several_topics.mean()),
    }  # fmt: skip
    for top in (1, 10):
        first = streamers * top // 100
        found[f"watch_top_{top}"] = float(shares[first - 1]) if first >= BEYOND else math.nan
    for percent in (50, 90, 99, 99.9):
        found[f"viewers_q{percent}"] = quantile(entries.mean, percent)
    days = (table.end_s - table.starts_s[0]) / _DAY_S
    broadcasts = np.bincount(entries.room_streamer[entries.started_s >= table.starts_s[0]])
    in_30_days = broadcasts[broadcasts > 0] * 30 / days  # the source saw no channel that never broadcast
    for percent in (10, 50, 90):
        found[f"broadcasts_q{percent}"] = quantile(in_30_days, percent) if round(days) >= 28 else math.nan
    return found


def _by_hour(table: Timetable, per_bin: FloatArray | IntArray) -> FloatArray:
    """Means over the bins of each hour of the day, (24,); NaN for an hour without one."""
    hour = (table.starts_s % _DAY_S // 3600).astype(np.int64)
    bins = np.bincount(hour, minlength=24)
    sums = np.bincount(hour, per_bin, minlength=24)
    means: FloatArray = np.divide(sums, bins, out=np.full(24, math.nan), where=bins > 0)
    return means


def _over_the_day(table: Timetable, entries: Entries) -> dict[str, float]:
    """Popular rooms and their viewers by the hour."""
    top = entries.is_popular(entries.streamer)
    bins = len(table.starts_s)
    rooms = _by_hour(table, np.bincount(entries.bin[top], minlength=bins).astype(np.float64))
    viewers = _by_hour(table, np.bincount(entries.bin[top], entries.heat[top], minlength=bins))
    ratios = (float(hours.max() / hours.min()) if hours.min() > 0 else math.nan for hours in (rooms, viewers))
    live = rooms / entries.popular_channels
    return {
        "top_live": float(top.sum() / bins / entries.popular_channels),
        "top_live_05": float(live[5]), "top_live_21": float(live[21]),
        **dict(zip(("top_rooms_peak_to_trough", "top_viewers_peak_to_trough"), ratios, strict=True)),
    }  # fmt: skip


def _of_lengths(table: Timetable, entries: Entries) -> dict[str, float]:
    """How long broadcasts are, and how far apart. An end is known to a bin: half of one too late on average."""
    bin_min = float(np.median(np.diff(table.starts_s))) / 60
    minutes = (entries.ends_s - entries.started_s) / 60
    top = entries.is_popular(entries.room_streamer)
    lengths = (minutes - bin_min / 2)[entries.is_whole]
    found = {f"length_q{q}": quantile(lengths, float(q)) for q in ("05", 25, 50, 75, 95, 99)}
    if entries.popular_channels < ENOUGH:
        return found
    found["top_length_q50"] = quantile(minutes[entries.is_whole & top], 50)  # the source took off nothing
    order = np.lexsort((entries.started_s, entries.room_streamer))
    streamer, started_s = entries.room_streamer[order], entries.started_s[order]
    gaps_h = np.diff(started_s)[(np.diff(streamer) == 0) & entries.is_popular(streamer[1:])] / 3600
    found["top_start_gap_q50"] = quantile(gaps_h, 50)
    longer = top & ~entries.is_one_bin  # in one snapshot nothing can change
    found["top_several_topics"] = float(entries.has_several_topics[longer].mean()) if longer.any() else math.nan
    return found


def _of_changes(table: Timetable, entries: Entries) -> dict[str, float]:
    """Which popular rooms come and go from one bin to the next."""
    top = entries.is_popular(entries.streamer)
    live: list[set[int]] = [set() for _ in table.count]
    for now, room in zip(entries.bin[top].tolist(), entries.room[top].tolist(), strict=True):
        live[now].add(room)
    steps = [(before, after) for before, after in pairwise(live) if before or after]
    were, are = (sum(map(len, sets)) for sets in zip(*steps, strict=True)) if steps else (0, 0)
    if min(were, are) < ENOUGH:
        return {}
    return {
        "top_new": sum(len(after - before) for before, after in steps) / are,
        "top_gone": sum(len(before - after) for before, after in steps) / were,
        "top_jaccard": float(np.mean([len(before & after) / len(before | after) for before, after in steps])),
    }


def _of_heat(entries: Entries) -> dict[str, float]:
    """How the viewers of popular rooms change, and their topics."""
    top = entries.is_popular(entries.streamer)
    # of one room, one bin after the other, and counted: a room that has just begun may say 0 whoever is there
    counted = (entries.heat[:-1] > 0) & (entries.heat[1:] > 0)
    within = (np.diff(entries.room) == 0) & (np.diff(entries.bin) == 1) & top[1:] & counted
    log_heat = np.log(np.maximum(entries.heat, 1))
    before, after = log_heat[:-1][within], log_heat[1:][within]
    names = ("top_change_mean", "top_change_sd", "top_change_q05", "top_change_q95", "top_doubles", "top_ar1",
             "top_topic_changes")  # fmt: skip
    found = dict.fromkeys(names, math.nan)
    if within.sum() >= ENOUGH:
        steps = after - before
        room = entries.of[1:][within]
        found = dict(zip(names, (
            float(steps.mean()), float(steps.std()), *np.quantile(steps, [0.05, 0.95]).tolist(),
            float((steps > _LN2).mean()), _within_correlation(before, after, room),
            float((np.diff(entries.topic)[within] != 0).mean()),
        ), strict=True))  # fmt: skip
    whole = (entries.is_whole & entries.is_popular(entries.room_streamer))[entries.of]
    share, age_h = (entries.heat / entries.peak[entries.of])[whole], entries.age_h[whole]
    for low, high in BY_AGE:
        some = share[(age_h >= low) & (age_h < high)]
        found[f"top_of_peak_{low:g}_{high:g}_h"] = float(some.mean()) if len(some) >= ENOUGH else math.nan
    top_rooms = entries.is_whole & entries.is_popular(entries.room_streamer)
    found["top_peak_to_mean"] = quantile((entries.peak / np.exp(entries.log_mean))[top_rooms], 50)
    return found


def _within_correlation(before: FloatArray, after: FloatArray, room: IntArray) -> float:
    """Correlation of two values that stand side by side, each less its room's mean."""
    count = np.maximum(np.bincount(room), 1)
    before, after = (values - (np.bincount(room, values) / count)[room] for values in (before, after))
    scale = math.sqrt(float((before**2).sum() * (after**2).sum()))
    return float((before * after).sum()) / scale if scale else math.nan


def quantile(values: FloatArray, percent: float) -> float:
    """NaN where so few values do not reach that far out."""
    is_enough = len(values) >= ENOUGH and len(values) * min(percent, 100 - percent) >= 100 * BEYOND
    return float(np.quantile(values, percent / 100)) if is_enough else math.nan
