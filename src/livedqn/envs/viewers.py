"""The settings of simulated viewers. Every phenomenon has a strength, and a strength of zero switches it off.

Numbers with a source say so; the others are assumed. A few of these were fitted: ``watch_median_s`` and ``gift_share``
to the sources beside them, under a random policy; what makes viewers bored and leave, so that sessions have from 6
requests (any room at each) to 40 (none), that *nothing* is worth something, and that looking ahead is, all to
hand-written policies that know these settings. No learned policy decided any.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.types import LivedqnError


@dataclass(frozen=True)
class Viewers:
    """Who the viewers are, what they like, what bores them and when they leave.

    *Fit* is how well a room suits a viewer: their taste for its topic, the streamer's quality and what they already
    know of the streamer. A standard room and viewer have fit 0; one unit is one standard deviation of taste.
    """

    #: Viewers of one world; the active ones visit more often.
    population: int = 10_000
    #: Past sessions: lognormal. About 44 % of viewers are rare and 13 % very heavy (KuaiLive, arXiv 2508.05633).
    sessions_median: float = 12.0
    sessions_log_sd: float = 1.5
    #: After so many past sessions visible tags tell half the variance of hidden tastes; 0 = at once all of it. As much
    #: as clicks and minutes in rooms shown at random tell who knows these settings (``benchmarks/learning/tags.py``).
    tag_sessions: float = 20.0
    #: How much streamers differ in quality, in units of taste; hidden.
    quality_sd: float = 0.5
    #: Share of all streamers, or of 400 where there are more, that a viewer knows, per unit of ln(1 + past sessions).
    #: Of more than 64 streamers nobody knows more than 32 on average.
    acquaintance: float = 0.01
    #: Minutes watched of a known streamer in the past: lognormal.
    affinity_median_min: float = 30.0
    affinity_log_sd: float = 1.5
    #: Fit gained per unit of ln(1 + minutes watched / 10): a taste for a streamer grows by watching.
    familiarity: float = 0.5

    #: Log-odds of a click on a room of fit 0 by a viewer who is neither pleased nor bored.
    click_bias: float = -2.2
    #: ... gained per unit of fit.
    click_fit: float = 0.8
    #: ... gained from the coldest to the hottest live room: crowds draw clicks, whatever the fit.
    click_crowd: float = 1.0
    #: ... spread of viewers' general openness to live rooms; hidden.
    click_openness_sd: float = 0.7
    #: ... lost per unit of boredom.
    click_boredom: float = 0.7
    #: ... lost when the same streamer was shown just before; halves with ``weariness_requests``.
    click_weariness: float = 2.0
    weariness_requests: float = 4.0

    #: Median seconds watched after a click on a room of fit 0. Median after a click about 4 s, and the 99 % quantile
    #: about 1,900 times as long (a third party's analysis of KuaiLive); clicked rooms have a fit above 0.
    watch_median_s: float = 0.8
    #: Gain of ln seconds per unit of fit, and what no fit explains.
    watch_fit: float = 1.8
    watch_log_sd: float = 2.2
    #: Nobody watches longer without a pause.
    watch_longest_s: float = 7_200.0

    #: An impression that holds the viewer for less (or is not clicked) is irrelevant, one that holds longer is good.
    irrelevant_s: float = 10.0
    good_s: float = 60.0
    #: Boredom gained by an irrelevant room, lost by a good one, and the share that remains at the next request.
    bored_by_irrelevant: float = 0.35
    pleased_by_good: float = 0.5
    boredom_kept: float = 0.9
    #: Log-odds of leaving at a request, and what a unit of boredom adds: live rooms shown too often shorten sessions
    #: (SL-MGAC, arXiv 2412.10381).
    leave_bias: float = -4.2
    leave_boredom: float = 2.0
    #: What an hour in the feed adds to them in this session: nobody scrolls without end.
    leave_hour: float = 1.0
    #: Spread of viewers' patience, in log-odds; hidden.
    leave_patience_sd: float = 0.5

    #: Shares of clicks with a like and a comment (KuaiLive: 3.65 % and 4.0 %) and a follow; all rise with fit.
    like_share: float = 0.0365
    comment_share: float = 0.04
    follow_share: float = 0.01
    #: Share of watches of ten minutes or more with a gift; about 1.5 % of clicks (KuaiLive).
    gift_share: float = 0.25
    #: Value of a gift: lognormal, with median 2 and quantiles 90/99 = 88/1,488 (a third party's analysis of KuaiLive);
    #: the spread between viewers, hidden, and that between gifts of one viewer together make those quantiles.
    gift_median: float = 2.0
    gift_viewer_sd: float = 2.0
    gift_log_sd: float = 2.1
    #: This share comes at once (assumed), the others Weibull(shape, scale) seconds after the impression (as above).
    gift_at_once: float = 0.5
    gift_delay_shape: float = 0.94
    gift_delay_scale_s: float = 3_253.0

    #: A room has moments: a share of its windows of so many seconds, hidden. 0 = none.
    moment_share: float = 0.05
    moment_s: float = 120.0
    #: What a moment adds to the log-odds of a click, and to ln seconds watched.
    click_moment: float = 1.0
    watch_moment: float = 0.5
    #: What it adds to the surge, ln of viewers now over viewers at the last count, and the spread of what else does.
    surge_moment: float = 0.3
    surge_sd: float = 0.15

    #: Whoever leaves may never come back: log-odds, and what a unit of boredom adds (``episode=viewer`` alone, as what
    #: follows here).
    churn_bias: float = -3.5
    churn_boredom: float = 1.0
    #: Log-odds of a visit on a day, gained per unit of ln(1 + past sessions), lost per unit of boredom on leaving.
    return_bias: float = -2.2
    return_activity: float = 0.8
    return_boredom: float = 0.5
    #: Visits begin at the viewer's own hour (viewers return with a daily period: KuaiLive), give or take.
    return_jitter_h: float = 1.5
    #: The share of boredom that is left at the next visit.
    boredom_overnight: float = 0.2

    #: Seconds in the feed between two requests: lognormal.
    feed_median_s: float = 45.0
    feed_log_sd: float = 0.7

    #: What retrieval goes by: log-odds per unit of ln viewers, per unit of a visible tag, and for a known streamer.
    retrieval_heat: float = 0.3
    retrieval_tag: float = 0.5
    retrieval_known: float = 2.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not isfinite(getattr(self, field.name)):
                raise LivedqnError(f"viewers.{field.name} is not finite; choose a number")
            if field.name.endswith("_sd") and getattr(self, field.name) < 0:
                raise LivedqnError(f"viewers.{field.name}={getattr(self, field.name)}; a spread is not below 0")
        if self.population < 1:
            raise LivedqnError(f"viewers.population={self.population}; a world needs at least one viewer")
        for name in ("like_share", "comment_share", "follow_share", "gift_share", "gift_at_once", "moment_share",
                     "boredom_kept", "boredom_overnight"):  # fmt: skip
            if not 0 <= getattr(self, name) <= 1:
                raise LivedqnError(f"viewers.{name}={getattr(self, name)} is no share; choose one from 0 to 1")
        if self.tag_sessions < 0:
            raise LivedqnError(f"viewers.tag_sessions={self.tag_sessions}; choose a number of sessions, at least 0")
        # beyond, a streamer never shown, a million requests ago, would begin to weary
        if self.weariness_requests > 10_000:
            raise LivedqnError(f"viewers.weariness_requests={self.weariness_requests:g}; choose 10,000 at most")
        if self.irrelevant_s < 0 or not 0 < self.good_s >= self.irrelevant_s:
            raise LivedqnError(
                f"viewers.irrelevant_s={self.irrelevant_s:g} and good_s={self.good_s:g}; a good room "
                "is watched at all, and no less than one that is not irrelevant"
            )
        for name in ("sessions_median", "affinity_median_min", "weariness_requests", "watch_median_s",
                     "watch_longest_s", "gift_median", "gift_delay_shape", "gift_delay_scale_s", "moment_s",
                     "feed_median_s"):  # fmt: skip
            if getattr(self, name) <= 0:
                raise LivedqnError(f"viewers.{name}={getattr(self, name)}; choose a number above 0")

    def as_record(self) -> npt.NDArray[Any]:
        """The settings as kernels take them: an array of one record, whose fields have the same names."""
        record = np.dtype([(field.name, np.float64) for field in fields(self)])
        return np.array([astuple(self)], np.dtype((np.record, record)))


#: The viewers that an environment has unless told otherwise.
TYPICAL = Viewers()
