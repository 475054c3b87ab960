"""One phenomenon after another, with a pencil; and each switched off by its number."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from livedqn.envs import behaviour
from livedqn.envs.viewers import TYPICAL, Viewers
from livedqn.types import LivedqnError

ONE = np.ones(1)


def test_fit_grows_with_minutes_watched() -> None:
    v = Viewers(familiarity=0.5)
    # ln(1 + 10 / 10) = ln 2
    assert behaviour.fit(ONE, 2 * ONE, 10 * ONE, v) == pytest.approx([3 + 0.5 * log(2)])
    assert behaviour.fit(ONE, 2 * ONE, 10 * ONE, replace(v, familiarity=0.0)) == pytest.approx([3])


def test_weariness_halves() -> None:
    weary = behaviour.weariness(np.array([1.0, 5.0, 9.0, 1e6]), Viewers(weariness_requests=4.0))
    assert weary == pytest.approx([1, 0.5, 0.25, 0])


def test_click_chance() -> None:
    v = Viewers(click_bias=-2, click_fit=1, click_crowd=1, click_boredom=0.5, click_weariness=2, click_moment=1)
    zero = np.zeros(1)
    at = behaviour.click_chance
    assert at(2 * ONE, 0.5 * ONE, zero, zero, zero, zero, v) == pytest.approx([0.5])
    assert at(ONE, ONE, zero, zero, 0.5 * ONE, zero, v) == pytest.approx([0.5])  # -2 + 1 + 1/2 + 1/2
    assert at(ONE, 0.5 * ONE, ONE, zero, zero, zero, v) == pytest.approx([0.5])  # -2 + 1 + 1
    assert at(2 * ONE, 0.5 * ONE, zero, ONE, zero, 4 * ONE, v) == pytest.approx([1 / (1 + exp(4))])  # 0 - 2 - 2


def test_watching_ends_with_the_room_or_the_viewers_patience() -> None:
    v = Viewers(watch_median_s=2, watch_fit=1, watch_log_sd=1, watch_moment=3, watch_longest_s=100)
    zero = np.zeros(1)
    assert behaviour.watch_s(zero, zero, zero, 50 * ONE, v) == pytest.approx([2])
    assert behaviour.watch_s(ONE, zero, ONE, 50 * ONE, v) == pytest.approx([2 * exp(2)])
    assert behaviour.watch_s(zero, ONE, zero, 50 * ONE, v) == pytest.approx([2 * exp(3)])
    assert behaviour.watch_s(9 * ONE, zero, zero, 50 * ONE, v) == pytest.approx([50])
    assert behaviour.watch_s(9 * ONE, zero, zero, 500 * ONE, v) == pytest.approx([100])


def test_gifts_come_from_those_who_stay() -> None:
    v = Viewers(gift_share=0.5, gift_median=2, gift_log_sd=1)
    watched, u, z = np.array([599.0, 600.0, 600.0]), np.array([0.1, 0.1, 0.9]), np.ones(3)
    assert behaviour.gift_value(watched, np.zeros(3), u, z, v) == pytest.approx([0, 2 * exp(1), 0])
    assert behaviour.gift_value(watched, np.full(3, 0.5), u, z, v) == pytest.approx([0, 2 * exp(1.5), 0])


def test_a_gift_comes_at_once_or_by_weibull() -> None:
    v = Viewers(gift_at_once=0.5, gift_delay_shape=2.0, gift_delay_scale_s=100.0)
    u, w = np.array([0.4, 0.5, 0.9]), np.array([0.5, exp(-1), exp(-4)])
    # scale (-ln w)^(1 / shape)
    assert behaviour.gift_delay_s(u, w, v) == pytest.approx([0, 100, 200], rel=1e-5)


def test_boredom_is_gained_lost_and_forgotten() -> None:
    v = Viewers(bored_by_irrelevant=0.2, pleased_by_good=0.5, boredom_kept=0.5)
    yes, no = np.ones(1, np.bool_), np.zeros(1, np.bool_)
    assert behaviour.bored(ONE, no, no, v) == pytest.approx([0.5])
    assert behaviour.bored(ONE, yes, no, v) == pytest.approx([0.7])
    assert behaviour.bored(ONE, no, yes, v) == pytest.approx([0])
    assert behaviour.bored(-ONE, no, yes, v) == pytest.approx([-1])


def test_leaving() -> None:
    v = Viewers(leave_bias=-3, leave_boredom=2, leave_hour=1)
    zero, hour = np.zeros(1), 3600 * ONE
    at = behaviour.leave_chance
    assert at(ONE, hour, zero, v) == pytest.approx([0.5])  # -3 + 2 + 1
    assert at(zero, hour, zero, v) < at(zero, hour, -ONE, v)  # the impatient leave sooner
    off = replace(v, leave_boredom=0, leave_hour=0)
    assert at(ONE, hour, zero, off) == at(zero, zero, zero, off)


def test_shares_rise_with_fit() -> None:
    clicked = np.array([behaviour.CLICKED_FIT, behaviour.CLICKED_FIT + 1])
    low, high = behaviour.rising_with_fit(0.04, clicked)
    assert low == pytest.approx(0.04)
    assert high > 2 * low
    assert behaviour.rising_with_fit(0.0, clicked) == pytest.approx([0, 0])
    assert behaviour.rising_with_fit(1.0, clicked) == pytest.approx([1, 1])


@pytest.mark.parametrize(
    "setting",
    [
        {"population": 0},
        {"like_share": 1.5},
        {"watch_median_s": 0.0},
        {"leave_bias": np.nan},
        {"feed_log_sd": -1},
    ],
)
def test_settings_out_of_range_are_one_line(setting: dict[str, float]) -> None:
    with pytest.raises(LivedqnError, match=next(iter(setting))) as error:
        Viewers(**setting)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_quality_belongs_to_the_streamer() -> None:
    few, many = behaviour.quality(3, TYPICAL), behaviour.quality(500, TYPICAL)
    assert np.array_equal(few, many[:4])
    assert many.std() == pytest.approx(TYPICAL.quality_sd, rel=0.1)
