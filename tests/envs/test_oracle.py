"""What an oracle is told is what happens: chances, expected rewards, and futures that are not the real one."""

from dataclasses import replace

import numpy as np
import pytest

from livedqn.envs import behaviour
from livedqn.envs.futures import Futures, Limits
from livedqn.envs.hidden import expect
from livedqn.envs.payoff import Payoff, of_click
from livedqn.envs.sim import sim
from livedqn.envs.viewers import TYPICAL, Viewers
from livedqn.rewards import WatchTime, Weighted

FREE = Limits(-np.inf, np.inf, 1.0)


def expectations(env, reward):
    payoff = Payoff.of(reward, env.viewers)
    chance, score = np.empty((2, env.num_envs, env.single_action_space.n), np.float32)
    expect(*env.hidden[:5], payoff, chance, score)
    return payoff, chance, score


def test_reward_of_a_click_by_hand() -> None:
    # everybody watches exp(fit) s, and half of those who click at a fit of 1.5 like it
    v = Viewers(watch_median_s=1, watch_fit=1, watch_log_sd=0, like_share=0.5)
    payoff = Payoff.of(Weighted({"watch_s": 1.0, "liked": 10.0, "shown": -0.25}), v)
    assert of_click(0, 1.5, 1e6, payoff) == pytest.approx(np.exp(1.5) + 10 * 0.5 - 0.25, rel=1e-3)
    assert of_click(0, 8.0, 454.0, payoff) == pytest.approx(454 + 10 - 0.25, rel=0.01)  # the room ends before
    assert (payoff.ignored, payoff.nothing, payoff.leaving) == (-0.25, 0, 0)


def test_what_leaving_costs() -> None:
    assert Payoff.of(Weighted({"left": -3.0}), TYPICAL).leaving == pytest.approx(-3)


def test_mean_of_a_heavy_tail_between_the_points_of_the_grid() -> None:
    payoff = Payoff.of(WatchTime(), TYPICAL)
    z = np.random.default_rng(0).normal(size=400_000).astype(np.float32)
    for moment, fit, left_s in ((0, 0.3, 9_000.0), (1, 0.3, 9_000.0), (0, 1.7, 700.0), (1, 3.03, 2_500.0)):
        drawn = behaviour.watch_s(np.float32(fit), moment, z, np.float32(left_s), TYPICAL).mean() / 60
        assert of_click(moment, fit, left_s, payoff) == pytest.approx(drawn, rel=0.03)


def test_chance_of_a_click_is_that_of_behaviour() -> None:
    env = sim(6, viewers=replace(TYPICAL, moment_share=1.0))  # a moment everywhere
    observation, _ = env.reset(seed=3)
    _, chance, score = expectations(env, WatchTime())
    sessions, served, listing = env.hidden.sessions, env.hidden.served, env.hidden.listing
    for row, k in ((0, 1), (3, 5), (5, 2)):
        s, place = sessions.visit[row], served.place[row, k]
        room = listing.rooms_live[s["bin"], place]
        affinity = observation["candidates"][row, k, 4]
        taste, good = sessions.tastes[row, 0, room["topic"]], env.hidden.quality[room["streamer"]]
        fit = behaviour.fit(taste, good, affinity, TYPICAL)
        crowd = 1 - place / (listing.live[s["bin"]] - 1)
        at = behaviour.click_chance(fit, crowd, 1, 0, s["openness"], s["boredom"], TYPICAL)
        assert chance[row, k] == pytest.approx(at, rel=1e-5)
    assert (score[:, 0] == 0).all() and (np.isfinite(score) == observation["mask"]).all()


def test_clicks_and_minutes_are_as_often_and_as_many_as_expected() -> None:
    """Over many requests, so that whatever behaviour learns anew must be known to the oracle too."""
    env, rng = sim(2_000), np.random.default_rng(0)
    observation, _ = env.reset(seed=0)
    clicks, chances, points, expected = [], [], [], []
    for _ in range(12):
        _, chance, score = expectations(env, Weighted({"clicked": 1.0, "liked": 1.0}))
        mask = observation["mask"].copy()
        mask[:, 0] = False
        actions = np.where(mask, rng.random(mask.shape), -1).argmax(axis=1)
        every = np.arange(env.num_envs)
        chances.append(chance[every, actions])
        expected.append(score[every, actions])
        observation, _, terminated, truncated, infos = env.step(actions)
        clicks.append(infos["signals"]["clicked"])
        points.append(infos["signals"]["clicked"] + infos["signals"]["liked"])
        if (ended := terminated | truncated).any():
            observation, _ = env.reset(options={"reset_mask": ended})
    n = 24_000
    chance = np.concatenate(chances)
    deviation = (chance * (1 - chance)).sum() ** 0.5
    assert abs(np.sum(clicks) - chance.sum()) < 4 * deviation
    assert np.sum(points) / n == pytest.approx(np.concatenate(expected).sum() / n, rel=0.05)


def test_futures_leave_the_present_alone_and_have_luck_of_their_own() -> None:
    env = sim(3)
    env.reset(seed=1)
    for _ in range(2):
        env.step(np.ones(3, np.int64) * (~env.hidden.sessions.ended))
        env.reset(options={"reset_mask": env.hidden.sessions.ended.copy()})
    before = {name: array.clone() for name, array in env.state_dict()["sessions"].items()}
    payoff = Payoff.of(WatchTime(), TYPICAL)
    futures = Futures(env.hidden, payoff, FREE, 6)
    rows, first = np.repeat(np.arange(3), 2), np.ones(6, np.int64)
    keys = np.tile(np.array([7, 8], np.uint64), 3)
    found = futures.returns(env.hidden, rows, first, keys, 12)
    assert all((before[name] == array).all() for name, array in env.state_dict()["sessions"].items())
    assert (found[::2] != found[1::2]).all()  # other luck
    same = futures.returns(env.hidden, rows, first, np.full(6, 7, np.uint64), 12)
    assert (same[::2] == same[1::2]).all() and (same[::2] == found[::2]).all()
    key = env.hidden.sessions.visit["key"].copy()
    present = futures.returns(env.hidden, rows, first, np.repeat(key, 2), 12)
    assert (present != same).all()


def test_a_future_of_one_request_is_what_is_expected_of_it() -> None:
    env = sim(4)
    env.reset(seed=1)
    payoff, _, score = expectations(env, WatchTime())
    futures = Futures(env.hidden, payoff, FREE, 4)
    for action in (0, 1, 3):
        found = futures.returns(env.hidden, np.arange(4), np.full(4, action), np.arange(4, dtype=np.uint64), 1)
        assert found == pytest.approx(score[:, action])


def test_presence_falls_with_the_chance_of_leaving() -> None:
    """Who is shown nothing, for a reward of 1 a second: the feed's seconds, each counted by who is still there."""
    v = replace(TYPICAL, leave_bias=0.0, leave_boredom=0.0, leave_hour=0.0, leave_patience_sd=0.0, feed_log_sd=0.0)
    env = sim(2, viewers=v)
    env.reset(seed=1)
    payoff = Payoff.of(Weighted({"elapsed_s": 1.0, "left": 8.0}), v)
    never = Futures(env.hidden, payoff, Limits(np.inf, np.inf, 1.0), 2)
    found = never.returns(env.hidden, np.arange(2), np.zeros(2, np.int64), np.arange(2, dtype=np.uint64), 3)
    # the first 45 s are what nothing brings anyhow; then half are there, and a quarter. Half and a quarter of 8 points
    assert found == pytest.approx([(1 / 2 + 1 / 4) * 45 + (1 / 2 + 1 / 4) * 8] * 2, rel=1e-4)


def test_caps_hold_in_futures() -> None:
    env = sim(2)
    env.reset(seed=1)
    payoff = Payoff.of(Weighted({"shown": 1.0}), TYPICAL)
    keys, rows = np.arange(2, dtype=np.uint64), np.arange(2)
    one = Futures(env.hidden, payoff, Limits(-np.inf, 1.0, 1.0), 2)
    assert one.returns(env.hidden, rows, np.ones(2, np.int64), keys, 9) == pytest.approx([1, 1])
    none = Futures(env.hidden, payoff, Limits(-np.inf, np.inf, 0.0), 2)
    assert none.returns(env.hidden, rows, np.zeros(2, np.int64), keys, 9) == pytest.approx([0, 0])


def test_nothing_is_expected_of_what_is_behind_the_worlds_end() -> None:
    env = sim(4, days=1, viewers=replace(TYPICAL, leave_bias=0.0))
    env.reset(seed=3)
    state = env.state_dict()
    for name, value in {"time_s": 86_399.5, "start_s": 86_000.0, "bin": 95}.items():
        state["sessions"][name][:] = value
    env.load_state_dict(state)
    payoff = Payoff.of(WatchTime(), env.viewers)
    futures = Futures(env.hidden, payoff, FREE, 40)
    rows, keys = np.repeat(np.arange(4), 10), np.arange(40, dtype=np.uint64)
    one, many = (futures.returns(env.hidden, rows, np.ones(40, np.int64), keys, horizon) for horizon in (1, 9))
    assert np.array_equal(one, many)


def test_grid_reaches_as_far_as_anybody_watches() -> None:
    v = replace(TYPICAL, watch_longest_s=36_000.0)
    z = np.random.default_rng(0).normal(size=400_000).astype(np.float32)
    drawn = behaviour.watch_s(np.float32(4.0), 0, z, np.float32(50_000.0), v).mean() / 60
    assert of_click(0, 4.0, 50_000.0, Payoff.of(WatchTime(), v)) == pytest.approx(drawn, rel=0.03)
