"""What is said of a setting, and how it is laid over an environment's."""

import pytest

from livedqn.calibrate import FIGURES
from livedqn.calibrate.fits import Fit, LeftOpen, differences, fit, laid, value_of

ENV = {"plugin": "sim", "streamers": 300, "platform": {"starts": [1.0, 2.0], "rise_kept": 0.3}}


def test_four_digits_or_a_reason() -> None:
    assert fit("a", 1.23456, 40, "clicks", 30) == Fit("a", 1.235, 40, "clicks")
    assert fit("a", (1.23456, 2.0), 40, "clicks", 30) == Fit("a", (1.235, 2.0), 40, "clicks")
    assert fit("a", 123_456, 40, "clicks", 30) == Fit("a", 123_456, 40, "clicks")  # a count is exact
    assert fit("a", 1.0, 7, "clicks", 30) == LeftOpen(("a",), "7 clicks are too few; it takes 30")
    assert fit("a", float("nan"), 40, "clicks", 30) == LeftOpen(("a",), "the clicks say nothing of it")


def test_laid_over_and_told_apart() -> None:
    fits = [
        Fit("streamers", 76, 76, "channels"),
        Fit("platform.starts", (3.0, 4.0), 9, "starts"),
        LeftOpen(("x",), "why"),
    ]
    changed = laid(ENV, fits)
    assert (changed["streamers"], changed["platform"]["starts"]) == (76, [3.0, 4.0])
    assert value_of(ENV, "platform.starts") == [1.0, 2.0]  # as it was
    usual = {**ENV, "platform": {"starts": (1.0, 2.0), "rise_kept": 0.3}}
    assert differences(ENV, usual) == {}
    assert differences(changed, usual) == {"streamers": 76, "platform": {"starts": [3.0, 4.0]}}


def test_a_figure_of_data_keeps_its_kind_of_tolerance() -> None:
    by_name = {figure.name: figure.of(10.0, "data") for figure in FIGURES}
    assert (by_name["length_q50"].low, by_name["length_q50"].high) == pytest.approx((8.5, 11.5))
    assert (by_name["live"].low, by_name["live"].high) == pytest.approx((9.98, 10.02))
    assert (by_name["watch_q50"].low, by_name["watch_q50"].high) == pytest.approx((10 / 1.5, 15))
