"""Statistics of clicks by hand, and simulated viewers against what was published."""

import math

import numpy as np

from livedqn.calibrate import FIGURES
from livedqn.calibrate.published import ROOMS
from livedqn.calibrate.viewers import of_clicks, statistics
from livedqn.envs.sim import sim

OF_VIEWERS = [figure for figure in FIGURES if figure.source not in ROOMS]


def test_clicks_by_hand() -> None:
    """A hundred clicks: 98 of 4 s, two of 100 s; three likes, four comments, two gifts, one of them late."""
    watch_s, liked, commented, gifts, delays = (np.zeros(100) for _ in range(5))
    watch_s[:] = 4
    watch_s[:2] = 100
    liked[:3], commented[:4], gifts[:2], delays[0] = 1, 1, [2, 8], 70
    found = of_clicks(watch_s, liked, commented, gifts, delays)
    assert found.pop("watch_q50") == 4
    assert all(math.isnan(value) for value in found.values())  # of so few
    again = of_clicks(*(np.repeat(values, 50) for values in (watch_s, liked, commented, gifts, delays)))
    assert (again["like"], again["comment"], again["gift"]) == (0.03, 0.04, 0.02)
    assert again["watch_q99_to_q50"] == 25
    assert again["gift_q50"] == 5  # as many of 2 as of 8
    assert again["gift_delay_q50"] == 70


def test_simulated_viewers() -> None:
    found = statistics(sim(1_000), requests=300_000, seed=3, notify=lambda *_: None)
    assert set(found) == {figure.name for figure in OF_VIEWERS}
    for figure in OF_VIEWERS:
        value = found[figure.name]
        if figure.name == "watch_q99_to_q50":  # watching ends with the room: half as heavy-tailed as it was measured
            assert 500 < value < 1_000
        elif figure.name.startswith("gift_q"):  # few, and heavy-tailed
            assert math.isnan(value) or figure.value / 2.5 < value < figure.value * 2.5
        else:
            assert figure.is_met(value), f"{figure.about}: {value:.4g}, published {figure.value:.4g}"
