"""The simulator: its contract, its randomness, its candidates, and what a step does to a session."""

import copy
import io
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from livedqn.envs import LiveStream, Viewers
from livedqn.envs.acquaintances import REMEMBERED
from livedqn.envs.arrivals import Shares, _drawn
from livedqn.envs.gym import gym
from livedqn.envs.rooms import SimulatedRooms
from livedqn.envs.sim import sim
from livedqn.envs.timetable import Timetable
from livedqn.testing import check_env
from livedqn.types import IntArray, LivedqnError, Observation, Spec

EAGER = Viewers(click_bias=50.0)  # everybody clicks
LOYAL = Viewers(leave_bias=-50.0)  # nobody leaves


def random_actions(observation: Observation, rng: np.random.Generator) -> IntArray:
    mask = observation["mask"]
    return np.where(mask, rng.random(mask.shape), -1).argmax(axis=1)


def column(env: LiveStream, array: str, name: str) -> int:
    return [c.name for c in getattr(Spec.of(env), array)].index(name)


def test_contract() -> None:
    check_env(sim(8))
    check_env(sim(1))
    check_env(sim(5, viewers=Viewers(leave_bias=1.0)))  # sessions of one or two requests


@settings(max_examples=10, deadline=None, derandomize=True, database=None)
@given(
    num_envs=st.integers(1, 5), streamers=st.integers(1, 40), topics=st.integers(1, 6), days=st.integers(1, 2),
    candidates=st.integers(2, 12), history=st.integers(1, 4), max_requests=st.integers(1, 30),
)  # fmt: skip
def test_contract_of_any_size(**sizes: int) -> None:
    check_env(sim(**sizes))  # type: ignore[arg-type]


def beginnings(policy: str, seed: int, steps: int) -> dict[tuple[int, int], dict[str, Any]]:
    """(row, its how-manieth session) -> what is seen and who comes as it begins."""
    env, rng, found = sim(16), np.random.default_rng(0), {}
    observation, infos = env.reset(seed=seed)
    begun = np.ones(16, np.bool_)
    for _ in range(steps):
        episode = env.state_dict()["sessions"]["episode"].tolist()
        arrays = {**observation, **infos["ids"]}
        found |= {(int(r), episode[r]): {n: a[r].copy() for n, a in arrays.items()} for r in np.flatnonzero(begun)}
        actions = random_actions(observation, rng) if policy == "random" else np.zeros(16, np.int64)
        observation, _, terminated, truncated, _ = env.step(actions)
        begun = terminated | truncated
        if begun.any():
            observation, infos = env.reset(options={"reset_mask": begun})
    return found


def test_what_is_drawn_does_not_depend_on_the_policy() -> None:
    """Two policies on a seed: the same viewers come at the same time, session by session, and see the same rooms."""
    silent, busy = (beginnings(policy, seed=9, steps=150) for policy in ("nothing", "random"))
    common = silent.keys() & busy.keys()
    assert len(common) > 40 and max(episode for _, episode in common) > 3
    for which in common:
        for name, array in silent[which].items():
            assert np.array_equal(array, busy[which][name]), (which, name)


def test_irrelevant_rooms_raise_the_hazard_of_leaving_and_good_ones_lower_it() -> None:
    env, rng = sim(2_000), np.random.default_rng(0)
    observation, _ = env.reset(seed=0)
    left: dict[str, list[Any]] = {"nothing": [], "irrelevant": [], "good": [], "very long": []}
    for _ in range(20):
        actions = random_actions(observation, rng)
        observation, _, terminated, truncated, infos = env.step(actions)
        signals = infos["signals"]
        watched = signals["watch_s"]
        groups = {"nothing": actions == 0, "irrelevant": (actions > 0) & (watched < 10), "good": watched > 60,
                  "very long": watched > 3_600}  # fmt: skip
        for name, group in groups.items():
            left[name] += signals["left"][group].tolist()
        observation, _ = env.reset(options={"reset_mask": terminated | truncated})
    hazard = {name: np.mean(values) for name, values in left.items()}
    assert hazard["good"] < hazard["nothing"] < hazard["irrelevant"]
    assert hazard["very long"] < hazard["nothing"]  # an evening in one room tires nobody of the app


def test_rows_do_not_depend_on_how_many_there_are() -> None:
    few, many = sim(3), sim(7)
    for env in (few, many):
        env.reset(seed=4)
    a, b = few.step(np.ones(3, np.int64)), many.step(np.ones(7, np.int64))
    for name in a[0]:
        assert np.array_equal(a[0][name], b[0][name][:3])


def test_rows_that_are_not_distinct_are_the_same_viewers_episode_after_episode() -> None:
    env, alone = sim(6), sim(2)
    observation, _ = env.reset(seed=5, options={"distinct": 2})
    expected, _ = alone.reset(seed=5)
    begun, rng = np.ones(2, np.int64), np.random.default_rng(0)
    while begun.min() < 3:
        assert all(np.array_equal(observation[n], np.tile(a, (3,) + (1,) * (a.ndim - 1))) for n, a in expected.items())
        actions = random_actions(expected, rng)
        observation, _, gone, cut, _ = env.step(np.tile(actions, 3))
        ended = gone | cut
        expected = alone.step(actions)[0]
        if ended.any():
            observation, _ = env.reset(options={"reset_mask": ended})
            expected, _ = alone.reset(options={"reset_mask": ended[:2]})
            begun += ended[:2]
    other = sim(6)
    other.load_state_dict(env.state_dict())
    everybody = np.ones(6, np.bool_)
    a, b = (one.reset(options={"reset_mask": everybody})[0]["context"] for one in (env, other))
    assert np.array_equal(a, b) and np.array_equal(a[:2], a[4:])
    older = {name: value for name, value in alone.state_dict().items() if name != "distinct"}
    alone.load_state_dict(older)
    assert alone.state_dict()["distinct"] == 2
    again, _ = env.reset(seed=5)
    assert not np.array_equal(again["context"][:2], again["context"][2:4])  # until the next seed
    with pytest.raises(ValueError, match="distinct=0"):
        env.reset(seed=5, options={"distinct": 0})


def test_candidates_are_live_and_all_different() -> None:
    env = sim(64, streamers=100, candidates=12)
    observation, infos = env.reset(seed=1)
    mask, rooms = observation["mask"], infos["ids"]["rooms"]
    assert np.array_equal(rooms > 0, mask & (np.arange(12) > 0))
    for row in range(64):
        shown = rooms[row][rooms[row] > 0]
        assert len(set(shown.tolist())) == len(shown)
    table = env._timetable
    for row, time_s in enumerate(infos["ids"]["time_s"]):
        now = table.bin_at(np.array([time_s]))[0]
        assert set(rooms[row].tolist()) - {0} <= set(table.room[now, : table.count[now]].tolist())
        assert mask[row].sum() == 1 + min(11, table.count[now])  # fewer where fewer are live
    assert not observation["candidates"][~mask].any()
    assert (observation["candidates"][..., column(env, "candidates", "age")] >= 0).all()


def test_retrieval_goes_by_heat_tags_and_acquaintance() -> None:
    for setting, name in (("retrieval_heat", "heat"), ("retrieval_tag", "tag"), ("retrieval_known", "affinity")):
        means = []
        for weight in (0.0, 5.0):
            only = {"retrieval_heat": 0.0, "retrieval_tag": 0.0, "retrieval_known": 0.0, setting: weight}
            env = sim(200, candidates=6, viewers=Viewers(**only))  # type: ignore[arg-type]
            observation, _ = env.reset(seed=2)
            values = observation["candidates"][..., column(env, "candidates", name)][observation["mask"]]
            means.append(np.log1p(values.clip(0)).mean())
        assert means[1] > 1.5 * means[0], setting


def test_a_step_is_remembered() -> None:
    env = sim(4, candidates=3, history=2, viewers=EAGER)
    observation, infos = env.reset(seed=3)
    streamer = infos["ids"]["streamers"][:, 1]
    assert not observation["history"].any()
    after, reward, _, _, infos = env.step(np.array([1, 1, 0, 1]))
    signals = infos["signals"]
    assert signals["clicked"].tolist() == [1, 1, 0, 1]
    assert signals["watch_s"][2] == 0
    assert (signals["watch_s"][[0, 1, 3]] > 0).all()
    history = after["history"]
    assert history[:, 0].any(axis=1).tolist() == [False] * 4
    assert history[:, 1, 0].tolist() == [1, 1, 0, 1]  # the newest is last
    assert history[[0, 1, 3], 1, column(env, "history", "streamer")].tolist() == streamer[[0, 1, 3]].tolist()
    assert history[[0, 1, 3], 1, column(env, "history", "ago")].tolist() == [1, 1, 1]
    context = {name: after["context"][:, column(env, "context", name)] for name in ("requests", "shown", "watched_min")}
    assert context["requests"].tolist() == [1, 1, 1, 1]
    assert context["shown"].tolist() == [1, 1, 0, 1]
    assert context["watched_min"] == pytest.approx(signals["watch_s"] / 60)
    assert reward == pytest.approx(
        signals["clicked"] + 2 * (signals["watch_s"] > 300) + 3 * signals["liked"]
    )  # engagement


def test_time_passes_by_watching_and_in_the_feed() -> None:
    env = sim(50, viewers=EAGER)
    _, before = env.reset(seed=6)
    _, _, _, _, infos = env.step(np.ones(50, np.int64))
    assert (infos["elapsed_s"] > infos["signals"]["watch_s"]).all()
    assert np.abs(infos["ids"]["time_s"] - before["ids"]["time_s"] - infos["elapsed_s"]).max() <= 1


def test_irrelevant_rooms_shorten_sessions() -> None:
    bored = Viewers(click_bias=-50.0)  # nobody clicks: whatever is shown is irrelevant
    left = {}
    for shown in (0, 1):
        env = sim(400, viewers=bored)
        env.reset(seed=8)
        gone = np.zeros(400, np.bool_)
        for _ in range(10):
            _, _, terminated, truncated, _ = env.step(np.full(400, shown))
            gone |= terminated
            if (terminated | truncated).any():
                env.reset(options={"reset_mask": terminated | truncated})
        left[shown] = gone.mean()
    assert left[1] > 1.5 * left[0]


def test_truncation_is_not_termination() -> None:
    env = sim(3, max_requests=2, viewers=LOYAL)
    env.reset(seed=1)
    ends = [env.step(np.zeros(3, np.int64))[2:4] for _ in range(2)]
    assert [(t.tolist(), c.tolist()) for t, c in ends] == [([False] * 3, [False] * 3), ([False] * 3, [True] * 3)]
    for action in (0, 1):
        with pytest.raises(RuntimeError, match="row 0 has ended"):
            env.step(np.full(3, action))


def test_masked_actions() -> None:
    strict, lenient = sim(2, streamers=3, candidates=9), sim(2, streamers=3, candidates=9, invalid="nothing")
    for env in (strict, lenient):
        env.reset(seed=0)
    for actions in ([8, 0], [9, 0], [-1, 0]):
        with pytest.raises(ValueError, match="row 0 is outside its mask"):
            strict.step(np.array(actions))
    with pytest.raises(ValueError, match="integers"):
        strict.step(np.zeros(2))
    with pytest.raises(ValueError, match="integers"):
        strict.step(np.zeros(3, np.int64))
    counted = lenient.step(np.array([8, -1]))
    nothing = strict.step(np.array([0, 0]))
    assert all(np.array_equal(counted[0][name], nothing[0][name]) for name in nothing[0])


def test_state_goes_on_exactly_in_another_process() -> None:
    env, rng = sim(6), np.random.default_rng(1)
    observation, _ = env.reset(seed=5)
    for _ in range(15):
        observation, _, terminated, truncated, _ = env.step(random_actions(observation, rng))
        if (terminated | truncated).any():
            observation, _ = env.reset(options={"reset_mask": terminated | truncated})
    buffer = io.BytesIO()
    torch.save(env.state_dict(), buffer)
    buffer.seek(0)
    other = sim(6)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    for _ in range(15):
        actions = random_actions(observation, rng)
        (observation, *ours), (same, *theirs) = env.step(actions), other.step(actions)
        assert all(np.array_equal(observation[name], same[name]) for name in same)
        assert all(np.array_equal(a, b) for a, b in zip(ours[:3], theirs[:3], strict=True))
        ended = ours[1] | ours[2]
        if ended.any():
            observation, _ = env.reset(options={"reset_mask": ended})
            same, _ = other.reset(options={"reset_mask": ended})
            assert all(np.array_equal(observation[name], same[name]) for name in same)
    with pytest.raises(ValueError, match="shape"):
        sim(5).load_state_dict(env.state_dict())


def test_answers_are_nobodys_to_overwrite() -> None:
    env = sim(3)
    observation, _ = env.reset(seed=2)
    kept = {name: array.copy() for name, array in observation.items()}
    env.step(np.ones(3, np.int64))
    assert all(np.array_equal(kept[name], observation[name]) for name in kept)
    observation, _ = env.reset(seed=2)
    for array in observation.values():
        array[...] = 0  # what a user does to their arrays is nothing to us
    again, _ = env.reset(options={"reset_mask": np.array([True, False, False])})
    assert all(np.array_equal(kept[name][1:], again[name][1:]) for name in kept)


def test_memory_of_a_viewer_does_not_grow_with_the_platform() -> None:
    few, many = (sim(100, streamers=streamers).bytes_per_viewer for streamers in (300, 3_000))
    assert few == many < 8_000


def test_nothing_is_retrieved_for_who_has_left() -> None:
    env = sim(200, max_requests=3, viewers=Viewers(leave_bias=0.0))
    env.reset(seed=1)
    observation, _, left, truncated, infos = env.step(np.zeros(200, np.int64))
    assert 20 < left.sum() < 180 and not truncated.any()
    assert observation["mask"][left].sum(axis=1).tolist() == [1] * left.sum()  # *nothing* alone
    assert not observation["candidates"][left].any() and not infos["ids"]["rooms"][left].any()
    assert observation["mask"][~left].sum(axis=1).min() > 1
    for _ in range(2):  # who is cut off would have gone on, and what they would have been shown has a value
        observation, _ = env.reset(options={"reset_mask": left})
        observation, _, left, truncated, _ = env.step(np.zeros(200, np.int64))
    assert truncated.any() and observation["mask"][truncated].sum(axis=1).min() > 1
    assert env.reset(options={"reset_mask": left})[0]["mask"][left].sum(axis=1).min() > 1


def test_acquaintances_are_as_many_as_is_said() -> None:
    """A streamer is known with chance ``acquaintance`` ln(1 + past sessions), of 400 at most."""
    cases = ((50, 0.02 * np.log(21)), (400, 0.02 * np.log(21)), (4_000, 0.02 * np.log(21) / 10))
    for streamers, expected in cases:
        numbers = known_to_everybody(streamers, acquaintance=0.02)
        assert len(numbers) / 3_000 / streamers == pytest.approx(expected, rel=0.04)
        assert numbers.mean() / streamers == pytest.approx(0.5, abs=0.02)  # the first are known no better than the last
    assert len(known_to_everybody(20, acquaintance=9.0)) == 20 * 3_000  # all that there are can be remembered
    numbers = known_to_everybody(200, acquaintance=9.0)  # and here not: half of what can
    assert len(numbers) / 3_000 == pytest.approx(REMEMBERED / 2, rel=0.02)
    assert numbers.mean() / 200 == pytest.approx(0.5, abs=0.02)
    assert len(known_to_everybody(20, acquaintance=0.0)) == 0


def known_to_everybody(streamers: int, acquaintance: float) -> IntArray:
    """The numbers of all whom 3,000 viewers of 20 past sessions know."""
    settings = {"acquaintance": acquaintance, "sessions_log_sd": 0.0, "sessions_median": 20.0}
    env = sim(3_000, streamers=streamers, viewers=Viewers(**settings))
    env.reset(seed=1)
    known = env._sessions.acquaintances
    rows = [known.known[row]["streamer"][1 : 1 + met] for row, met in enumerate(known.met)]
    return np.concatenate(rows).astype(np.int64)


def test_candidates_show_what_the_viewer_knows_of_their_streamers() -> None:
    env, rng = sim(200, viewers=Viewers(acquaintance=0.05, click_bias=0.0)), np.random.default_rng(0)
    observation, _ = env.reset(seed=3)
    watched: list[dict[int, float]] = [{} for _ in range(200)]  # in this session
    streamer, affinity, recency = (column(env, "candidates", name) for name in ("streamer", "affinity", "recency"))
    shown_at: list[dict[int, int]] = [{} for _ in range(200)]
    requests = np.zeros(200, np.int64)
    before = env._sessions.acquaintances
    for row in range(200):
        known = before.known[row][1 : 1 + before.met[row]]
        watched[row] = dict(zip(known["streamer"].tolist(), known["affinity_min"].tolist(), strict=True))
    for _ in range(6):
        for row in np.flatnonzero(observation["mask"].sum(axis=1) > 1):
            for candidate in observation["candidates"][row][observation["mask"][row]][1:]:
                who = int(candidate[streamer])
                assert candidate[affinity] == pytest.approx(watched[row].get(who, 0.0), rel=1e-5)
                ago = requests[row] - shown_at[row].get(who, -(10**6))
                assert candidate[recency] == pytest.approx(1 / ago, rel=1e-5)
        actions = random_actions(observation, rng)
        shown = observation["candidates"][np.arange(200), actions, streamer].astype(int)
        observation, _, terminated, truncated, infos = env.step(actions)
        for row in np.flatnonzero(actions):
            watched[row][shown[row]] = watched[row].get(shown[row], 0.0) + infos["signals"]["watch_s"][row] / 60
            shown_at[row][shown[row]] = int(requests[row])
        requests += 1
        ended = terminated | truncated
        observation, _ = env.reset(options={"reset_mask": ended})
        for row in np.flatnonzero(ended):  # another viewer
            shown_at[row], requests[row] = {}, 0
            known = env._sessions.acquaintances.known[row][1 : 1 + env._sessions.acquaintances.met[row]]
            watched[row] = dict(zip(known["streamer"].tolist(), known["affinity_min"].tolist(), strict=True))


def test_minutes_watched_before_are_lognormal() -> None:
    env = sim(2_000, viewers=Viewers(affinity_median_min=30.0, affinity_log_sd=1.5))
    env.reset(seed=1)
    known = env._sessions.acquaintances
    minutes = np.concatenate([known.known[row]["affinity_min"][1 : 1 + met] for row, met in enumerate(known.met)])
    assert np.median(minutes) == pytest.approx(30, rel=0.05)
    assert np.log(minutes).std() == pytest.approx(1.5, rel=0.03)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@example(weights=[1.0, 1.0], u=0.5)
@given(weights=st.lists(st.floats(0, 9), min_size=1, max_size=20).filter(any), u=st.floats(1e-9, 1 - 1e-9))
def test_shares_are_drawn_as_by_a_search(weights: list[float], u: float) -> None:
    shares = Shares.of(np.array(weights))
    drawn = _drawn(shares, u)
    assert drawn == np.searchsorted(shares.until, u)
    assert weights[drawn] > 0


@pytest.mark.parametrize("setting", [{"candidates": 1}, {"history": 0}, {"invalid": "maybe"}, {"streamers": 0}])
def test_settings_out_of_range_are_one_line(setting: dict[str, Any]) -> None:
    with pytest.raises(LivedqnError, match=next(iter(setting))) as error:
        sim(2, **setting)
    assert "\n" not in str(error.value)


def test_no_split_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="no split 'nosuch'"):
        sim(2).reset(seed=1, options={"split": "nosuch"})


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_as_the_original_does(copied: Any) -> None:
    env = sim(3)
    seen, _ = env.reset(seed=1)
    rng = np.random.default_rng(0)
    for _ in range(2):
        seen, *_, infos = env.step(random_actions(seen, rng))
        if env._sessions.ended.any():
            seen, infos = env.reset(options={"reset_mask": env._sessions.ended.copy()})
    other = copied(env)
    for _ in range(4):
        actions = random_actions(seen, rng)
        (seen, reward, *ended, infos), theirs = env.step(actions), other.step(actions)
        assert all(np.array_equal(seen[name], theirs[0][name]) for name in seen)
        assert np.array_equal(reward, theirs[1])
        assert all(np.array_equal(infos["ids"][name], theirs[-1]["ids"][name]) for name in infos["ids"])
        over = ended[0] | ended[1]
        seen, _ = env.reset(options={"reset_mask": over})
        other.reset(options={"reset_mask": over})


@pytest.mark.parametrize("made", [sim, gym])
@pytest.mark.parametrize("mask", [np.array([0, 1]), np.ones(3, np.bool_), [True]])
def test_a_mask_of_another_form_restarts_nothing(made: Any, mask: Any) -> None:
    env = made(2)
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"reset_mask is .*; it must be bool \(2,\)"):
        env.reset(options={"reset_mask": mask})


@pytest.mark.parametrize(("name", "number"), [("streamer", 31), ("streamer", 0), ("topic", 9)])
def test_numbers_of_rooms_that_there_are_not(name: str, number: int) -> None:
    class Numbered(SimulatedRooms):
        def timetable(self, seed: int, split: str) -> Timetable:
            table = super().timetable(seed, split)
            numbers = getattr(table, name).copy()
            numbers[np.argmax(table.count), 0] = number
            return replace(table, **{name: numbers})

    rooms = Numbered(streamers=30, topics=8, days=1)
    env = LiveStream(
        2, rooms, Viewers(), candidates=4, history=2, max_requests=9, episode="session", invalid="raise"
    )  # fmt: skip
    with pytest.raises(LivedqnError, match=f"the timetable has {name} {number}, but the rooms say that there are"):
        env.reset(seed=1)


@pytest.mark.parametrize(
    "settings",
    [{"irrelevant_s": 90.0}, {"good_s": 0.0, "irrelevant_s": 0.0}, {"irrelevant_s": -1.0}, {"weariness_requests": 1e6}],
)
def test_viewers_who_would_make_no_sense(settings: dict[str, float]) -> None:
    with pytest.raises(LivedqnError, match=next(iter(settings))):
        Viewers(**settings)
