"""Viewers of other settings are asked, their impressions written to a CSV, and the settings found again."""

import csv
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livedqn.calibrate import own
from livedqn.calibrate.fit_viewers import of_impressions
from livedqn.calibrate.fits import Fit, LeftOpen
from livedqn.calibrate.impressions import SIGNALS, RequestLog
from livedqn.config import CalibrateConfig
from livedqn.envs import Viewers
from livedqn.envs.sim import sim

OTHER = Viewers(
    population=3_000_000, click_bias=-1.2, watch_median_s=3.0, watch_log_sd=1.5, like_share=0.1, comment_share=0.02,
    follow_share=0.03, gift_share=0.6, gift_median=10.0, gift_viewer_sd=1.0, gift_log_sd=0.5, gift_at_once=0.2,
    gift_delay_shape=1.5, gift_delay_scale_s=600.0, feed_median_s=20.0, feed_log_sd=0.4, return_jitter_h=0.8,
)  # fmt: skip
#: How near, relative and absolute.
NEAR = {
    "click_bias": (0, 0.1), "watch_median_s": (0.12, 0), "watch_log_sd": (0.1, 0), "like_share": (0.15, 0),
    "comment_share": (0.2, 0), "follow_share": (0.2, 0), "gift_share": (0.1, 0), "gift_median": (0.2, 0),
    "gift_viewer_sd": (0.15, 0), "gift_log_sd": (0.15, 0), "gift_at_once": (0, 0.05), "gift_delay_shape": (0.15, 0),
    "gift_delay_scale_s": (0.1, 0), "feed_median_s": (0.05, 0), "feed_log_sd": (0.05, 0), "return_jitter_h": (0.1, 0),
}  # fmt: skip


def write(of: RequestLog, path: Path) -> None:
    """As a user would, but for ids that are numbers."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["viewer", "time_s", "session", "room", *SIGNALS])
        signals = [of.signals[name].tolist() for name in SIGNALS]
        rooms = np.where(of.shown, "r1", "").tolist()
        writer.writerows(zip(of.viewer.tolist(), of.time_s.tolist(), of.visit.tolist(), rooms, *signals, strict=True))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> RequestLog:
    """What a uniform policy met: visits of viewers who come back to a large world."""
    env = sim(400, streamers=100, days=7, episode="viewer", viewers=OTHER)
    path = tmp_path_factory.mktemp("data") / "log.csv"
    write(RequestLog.played(env, 120_000, seed=11), path)
    return RequestLog.read(str(path), "data.impressions", tolerated=0.0)


@pytest.fixture(scope="module")
def found(data: RequestLog) -> dict[str, Any]:
    # one click in a hundred is followed: of fewer requests the simulator's own share would be known to a tenth
    config = CalibrateConfig(num_envs=1_000, requests=400_000)
    env = {"plugin": "sim", "streamers": 100, "viewers": asdict(Viewers())}
    asked = RequestLog.played(own.build(env, 1_000), config.requests, 0)
    fits, _ = own.fitted_to_impressions(env, data, asked, config, lambda *_: None)
    return {one.setting.removeprefix("viewers."): one.value for one in fits if isinstance(one, Fit)}


@pytest.mark.parametrize("name", NEAR)
def test_a_number(name: str, found: dict[str, Any]) -> None:
    relative, absolute = NEAR[name]
    assert found[name] == pytest.approx(getattr(OTHER, name), rel=relative, abs=absolute)


def test_what_becomes_rare_among_simulated_viewers_stays_fitted() -> None:
    """With the likes of the data 5,000 simulated requests have hardly any, and say nothing of the next step."""
    env = {"plugin": "sim", "streamers": 100, "days": 1, "viewers": asdict(Viewers(like_share=0.2))}
    rare = own.build({**env, "viewers": asdict(Viewers(like_share=0.01, click_bias=-1.0))}, 100)
    data = RequestLog.played(rare, 30_000, seed=11)
    config = CalibrateConfig(num_envs=100, requests=5_000)
    asked = RequestLog.played(own.build(env, 100), config.requests, 0)
    fits, asked = own.fitted_to_impressions(env, data, asked, config, lambda *_: None)
    assert asked.clicks("liked").sum() < 30
    values = {one.setting: one.value for one in fits if isinstance(one, Fit)}
    assert values["viewers.like_share"] == pytest.approx(0.01, rel=0.6)


def test_one_viewer_does_not_tell_how_viewers_differ() -> None:
    gifts = np.exp(np.random.default_rng(0).normal(size=100))
    signals = {"clicked": np.ones(100), "watch_s": np.full(100, 700.0), "gift_value": gifts}
    one = RequestLog.of(np.zeros(100), None, 3_000.0 * np.arange(100), np.ones(100, np.bool_), signals)
    why = {
        name: fit.why for fit in of_impressions(one, one, OTHER) if isinstance(fit, LeftOpen) for name in fit.settings
    }
    assert why["viewers.gift_viewer_sd"] == "1 viewers who gave are too few; it takes 30"


def test_nothing_else_is_fitted(found: dict[str, Any]) -> None:
    assert found.keys() == NEAR.keys()


def test_every_setting_is_fitted_or_has_a_reason(data: RequestLog) -> None:
    few = RequestLog.of(np.arange(3), None, np.zeros(3), np.ones(3, np.bool_),
                        {"clicked": np.ones(3), "watch_s": np.ones(3)})  # fmt: skip
    for some in (data, few):
        fits = of_impressions(some, data, OTHER)
        settled = [name for one in fits for name in (one.settings if isinstance(one, LeftOpen) else (one.setting,))]
        assert sorted(settled) == sorted({f"viewers.{field.name}" for field in fields(Viewers)})
    assert not any(isinstance(one, Fit) for one in fits)
    assert any(isinstance(one, LeftOpen) and "no column gift_value" in one.why for one in fits)
