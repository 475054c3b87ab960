"""What was measured on real platforms, with the tolerance in which a simulator should agree.

``tail``: 271,173 broadcasts of 16,595 Twitch channels, July 2019. ``top``: 100 popular French channels, snapshots every
15 minutes over 41 days, 2019-11 to 2020-01. ``KuaiLive``: arXiv 2508.05633, 11.6 million rooms of 21 days; its viewers
were chosen as active, so true rates are lower. ``third party``: a third party's analysis, less sure.

Left out is what this command does not show: followers, who returns to a streamer on another day, and the shares of all
interactions that few streamers or viewers have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import nan


@dataclass(frozen=True)
class Figure:
    """A number of the world, and from where to where a simulated one counts as met."""

    name: str
    value: float
    tolerance: Callable[[float], tuple[float, float]]
    source: str
    about: str

    @property
    def low(self) -> float:
        """The least that is met."""
        return self.tolerance(self.value)[0]

    @property
    def high(self) -> float:
        """The most that is met."""
        return self.tolerance(self.value)[1]

    def is_met(self, value: float) -> bool:
        """Whether ``value`` lies within; not where it is not known (NaN)."""
        return self.low <= value <= self.high

    def of(self, value: float, source: str) -> Figure:
        """The same number as measured elsewhere, with the same kind of tolerance."""
        return replace(self, value=value, source=source)


def _quantile(name: str, value: float, source: str, about: str) -> Figure:
    """A quantile or a mean: within 15 %."""
    return Figure(name, value, lambda value: (0.85 * value, 1.15 * value), source, about)


def _share(name: str, value: float, source: str, about: str) -> Figure:
    """A share, a correlation or a change of a logarithm: within 0.02."""
    return Figure(name, value, lambda value: (value - 0.02, value + 0.02), source, about)


def _weak(name: str, value: float, source: str, about: str) -> Figure:
    """A number whose source is weaker: within a factor of 1.5."""
    return Figure(name, value, lambda value: (value / 1.5, value * 1.5), source, about)


_TAIL, _TOP, _KUAILIVE, _THIRD = "tail", "top", "KuaiLive", "third party"
#: Sources of what is said of rooms; the others speak of viewers.
ROOMS = _TAIL, _TOP
#: What is printed beside the numbers.
LEGEND = {
    _TAIL: "16,595 Twitch channels, July 2019", _TOP: "100 popular French channels on Twitch, winter 2019",
    _KUAILIVE: "arXiv 2508.05633", _THIRD: "a third party's analysis, less sure",
}  # fmt: skip
#: Ages of a room in hours -> its viewers then over its peak; a mean of ratios, so within 15 %.
BY_AGE = {
    (0.0, 0.25): 0.32, (0.25, 0.5): 0.53, (0.5, 1.0): 0.66, (1.0, 2.0): 0.74, (2.0, 3.0): 0.75, (4.0, 6.0): 0.66,
    (6.0, 8.0): 0.59,
}  # fmt: skip

FIGURES = (
    _share("live", 0.079, _TAIL, "channels that are live, share"),
    _share("live_least", 0.041, _TAIL, "channels that are live, share, quietest hour"),
    _share("live_most", 0.116, _TAIL, "channels that are live, share, busiest hour"),
    *(_quantile(f"length_q{q}", minutes, _TAIL, f"length of a broadcast, min, quantile {float(q):g} %")
      for q, minutes in (("05", 15), (25, 105), (50, 185), (75, 291), (95, 527), (99, 799))),
    *(_quantile(f"broadcasts_q{q}", number, _TAIL, f"broadcasts of a channel in 30 days, quantile {q} %")
      for q, number in ((10, 3), (50, 14), (90, 32))),
    *(_quantile(f"viewers_q{q}", viewers, _TAIL, f"mean viewers of a room, quantile {q} %")
      for q, viewers in ((50, 8), (90, 95), (99, 1_536), (99.9, 10_258))),
    _share("watch_gini", 0.942, _TAIL, "watch time of channels, Gini coefficient"),
    _share("watch_top_1", 0.67, _TAIL, "watch time of the top 1 % of channels, share"),
    _share("watch_top_10", 0.92, _TAIL, "watch time of the top 10 % of channels, share"),
    _share("several_topics", 0.22, _TAIL, "rooms with more than one topic, share"),
    _share("top_live", 0.119, _TOP, "popular channels that are live, share"),
    _share("top_live_05", 0.039, _TOP, "popular channels that are live, share, 5 to 6 h UTC"),
    _share("top_live_21", 0.246, _TOP, "popular channels that are live, share, 21 to 22 h UTC"),
    _quantile("top_rooms_peak_to_trough", 6.3, _TOP, "popular rooms, busiest hour over quietest"),
    _quantile("top_viewers_peak_to_trough", 19, _TOP, "viewers of popular rooms, busiest hour over quietest"),
    _share("top_new", 0.039, _TOP, "popular rooms that are new after 15 min, share"),
    _share("top_gone", 0.039, _TOP, "popular rooms that are gone after 15 min, share"),
    _share("top_jaccard", 0.925, _TOP, "popular rooms of two snapshots 15 min apart, Jaccard index"),
    _quantile("top_length_q50", 283, _TOP, "length of a popular channel's broadcast, min, median"),
    _quantile("top_start_gap_q50", 24.0, _TOP, "from a popular channel's start to its next, h, median"),
    _share("top_change_mean", 0.04, _TOP, "change of ln viewers in 15 min, mean"),
    _share("top_change_sd", 0.27, _TOP, "change of ln viewers in 15 min, sd"),
    _share("top_change_q05", -0.20, _TOP, "change of ln viewers in 15 min, quantile 5 %"),
    _share("top_change_q95", 0.34, _TOP, "change of ln viewers in 15 min, quantile 95 %"),
    _share("top_doubles", 0.020, _TOP, "steps of 15 min in which viewers more than double, share"),
    _share("top_ar1", 0.83, _TOP, "ln viewers in a room, correlation over 15 min"),
    *(_quantile(f"top_of_peak_{low:g}_{high:g}_h", share, _TOP, f"viewers over the peak, room of {low:g} to {high:g} h")
      for (low, high), share in BY_AGE.items()),
    _quantile("top_peak_to_mean", 1.45, _TOP, "a room's peak over its geometric mean, median"),
    _share("top_topic_changes", 0.036, _TOP, "steps of 15 min in which the topic changes, share"),
    _share("top_several_topics", 0.38, _TOP, "popular rooms with more than one topic, share"),
    _weak("comment", 0.040, _KUAILIVE, "comments a click"),
    _weak("like", 0.0365, _KUAILIVE, "likes a click"),
    _weak("gift", 0.0148, _KUAILIVE, "gifts a click"),
    _weak("watch_q50", 4.0, _THIRD, "seconds watched after a click, median"),
    _weak("watch_q99_to_q50", 1_900.0, _THIRD, "seconds watched after a click, quantile 99 % over median"),
    *(_weak(f"gift_q{q}", value, _THIRD, f"value of a gift, quantile {q} %")
      for q, value in ((50, 2), (90, 88), (99, 1_488))),
    # Weibull(0.94, 3,253 s): 3,253 (ln 2)^(1 / 0.94)
    _weak("gift_delay_q50", 2_203.0, _THIRD, "seconds from an impression to a gift that does not come at once, median"),
)  # fmt: skip

#: What nobody has published, and a user's own impressions say.
OF_IMPRESSIONS = (
    _quantile("click_through", nan, "", "clicks a room that is shown"),
    *(_quantile(f"watch_q{q}", nan, "", f"seconds watched after a click, quantile {q} %") for q in (25, 75, 95)),
    _weak("follow", nan, "", "follows a click"),
    *(_quantile(f"feed_q{q}", nan, "", f"seconds in the feed between two requests, quantile {q} %") for q in (50, 95)),
    _quantile("requests_a_visit", nan, "", "requests of a visit, mean"),
)  # fmt: skip
