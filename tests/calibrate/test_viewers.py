"""Statistics of impressions by hand, and simulated viewers against what was published."""

import math

import numpy as np
import pytest

from livedqn.calibrate import FIGURES
from livedqn.calibrate.impressions import RequestLog
from livedqn.calibrate.published import OF_IMPRESSIONS, ROOMS
from livedqn.calibrate.viewers import statistics
from livedqn.envs.sim import sim

OF_VIEWERS = [figure for figure in FIGURES if figure.source not in ROOMS]


def clicks(times: int) -> RequestLog:
    """A hundred clicks: 98 of 4 s, two of 100 s; three likes, four comments, two gifts, one of them late."""
    signals = {name: np.zeros(100) for name in ("clicked", "watch_s", "liked", "commented", "gift_value",
                                                "gift_delay_s")}  # fmt: skip
    signals["clicked"][:] = 1
    signals["watch_s"][:] = 4
    signals["watch_s"][:2] = 100
    signals["liked"][:3], signals["commented"][:4] = 1, 1
    signals["gift_value"][:2], signals["gift_delay_s"][0] = [2, 8], 70
    number = 100 * times
    return RequestLog.of(
        np.arange(number), None, np.zeros(number), np.ones(number, np.bool_),
        {name: np.repeat(values, times) for name, values in signals.items()},
    )  # fmt: skip


def test_clicks_by_hand() -> None:
    found = statistics(clicks(1))
    known = {"watch_q50": 4, "watch_q25": 4, "watch_q75": 4, "click_through": 1, "requests_a_visit": 1}
    assert {name: value for name, value in found.items() if not math.isnan(value)} == known  # of so few
    again = statistics(clicks(50))
    assert (again["like"], again["comment"], again["gift"]) == (0.03, 0.04, 0.02)
    assert again["watch_q99_to_q50"] == 25
    assert again["gift_q50"] == 5  # as many of 2 as of 8
    assert again["gift_delay_q50"] == 70
    assert math.isnan(again["follow"])  # not known


def test_visits_and_the_feed_by_hand() -> None:
    """Viewer 7 comes twice, viewer 8 once: gaps of 20 s, then of 40 s after a watch of 60 s."""
    viewer = np.array([8, 7, 7, 7, 7])
    time_s = np.array([5.0, 0, 20, 120, 120 + 1_801])
    watched = np.array([0.0, 0, 60, 0, 0])
    made = RequestLog.of(
        viewer, None, time_s, np.ones(5, np.bool_), {"clicked": watched > 0, "watch_s": watched}
    )  # fmt: skip
    assert made.visit.tolist() == [1, 1, 1, 2, 3]
    assert made.feed_s.tolist() == [20, 40]
    given = RequestLog.of(viewer, np.zeros(5), time_s, made.shown, {"clicked": watched > 0, "watch_s": watched})
    assert given.visit.tolist() == [1, 1, 1, 1, 2]  # whatever the pauses


def test_simulated_viewers() -> None:
    found = statistics(RequestLog.played(sim(1_000), requests=300_000, seed=3))
    assert set(found) == {figure.name for figure in (*OF_VIEWERS, *OF_IMPRESSIONS)}
    assert found["feed_q50"] == pytest.approx(45, rel=0.02)
    for figure in OF_VIEWERS:
        value = found[figure.name]
        if figure.name == "watch_q99_to_q50":  # watching ends with the room: half as heavy-tailed as it was measured
            assert 500 < value < 1_000
        elif figure.name.startswith("gift_q"):  # few, and heavy-tailed
            assert math.isnan(value) or figure.value / 2.5 < value < figure.value * 2.5
        else:
            assert figure.is_met(value), f"{figure.about}: {value:.4g}, published {figure.value:.4g}"
