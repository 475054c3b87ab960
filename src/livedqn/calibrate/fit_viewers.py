"""Settings of simulated viewers, from real impressions.

Some numbers are what they are called (the value of a gift, the time in the feed). What depends on hidden taste is
compared with the simulator's own answer instead: a setting moves as far as the answer has to.
"""

from __future__ import annotations

import math

import numpy as np

from livedqn.calibrate.fits import Fits, LeftOpen, fit
from livedqn.calibrate.impressions import RequestLog
from livedqn.calibrate.moments import between_within, logit, shifted, spread, weibull
from livedqn.calibrate.rooms import ENOUGH
from livedqn.calibrate.viewers import share
from livedqn.envs import Viewers
from livedqn.envs.behaviour import GIFT_AFTER_S
from livedqn.types import FloatArray

#: So many times the simulator is asked again with the settings that its last answer led to.
ROUNDS = 4
_SHARES = {"like_share": "liked", "comment_share": "commented", "follow_share": "followed"}


def _open(why: str, *names: str) -> LeftOpen:
    return LeftOpen(tuple(f"viewers.{name}" for name in names), why)


#: Why the others stay as they are.
OPEN = (
    _open("taste is hidden, and a log shows no room twice under equal circumstances",
          "tag_sessions", "quality_sd", "click_fit", "watch_fit", "familiarity", "click_openness_sd"),
    _open("what viewers watched before the log begins is not in it",
          "acquaintance", "affinity_median_min", "affinity_log_sd", "sessions_median", "sessions_log_sd", "population"),
    _open("boredom is hidden; only rooms shown at random would tell it from taste",
          "click_boredom", "click_weariness", "weariness_requests", "bored_by_irrelevant", "pleased_by_good",
          "boredom_kept", "boredom_overnight"),
    _open("a log ends a visit without a reason: what was shown, the hour, or patience",
          "leave_bias", "leave_boredom", "leave_hour", "leave_patience_sd"),
    _open("who has gone for good, and who comes back after the log, look alike",
          "churn_bias", "churn_boredom", "return_bias", "return_activity", "return_boredom"),
    _open("they need the viewers of every live room at each request",
          "click_crowd", "moment_share", "moment_s", "click_moment", "watch_moment", "surge_moment", "surge_sd"),
    _open("they need all candidates of a request", "retrieval_heat", "retrieval_tag", "retrieval_known"),
    _open("they are definitions, or one row would decide", "irrelevant_s", "good_s", "watch_longest_s"),
)  # fmt: skip


def of_impressions(data: RequestLog, simulated: RequestLog, now: Viewers) -> Fits:
    """All that the impressions say, and why they say no more.

    Args:
        data: what real viewers did.
        simulated: what simulated viewers did with the settings of ``now``.
        now: the settings so far.
    """
    return [*_clicks(data, simulated, now), *_watches(data, simulated, now), *_gifts(data), *_feed(data), *OPEN]


def _clicks(data: RequestLog, simulated: RequestLog, now: Viewers) -> Fits:
    clicks = int(data.signals["clicked"].sum())
    wanted, found = (share(one.signals["clicked"][one.shown]) for one in (data, simulated))
    is_known = 0 < wanted < 1 and 0 < found < 1
    bias = now.click_bias + logit(wanted) - logit(found) if is_known else np.nan
    fits: Fits = [fit("viewers.click_bias", bias, clicks, "clicks", ENOUGH)]
    for setting, signal in _SHARES.items():
        wanted, found = (share(one.clicks(signal)) for one in (data, simulated))
        was = getattr(now, setting)
        is_known = all(0 < one < 1 for one in (wanted, found, was))
        value = shifted(was, found, wanted) if is_known else np.nan
        fits.append(fit(f"viewers.{setting}", value, int(data.clicks(signal).sum()), f"clicks {signal}", ENOUGH))
    return fits


def _watches(data: RequestLog, simulated: RequestLog, now: Viewers) -> Fits:
    """Scale and spread of ln seconds, by their median and quartiles: how rooms and long evenings end matters little."""
    logs = [np.log(watched[watched > 0]) for watched in (one.clicks("watch_s") for one in (data, simulated))]
    if min(map(len, logs)) < 10 * ENOUGH:
        why = f"{min(map(len, logs)):,} watches are too few; it takes {10 * ENOUGH}"
        return [_open(why, "watch_median_s", "watch_log_sd")]
    medians = [float(np.median(log_s)) for log_s in logs]
    spreads = [spread(log_s) for log_s in logs]
    variance = now.watch_log_sd**2 + spreads[0] ** 2 - spreads[1] ** 2  # the fit's own share of it stays
    rows = len(logs[0])
    median = now.watch_median_s * math.exp(medians[0] - medians[1])
    return [fit("viewers.watch_median_s", median, rows, "watches", ENOUGH),
            fit("viewers.watch_log_sd", math.sqrt(max(variance, 0.0)), rows, "watches", ENOUGH)]  # fmt: skip


def _gifts(data: RequestLog) -> Fits:
    names = ("gift_share", "gift_median", "gift_viewer_sd", "gift_log_sd", "gift_at_once", "gift_delay_shape",
             "gift_delay_scale_s")  # fmt: skip
    if "gift_value" not in data.signals:
        return [_open("there is no column gift_value", *names)]
    value, watched = data.signals["gift_value"], data.signals["watch_s"]
    given, long = value > 0, watched >= GIFT_AFTER_S
    log_value, viewer = np.log(value[given]), data.viewer[given]
    gifts, givers = int(given.sum()), len(np.unique(viewer))
    repeated = gifts - givers
    giving = float(given[long].mean()) if long.any() else np.nan
    median = math.exp(float(np.median(log_value))) if gifts else np.nan
    between, within = between_within(log_value, viewer) if min(repeated, givers) >= ENOUGH else 2 * (np.nan,)
    again = "gifts by viewers who had given before" if repeated <= givers else "viewers who gave"
    fits = [
        fit("viewers.gift_share", giving, int(given[long].sum()), "gifts after ten minutes", ENOUGH),
        fit("viewers.gift_median", median, gifts, "gifts", ENOUGH),
        fit("viewers.gift_viewer_sd", between, min(repeated, givers), again, ENOUGH),
        fit("viewers.gift_log_sd", within, min(repeated, givers), again, ENOUGH),
    ]
    if "gift_delay_s" not in data.signals:
        return [*fits, _open("there is no column gift_delay_s", *names[4:])]
    delay = data.signals["gift_delay_s"][given]
    late = delay[delay > 0]
    shape, scale = weibull(late) if len(late) >= ENOUGH and _has_quartiles(late) else (np.nan, np.nan)
    return [
        *fits, fit("viewers.gift_at_once", 1 - len(late) / max(gifts, 1), gifts, "gifts", ENOUGH),
        fit("viewers.gift_delay_shape", shape, len(late), "late gifts", ENOUGH),
        fit("viewers.gift_delay_scale_s", scale, len(late), "late gifts", ENOUGH),
    ]  # fmt: skip


def _has_quartiles(values: FloatArray) -> bool:
    low, high = np.quantile(values, [0.25, 0.75])
    return bool(low < high)


def _feed(data: RequestLog) -> Fits:
    """Time between requests, and between the hours of a viewer's visits, each of which is off by the same jitter."""
    log_s = np.log(data.feed_s)
    median, log_sd = (math.exp(float(np.median(log_s))), spread(log_s)) if len(log_s) else (np.nan, np.nan)
    begins = np.flatnonzero(np.diff(data.visit, prepend=-1))
    order = begins[np.lexsort((data.time_s[begins], data.viewer[begins]))]
    viewer, hour = data.viewer[order], data.time_s[order] / 3600
    # the first visit is a simulated viewer's own hour, from which the others are off
    later = np.diff(viewer, prepend=-1) == 0
    pairs = later[1:] & later[:-1]
    off_h = (np.diff(hour)[pairs] + 12) % 24 - 12
    jitter_h = spread(off_h) / math.sqrt(2) if len(off_h) else np.nan
    return [
        fit("viewers.feed_median_s", median, len(log_s), "gaps between requests", ENOUGH),
        fit("viewers.feed_log_sd", log_sd, len(log_s), "gaps between requests", ENOUGH),
        fit("viewers.return_jitter_h", jitter_h, len(off_h), "gaps between visits", ENOUGH),
    ]  # fmt: skip
