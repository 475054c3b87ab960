"""Between two visits: who comes back, when, and what they still know and feel then."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from livedqn.config import CapConfig
from livedqn.envs import LiveStream, Viewers
from livedqn.envs.absence import REQUESTS_AWAY, bring_into, churn_chance, days_away, return_chance
from livedqn.envs.columns import GIFT
from livedqn.envs.hidden import expect
from livedqn.envs.payoff import Payoff
from livedqn.envs.sessions import Sessions
from livedqn.envs.sim import sim
from livedqn.rewards import WatchTime
from livedqn.stage import Stage
from livedqn.testing import check_env
from livedqn.types import LivedqnError, Spec

DAY = 86_400
#: Everybody leaves at once, and comes back the next day at the same time.
FAITHFUL = Viewers(
    leave_bias=50.0, leave_boredom=0.0, churn_bias=-50.0, churn_boredom=0.0, return_bias=50.0, return_jitter_h=0.0
)
LOYAL = Viewers(leave_bias=-50.0)  # nobody leaves


def column(env: LiveStream, array: str, name: str) -> int:
    return [c.name for c in getattr(Spec.of(env), array)].index(name)


def test_chances() -> None:
    v = Viewers(churn_bias=-1, churn_boredom=2, return_bias=-1, return_activity=1, return_boredom=0.5)
    assert churn_chance(0.5, v) == pytest.approx(0.5)  # -1 + 2 / 2
    assert return_chance(exp(2) - 1, 2.0, v) == pytest.approx(0.5)  # -1 + 2 - 1
    # geometric with chance 1/2: more than n days with chance 1 / 2^n
    assert [days_away(u, 0.5) for u in (0.51, 0.49, 0.124)] == pytest.approx([1, 2, 4])
    assert days_away(0.5, 1.0) == 1


def test_contract_of_viewers_who_come_back() -> None:
    check_env(sim(8, episode="viewer"))
    check_env(sim(3, episode="viewer", days=2, viewers=replace(FAITHFUL, churn_bias=-1.0)))
    with pytest.raises(LivedqnError, match="episode='life'"):
        sim(2, episode="life")


def test_leaving_is_a_step_whose_time_covers_the_absence() -> None:
    env = sim(40, episode="viewer", viewers=FAITHFUL)
    observation, before = env.reset(seed=1)
    activity = observation["context"][:, column(env, "context", "activity")].copy()
    after, _, terminated, truncated, infos = env.step(np.zeros(40, np.int64))
    assert infos["signals"]["left"].all() and not terminated.any()
    assert infos["elapsed_s"] == pytest.approx(DAY)  # from the visit's first request to the next one's
    assert np.array_equal(infos["ids"]["viewer"], before["ids"]["viewer"])
    assert after["context"][:, column(env, "context", "activity")] == pytest.approx(activity + 1)
    for name in ("requests", "shown", "session_min"):
        assert not after["context"][:, column(env, "context", name)].any()
    assert 0 < truncated.sum() < 40  # whose first visit was on the last day
    assert np.array_equal(truncated, before["ids"]["time_s"] + DAY >= 7 * DAY)


def test_what_viewers_know_stays_and_weariness_fades() -> None:
    env = sim(200, episode="viewer", days=30, viewers=replace(FAITHFUL, click_bias=50.0))
    observation, _ = env.reset(seed=2)
    shown = observation["mask"][:, 1]
    env.step(shown.astype(np.int64))
    s = env._sessions
    for row in np.flatnonzero(shown):
        known = s.acquaintances.known[row][1 : 1 + s.acquaintances.met[row]]
        latest = known[known["shown_at"] >= 0]
        assert len(latest) == 1 and latest["affinity_min"][0] > 0
    assert (s.visit["past_requests"] == 1 + REQUESTS_AWAY).all()
    assert s.history[shown, -1, 0].all()


def test_boredom_drives_viewers_away() -> None:
    """Whoever is shown what nobody clicks, at every request, comes back later and is sooner lost."""
    lost, soon = {}, {}
    for shown in (0, 1):
        env = sim(1_000, episode="viewer", viewers=Viewers(click_bias=-50.0))
        observation, _ = env.reset(seed=3)
        left = gone = next_day = 0
        for _ in range(40):
            actions = np.where(observation["mask"][:, 1], shown, 0)
            observation, _, terminated, truncated, infos = env.step(actions)
            leaving = infos["signals"]["left"] > 0
            left, gone = left + leaving.sum(), gone + terminated.sum()
            next_day += (leaving & ~terminated & (infos["elapsed_s"] < 1.5 * DAY)).sum()
            observation, _ = env.reset(options={"reset_mask": terminated | truncated})
        lost[shown], soon[shown] = gone / left, next_day / left
    assert lost[1] > 1.5 * lost[0]
    assert soon[1] < 0.9 * soon[0]


def test_a_gift_is_seen_once_it_has_arrived() -> None:
    """All give, and the gift comes after an hour; the history shows it then and not before."""
    viewers = replace(
        LOYAL, click_bias=50.0, watch_median_s=700.0, watch_fit=0.0, watch_log_sd=0.0, moment_share=0.0,
        gift_share=1.0, gift_at_once=0.0, gift_delay_shape=1e6, gift_delay_scale_s=3_600.0,
    )  # fmt: skip
    env = sim(50, viewers=viewers)
    gift = column(env, "history", "gift_value")
    observation, infos = env.reset(seed=4)
    began_s = infos["ids"]["time_s"]
    observation, _, _, _, infos = env.step(observation["mask"][:, 1].astype(np.int64))
    value = infos["signals"]["gift_value"].copy()
    given = value > 0
    assert given.sum() > 30
    assert infos["signals"]["gift_delay_s"][given] == pytest.approx(3_600, rel=1e-3)
    seen = np.zeros(50, np.bool_)
    for _ in range(100):  # *nothing* adds no impression
        shown, late_s = observation["history"][:, -1, gift], infos["ids"]["time_s"] - began_s
        assert not shown[late_s < 3_590].any()
        there = given & (late_s > 3_610)
        assert shown[there] == pytest.approx(value[there])
        seen |= shown > 0
        observation, _, terminated, truncated, infos = env.step(np.zeros(50, np.int64))
        if (terminated | truncated).any():
            break
    assert seen[given].mean() > 0.8


@pytest.mark.parametrize(("viewers", "is_new_visit"), [(FAITHFUL, True), (LOYAL, False)])
def test_a_cap_is_of_a_visit(viewers: Viewers, is_new_visit: bool) -> None:
    stage = Stage(sim(30, episode="viewer", days=30, viewers=viewers), WatchTime(), CapConfig(max_shown_per_session=1))
    observation = stage.reset(5, "train")
    shown = observation["mask"][:, 1]
    step = stage.step(shown.astype(np.int64))
    assert (step.visit_over == is_new_visit).all()
    allowed = step.observation["mask"][shown & ~step.truncated, 1]
    assert allowed.mean() > 0.9 if is_new_visit else not allowed.any()


def test_generosity_is_the_viewers_own() -> None:
    env = sim(3_000, viewers=Viewers(gift_viewer_sd=2.0))
    env.reset(seed=6)
    assert env._sessions.visit["generosity"].std() == pytest.approx(2.0, rel=0.05)


def test_a_streamer_met_on_an_earlier_visit_is_clicked_as_often_as_behaviour_says() -> None:
    env, rng = sim(1_500, episode="viewer", streamers=60, viewers=Viewers(click_bias=-1.0)), np.random.default_rng(0)
    payoff = Payoff.of(WatchTime(), env.viewers)
    chance, score = np.empty((2, 1_500, 20), np.float32)
    observation, _ = env.reset(seed=7)
    recency = column(env, "candidates", "recency")
    expected, clicked, every = 0.0, 0.0, np.arange(1_500)
    for _ in range(40):
        expect(*env.hidden[:5], payoff, chance, score)
        actions = (rng.random(1_500) * observation["mask"].sum(axis=1)).astype(np.int64)
        ago = observation["candidates"][every, actions, recency]
        earlier = (actions > 0) & (ago > 0) & (ago < 1 / REQUESTS_AWAY)  # shown before an absence
        expected += chance[every, actions][earlier].sum()
        observation, _, terminated, truncated, infos = env.step(actions)
        clicked += infos["signals"]["clicked"][earlier].sum()
        observation, _ = env.reset(options={"reset_mask": terminated | truncated})
    assert expected > 300
    assert abs(clicked - expected) < 4 * expected**0.5


def test_visits_keep_to_the_viewers_own_hour() -> None:
    env = sim(500, episode="viewer", days=60, viewers=replace(FAITHFUL, return_jitter_h=1.5))
    _, infos = env.reset(seed=8)
    home = infos["ids"]["time_s"].copy()
    for _ in range(9):
        _, _, _, truncated, infos = env.step(np.zeros(500, np.int64))
        if truncated.any():
            break
    hours = (infos["ids"]["time_s"] - home)[~truncated] / 3600
    assert np.std((hours + 12) % 24) == pytest.approx(1.5, rel=0.15)  # not more from visit to visit


def test_what_follows_the_worlds_end_is_a_request_within_it() -> None:
    env = sim(300, episode="viewer", days=2, viewers=FAITHFUL)
    env.reset(seed=9)
    observation, _, _, truncated, infos = env.step(np.zeros(300, np.int64))
    assert truncated.sum() > 50
    assert infos["elapsed_s"][truncated] == pytest.approx(DAY)
    assert (infos["ids"]["time_s"][truncated] < 2 * DAY).all()
    age = observation["candidates"][..., column(env, "candidates", "age")]
    assert age.max() < 24 * 60  # the rooms that are live then, not those of the last hour, a day older


def test_gifts_that_had_arrived_before_the_worlds_end_still_have() -> None:
    """Everybody clicks, gives, leaves now and then, and comes back until the world is over."""
    generous = Viewers(
        gift_share=1.0, watch_median_s=900.0, click_bias=3.0, leave_bias=-1.5, churn_bias=-50.0, gift_at_once=1.0
    )
    env = sim(60, days=2, episode="viewer", viewers=generous)
    seen, _ = env.reset(seed=1)
    taken_back = 0
    for _ in range(100):
        before, actions = seen["history"].copy(), np.minimum(seen["mask"].sum(axis=1) - 1, 1)
        seen, _, terminated, truncated, infos = env.step(actions)
        for row in np.flatnonzero(truncated & (infos["signals"]["left"] > 0)):
            shown = int(actions[row] > 0)
            was, now = before[row, shown:, GIFT], seen["history"][row, : len(before[row]) - shown, GIFT]
            assert np.array_equal(was[was > 0], now[was > 0])
            taken_back += (was > 0).sum()
        if (terminated | truncated).any():
            seen, _ = env.reset(options={"reset_mask": terminated | truncated})
    assert taken_back > 100


def test_nobody_is_taken_back_to_before_the_world_began() -> None:
    session = Sessions.empty(1, 1, 1, (1, 8))
    session.visit["time_s"] = 1_000_090.0  # 40 s behind a world of 50 s: a day earlier it had not begun
    session.arrives_s[0] = 1_000_070.0
    bring_into(0, 1_000_000.0, 1_000_050.0, session)
    assert session.visit["time_s"][0] == session.visit["start_s"][0] == 1_000_000
    assert session.arrives_s[0, 0] == 1_000_070 - 90
