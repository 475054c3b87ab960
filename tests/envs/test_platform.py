"""Settings of a platform that cannot be are one line; others change the rooms."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from livedqn.envs import MEASURED, SimulatedRooms
from livedqn.types import LivedqnError


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"starts": (1.0,)}, "platform.starts has 1 numbers; it needs 24"),
        ({"starts": 24 * (0.0,)}, "none is below 0, and some are above"),
        ({"length_min": (5.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0)}, "platform.length_min are rising quantiles"),
        ({"start_jitter_h": 2.5}, "ends with 1200; with start_jitter_h=2.5 .* after 1140 min at most"),
        ({"ar_coefficient": 1.0}, "platform.ar_coefficient=1.0; choose a number from 0 up to less than 1"),
        ({"monthly_median": 0.0}, "platform.monthly_median=0.0; choose a number above 0"),
        ({"ar_step_sd": -0.1}, "platform.ar_step_sd=-0.1; it is not below 0"),
        ({"length_popularity": 1.1}, "is no correlation"),
        ({"viewers_log": (1.0, float("nan"), 0.0)}, "a number of platform is not finite"),
    ],
)
def test_what_cannot_be(setting: dict[str, Any], why: str) -> None:
    with pytest.raises(LivedqnError, match=why):
        replace(MEASURED, **setting)


def test_a_strength_of_zero_switches_its_phenomenon_off() -> None:
    """No noise, no rise, no hours, no quadratic: a room's heat is what its streamer's level says, all the time."""
    plain = replace(MEASURED, viewers_log=(3.0, 0.0, 0.0), ar_step_sd=0.0, rise_log_mean=0.0, demand_exponent=0.0)
    table = SimulatedRooms(streamers=50, topics=2, days=2, platform=plain).timetable(1, "")
    assert np.unique(table.heat[table.room > 0]).tolist() == [21]  # 1 + e^3, rounded down


def test_lengths_and_hours_are_the_platform_s() -> None:
    one = replace(MEASURED, starts=tuple(float(h == 12) for h in range(24)), start_jitter_h=0.5, length_min=8 * (60.0,))
    table = SimulatedRooms(streamers=200, topics=2, days=3, platform=one).timetable(1, "")
    live = table.room > 0
    assert ((table.started_s[live] % 86_400 / 3600 > 11.4) & (table.started_s[live] % 86_400 / 3600 < 13.6)).all()
    assert (np.abs(table.ends_s - table.started_s)[live] <= 3600 + 900).all()
