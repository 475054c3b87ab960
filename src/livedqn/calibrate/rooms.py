"""Statistics of rooms, from a timetable: simulated, or replayed from a platform."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from livedqn.calibrate.published import BY_AGE
from livedqn.envs import Timetable
from livedqn.types import BoolArray, FloatArray, IntArray

#: Of the channels that were live, so many count as popular: ``top`` in the names of statistics.
POPULAR = 0.02
#: Fewer broadcasts, or channels, say nothing: the statistic is NaN.
ENOUGH = 30
_DAY_S = 86_400
_LN2 = math.log(2)


class Entries:
    """A timetable's entries by room and time, flat (N,), and one value for each of R rooms."""

    def __init__(self, table: Timetable, popular: float) -> None:
        bins, place = np.nonzero(table.room)
        order = np.lexsort((bins, table.room[bins, place]))
        bins, place = bins[order], place[order]
        self.bin: IntArray = bins
        self.room, self.streamer = table.room[bins, place], table.streamer[bins, place]
        self.topic, self.heat = table.topic[bins, place], table.heat[bins, place].astype(np.float64)
        self.age_h = (table.starts_s[bins] - table.started_s[bins, place]) / 3600
        _, first, self.of, entries = np.unique(self.room, return_index=True, return_inverse=True, return_counts=True)
        self.mean = np.bincount(self.of, self.heat) / entries
        self.peak = np.maximum.reduceat(self.heat, first)
        self.started_s, self.ends_s = table.started_s[bins, place][first], table.ends_s[bins, place][first]
        # the whole broadcast was seen
        self.is_whole = (self.started_s >= table.starts_s[0]) & (self.ends_s < table.end_s)
        changes = (np.diff(self.topic) != 0) & (np.diff(self.room) == 0)
        self.has_several_topics = np.bincount(self.of[1:][changes], minlength=len(first)) > 0
        self.room_streamer = self.streamer[first]
        self.watched = np.bincount(self.streamer, self.heat)
        by_channel = self.watched / np.maximum(np.bincount(self.streamer), 1)
        channels = np.flatnonzero(by_channel)
        count = max(1, round(popular * len(channels)))
        self.popular = channels[np.argsort(-by_channel[channels])[:count]]

    def is_popular(self, streamers: IntArray) -> BoolArray:
        """Which of them are popular."""
        return np.isin(streamers, self.popular)


def statistics(table: Timetable, streamers: int, popular: float = POPULAR) -> dict[str, float]:
    """By the names of :data:`~livedqn.calibrate.published.FIGURES`; NaN where the timetable is too small to say.

    Args:
        table: of some days, in bins of 15 minutes.
        streamers: how many channels there are, live or not.
        popular: the share of the channels seen that are ``top``, those with the most viewers.
    """
    entries = Entries(table, popular)
    return {
        **_of_all(table, streamers, entries), **_over_the_day(table), **_of_lengths(table, entries),
        **_of_changes(table, entries), **_of_heat(entries),
    }  # fmt: skip


def _of_all(table: Timetable, streamers: int, entries: Entries) -> dict[str, float]:
    """Who is live, and how unequal they are."""
    watched = np.sort(entries.watched[1:])[::-1]
    watched = np.pad(watched, (0, max(0, streamers - len(watched))))
    shares = np.cumsum(watched) / watched.sum()
    is_enough = streamers >= 10 * ENOUGH
    found = {
        "live": float((table.count / streamers).mean()),
        # of shares in falling order: 1 less twice the area above the Lorenz curve
        "watch_gini": float(2 * shares.mean() - 1 - 1 / streamers),
        "watch_top_1": float(shares[streamers // 100 - 1]) if is_enough else math.nan,
        "watch_top_10": float(shares[streamers // 10 - 1]) if is_enough else math.nan,
        "several_topics": float(entries.has_several_topics.mean()),
    }
    for quantile in (50, 90, 99, 99.9):
        found[f"viewers_q{quantile}"] = _quantile(entries.mean, quantile)
    days = (table.end_s - table.starts_s[0]) / _DAY_S
    began = entries.started_s >= table.starts_s[0]
    broadcasts = np.bincount(entries.room_streamer[began])
    for quantile in (10, 50, 90):  # of channels that broadcast, as the source saw no others
        found[f"broadcasts_q{quantile}"] = (
            _quantile(broadcasts[broadcasts > 0] * 30 / days, quantile) if days >= 28 else math.nan
        )
    return found


def _over_the_day(table: Timetable) -> dict[str, float]:
    """The busiest hour of the day over the quietest."""
    hour = (table.starts_s % _DAY_S // 3600).astype(np.int64)
    bins = np.bincount(hour, minlength=24)
    if (bins == 0).any():
        return {"rooms_peak_to_trough": math.nan, "viewers_peak_to_trough": math.nan}
    rooms, viewers = (np.bincount(hour, per_bin) / bins for per_bin in (table.count, table.heat.sum(axis=1)))
    return {
        "rooms_peak_to_trough": float(rooms.max() / rooms.min()) if rooms.min() else math.inf,
        "viewers_peak_to_trough": float(viewers.max() / viewers.min()) if viewers.min() else math.inf,
    }


def _of_lengths(table: Timetable, entries: Entries) -> dict[str, float]:
    """How long broadcasts are, and how far apart; an end is known to a bin, so half of one is taken off."""
    bin_min = float(np.median(np.diff(table.starts_s))) / 60
    minutes = (entries.ends_s - entries.started_s) / 60 - bin_min / 2
    top = entries.is_popular(entries.room_streamer)
    found = {f"length_q{q}": _quantile(minutes[entries.is_whole], float(q)) for q in ("05", 25, 50, 75, 95, 99)}
    found["top_length_q50"] = _quantile(minutes[entries.is_whole & top], 50)
    order = np.lexsort((entries.started_s, entries.room_streamer))
    streamer, started_s = entries.room_streamer[order], entries.started_s[order]
    gaps_h = np.diff(started_s)[(np.diff(streamer) == 0) & entries.is_popular(streamer[1:])] / 3600
    found["top_start_gap_q50"] = _quantile(gaps_h, 50)
    found["top_several_topics"] = float(entries.has_several_topics[top].mean())
    return found


def _of_changes(table: Timetable, entries: Entries) -> dict[str, float]:
    """Which popular rooms come and go from one bin to the next."""
    top = entries.is_popular(entries.streamer)
    live: list[set[int]] = [set() for _ in table.count]
    for now, room in zip(entries.bin[top].tolist(), entries.room[top].tolist(), strict=True):
        live[now].add(room)
    steps = [(before, after) for before, after in pairwise(live) if before or after]
    rooms = sum(len(after) for _, after in steps)
    if rooms < ENOUGH:
        return dict.fromkeys(("top_live", "top_new", "top_gone", "top_jaccard"), math.nan)
    return {
        "top_live": float(np.mean([len(rooms) for rooms in live]) / len(entries.popular)),
        "top_new": sum(len(after - before) for before, after in steps) / rooms,
        "top_gone": sum(len(before - after) for before, after in steps) / rooms,
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
    found["top_peak_to_mean"] = _quantile((entries.peak / entries.mean)[top_rooms], 50)
    return found


def _within_correlation(before: FloatArray, after: FloatArray, room: IntArray) -> float:
    """Correlation of two values that stand side by side, each less its room's mean."""
    count = np.maximum(np.bincount(room), 1)
    before, after = (values - (np.bincount(room, values) / count)[room] for values in (before, after))
    scale = math.sqrt(float((before**2).sum() * (after**2).sum()))
    return float((before * after).sum()) / scale if scale else math.nan


def _quantile(values: FloatArray, percent: float) -> float:
    """NaN where so few values do not reach that far out."""
    is_enough = len(values) >= ENOUGH and len(values) * min(percent, 100 - percent) >= 100
    return float(np.quantile(values, percent / 100)) if is_enough else math.nan
