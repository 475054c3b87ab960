"""The settings of simulated rooms in which platforms differ. :class:`~livedqn.envs.rooms.SimulatedRooms` says how.

Numbers marked T were measured on French Twitch channels (1,913 broadcasts in 15-minute snapshots, winter 2019; and
271,173 broadcasts of 16,595 channels, July 2019).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from itertools import pairwise
from math import isfinite

from livedqn.types import LivedqnError

_DAY_MIN = 24 * 60


@dataclass(frozen=True)
class Platform:
    """When streamers go live and for how long, how many watch them, and how that changes."""

    #: Starts by hour of day, 24 relative numbers: T, smoothed, and a little steeper, for the days of popular rooms vary
    #: 6.3-fold.
    starts: tuple[float, ...] = (
        0.3, 0.2, 0.1, 0.1, 0.1, 0.6, 0.6, 0.6, 0.8, 0.9, 0.7, 0.6,
        0.5, 0.6, 1.0, 1.4, 1.7, 2.1, 2.6, 3.2, 3.0, 1.6, 0.6, 0.4,
    )  # fmt: skip
    #: Hours by which a start is off the streamer's own, at most: T, the gap between two is 24 h, mostly 18 to 31.
    start_jitter_h: float = 1.5
    #: Broadcasts a month, lognormal, one a day at most: T, q10/50/90 = 3/14/32.
    monthly_median: float = 14.0
    monthly_log_sd: float = 0.9
    #: Minutes live at quantiles 1, 5, 25, 50, 75, 95, 99 and 99.9 %: T. Both ends are assumed; after the longest there
    #: is still a pause before the next day's start.
    length_min: tuple[float, ...] = (5.0, 15.0, 105.0, 185.0, 291.0, 527.0, 799.0, 1_200.0)
    #: How popular streamers stay longer, a correlation of normal scores: T, median 283 for popular channels, and 3.9 %
    #: end in a bin.
    length_popularity: float = 0.33
    #: ln viewers by powers 0, 1, 2 of a streamer's normal score: T, mean viewers of a room, q50/90/99 = 8/95/1,536.
    viewers_log: tuple[float, ...] = (2.05, 1.65, 0.21)
    #: AR(1) of ln viewers from bin to bin, and the spread of its heavy-tailed steps: T, of a room that has filled.
    ar_coefficient: float = 0.97
    ar_step_sd: float = 0.12
    #: What ln viewers lack at the start on average, and how much of that is left a bin later: T, by age.
    rise_log_mean: float = 1.15
    rise_kept: float = 0.3
    #: ln viewers gained per unit of ln demand, which has the time of day: T, over a day viewers vary 19-fold, rooms
    #: 6.3-fold; those live at night are popular ones.
    demand_exponent: float = 0.43
    #: Share of rooms that change their topic now and then, and what a unit of a streamer's normal score adds: T, 22 %
    #: of all rooms and 38 % of popular ones have several topics, and 3.6 % of the popular ones' bins bring another.
    change_share: float = 0.36
    change_popularity: float = 0.067

    def __post_init__(self) -> None:
        for name, count in (("starts", 24), ("length_min", 8), ("viewers_log", 3)):
            if not isinstance(getattr(self, name), tuple):
                raise LivedqnError(f"platform.{name} is a {type(getattr(self, name)).__name__}; it must be a tuple")
            if len(getattr(self, name)) != count:
                raise LivedqnError(f"platform.{name} has {len(getattr(self, name))} numbers; it needs {count}")
        numbers = [n for value in astuple(self) for n in (value if isinstance(value, tuple) else (value,))]
        if not all(isfinite(number) for number in numbers):
            raise LivedqnError("a number of platform is not finite; choose another")
        if min(self.starts) < 0 or not sum(self.starts):
            raise LivedqnError("platform.starts are how often each hour counts; none is below 0, and some are above")
        if self.length_min[0] <= 0 or any(low > high for low, high in pairwise(self.length_min)):
            raise LivedqnError("platform.length_min are rising quantiles; choose numbers above 0, none below the last")
        if self.length_min[-1] > self.longest_min:
            raise LivedqnError(
                f"platform.length_min ends with {self.length_min[-1]:g}; with start_jitter_h={self.start_jitter_h:g} "
                f"a broadcast is over before the streamer's next after {self.longest_min:g} min at most"
            )
        for name in ("start_jitter_h", "monthly_log_sd", "ar_step_sd", "rise_log_mean", "change_share"):
            if getattr(self, name) < 0:
                raise LivedqnError(f"platform.{name}={getattr(self, name)}; it is not below 0")
        for name in ("ar_coefficient", "rise_kept"):
            if not 0 <= getattr(self, name) < 1:
                raise LivedqnError(f"platform.{name}={getattr(self, name)}; choose a number from 0 up to less than 1")
        if not -1 <= self.length_popularity <= 1:
            raise LivedqnError(f"platform.length_popularity={self.length_popularity} is no correlation")
        if self.monthly_median <= 0:
            raise LivedqnError(f"platform.monthly_median={self.monthly_median}; choose a number above 0")

    @property
    def longest_min(self) -> float:
        """Nobody is live for longer: the next broadcast of the same streamer may begin then."""
        return _DAY_MIN - 2 * 60 * self.start_jitter_h


#: The platform that was measured.
MEASURED = Platform()
