import random
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from livedqn.config import CapConfig
from livedqn.envs import Viewers
from livedqn.envs.sim import sim
from livedqn.evaluate.calibration import calibration, discounted_returns
from livedqn.evaluate.metrics import exposure_gini, gini, metrics
from livedqn.evaluate.play import Episodes, play
from livedqn.evaluate.policies import Greedy, Random, Rule, ShowIf, favourite, hottest
from livedqn.evaluate.slices import Slices
from livedqn.rewards import WatchTime
from livedqn.stage import Stage, world_seed
from livedqn.types import LivedqnError


def test_every_row_plays_its_quota_to_the_end(tiny):
    played = play(Random(0), tiny.stage(3), seed=2, split="test", episodes=7)
    # row 0 plays sessions 0-2, rows 1 and 2 play two each; row b's e-th session has 2 + (b + e) % 3 requests at most
    assert played.count == 7
    assert played.viewers["activity"].tolist() == [0, 1, 2, 1, 2, 2, 3]
    last = [played.request[played.episode == e].max() + 1 for e in range(7)]
    assert all(length <= 2 + past % 3 for length, past in zip(last, [0, 1, 2, 1, 2, 2, 3], strict=True))
    for e in range(7):
        assert played.request[played.episode == e].tolist() == list(range(last[e]))


def test_hand_worked_metrics(tiny):
    stage = tiny.stage(3)
    hot = ShowIf(hottest(stage.spec), [Rule()] * 3)
    found = metrics(play(hot, stage, seed=1, split="test", episodes=3))
    # sessions of 2, 3 and 3 requests (the third room ends the last one), each worth 1 + 1 in an odd world
    assert found == pytest.approx(
        {"return": 16 / 3, "click_through": 1, "watch_minutes": 0, "session_length": 8 / 3, "share_nothing": 0}
    )
    dear = ShowIf(favourite(stage.spec), [Rule(7.0, 1)] * 3)
    found = metrics(play(dear, stage, seed=1, split="test", episodes=3))
    # one favourite of 30 s and 0.5 in each of the sessions of 2, 3 and 4 requests
    assert found == pytest.approx(
        {"return": 0.5, "click_through": 0, "watch_minutes": 0.5, "session_length": 3, "share_nothing": 6 / 9}
    )


def test_nothing_shown_has_no_click_through(tiny):
    stage = tiny.stage(2)
    never = ShowIf(hottest(stage.spec), [Rule(1e9)] * 2)
    assert np.isnan(metrics(play(never, stage, seed=1, split="test", episodes=2))["click_through"])


def test_a_rule_caps_each_session_anew(tiny):
    stage = tiny.stage(1)
    played = play(ShowIf(hottest(stage.spec), [Rule(max_shown_per_session=1)]), stage, seed=0, split="test", episodes=4)
    assert played.per_episode(played.action > 0).tolist() == [1, 1, 1, 1]


def test_the_cap_of_the_stage_holds(tiny):
    stage = tiny.stage(2, cap=CapConfig(max_shown_per_session=0))
    played = play(ShowIf(hottest(stage.spec), [Rule()] * 2), stage, seed=0, split="test", episodes=2)
    assert not played.action.any()


def test_same_world_same_sessions_whatever_the_policy(tiny):
    stage = tiny.stage(4)
    first = play(Random(0), stage, seed=4, split="test", episodes=9)
    other = play(Greedy(tiny.agent), stage, seed=4, split="test", episodes=9)
    np.testing.assert_array_equal(first.viewers["activity"], other.viewers["activity"])


def test_evaluation_draws_from_no_global_generator(tiny):
    def states():
        return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()

    before = states()
    play(Random(0), tiny.stage(4), seed=4, split="test", episodes=9)
    assert states() == before


def test_discounted_returns_by_hand():
    played = Episodes(
        episode=np.array([0, 1, 0, 1, 0]), request=np.array([0, 0, 1, 1, 2]), action=np.ones(5, int),
        steps={"reward": np.array([1, 10, 2, 20, 4.0]), "value": np.zeros(5), "elapsed_s": np.ones(5)},
        shown={}, viewers={}, offered={}, truncated=np.array([False, True]), tail=np.array([0, 8.0]),
        visit_over=np.array([False, False, False, True, True]), comes_back=False,
    )  # fmt: skip
    half = np.full(5, 0.5)
    # episode 0 terminates: 4, 2 + 2, 1 + 2; episode 1 is cut where 8 were expected: 20 + 4, 10 + 12
    np.testing.assert_allclose(discounted_returns(played, half), [3, 22, 4, 24, 4])
    assert calibration([played], lambda s: half).bias == pytest.approx(-57 / 5)


def test_a_truncated_episode_remembers_what_was_expected_there(tiny):
    stage = tiny.stage(3, truncates=True)
    played = play(Greedy(tiny.agent), stage, seed=0, split="test", episodes=3)
    # the agent shows two rooms; every session is cut by its clock, when two rooms were shown and nothing is worth 3
    assert played.truncated.tolist() == [True, True, True]
    assert played.tail.tolist() == [3, 3, 3]
    assert played.steps["value"].max() == 4


def test_a_game_has_return_and_length(game):
    played = play(Random(0), game(3), seed=world_seed("test", 0), split="test", episodes=4)
    found = metrics(played)
    assert found["return"] == found["length"] == len(played.episode) / 4
    assert Slices.of([played]).measure(played) == {}


def test_slices_by_hand(tiny):
    stage = tiny.stage(4)
    played = play(ShowIf(hottest(stage.spec), [Rule()] * 4), stage, seed=2, split="test", episodes=4)
    parts = Slices.of([played])
    # activity 0, 1, 2, 3: the quartiles are 0.75 and 2.25; novelty is 50 or 2 in equal numbers
    assert (parts.new_viewer, parts.heavy_viewer, parts.new_streamer) == (0.75, 2.25, 2)
    found = parts.measure(played)
    assert (found["return_new_viewers"], found["return_heavy_viewers"]) == (2, 2)
    assert found["share_new_streamers"] == 0  # the hot room alone is shown, and its streamer is known
    assert np.isnan(found["click_through_new_streamers"]) and found["click_through_known_streamers"] == 1
    assert found["return_00_06_h"] == (2 + 3 + 3 + 2) / 4 and np.isnan(found["return_18_24_h"])


@given(rows=st.integers(1, 5), episodes=st.integers(1, 12))
def test_no_episode_is_lost_or_cut(tiny, rows, episodes):
    stage = tiny.stage(rows)
    never = ShowIf(hottest(stage.spec), [Rule(1e9)] * rows)
    played = play(never, stage, seed=0, split="test", episodes=episodes)
    lengths = np.bincount(played.episode, minlength=episodes)
    np.testing.assert_array_equal(lengths, 2 + played.viewers["activity"] % 3)


def test_exposure_by_hand():
    assert gini(np.array([1.0, 1, 1])) == 0
    # 0, 1, 3 of three: (-2 x 0 + 0 x 1 + 2 x 3) / (3 x 4)
    assert gini(np.array([3, 0, 1])) == 0.5
    played = Episodes(
        episode=np.zeros(5, int), request=np.arange(5), action=np.array([1, 1, 0, 2, 1]), steps={},
        shown={"streamer": np.array([7, 7, np.nan, 9, 7])}, viewers={}, offered={"streamer": np.array([5.0, 7, 7])},
        truncated=np.array([False]), tail=np.zeros(1), visit_over=np.arange(5) == 4, comes_back=False,
    )  # fmt: skip
    assert exposure_gini(played) == 0.5  # 5 never, 9 once, 7 three times


def test_visits_by_hand():
    """Viewer 0 visits, is back the next day, then after two days, and is cut off; viewer 1 leaves for good."""
    hour = 3600.0
    played = Episodes(
        episode=np.array([0, 0, 1, 0, 0]), request=np.array([0, 1, 0, 2, 3]), action=np.ones(5, int),
        steps={"reward": np.zeros(5), "left": np.array([0.0, 1, 1, 1, 0]), "watch_s": np.array([60.0, 0, 60, 0, 240]),
               "clicked": np.zeros(5), "shown": np.ones(5), "elapsed_s": hour * np.array([0.1, 24, 0.1, 48, 0.1])},
        shown={}, viewers={}, offered={}, truncated=np.array([True, False]), tail=np.zeros(2),
        visit_over=np.array([False, True, True, True, True]), comes_back=True,
    )  # fmt: skip
    found = metrics(played)
    assert found["next_day_return"] == pytest.approx(1 / 3)  # of three who left
    assert found["session_length"] == 5 / 4  # four visits, the last one cut off
    assert found["watch_minutes"] == 6 / 4
    assert played.request_of_visit.tolist() == [0, 1, 0, 0, 0]


def test_an_episode_that_does_not_end_is_said(monkeypatch):
    monkeypatch.setattr(sys.modules[play.__module__], "LONGEST", 20)
    loyal = Stage(sim(3, viewers=Viewers(leave_bias=-50.0), max_requests=1_000), WatchTime(), CapConfig())
    with pytest.raises(LivedqnError, match="an episode has not ended within 20 requests"):
        play(Random(0), loyal, seed=1, split="test", episodes=3)
    assert loyal.env.hidden.sessions.visit["requests"].tolist() == [20] * 3


def test_a_cap_of_a_rule_is_one_of_a_visit():
    """With viewers who come back every day a rule may show its room in each visit, not once a life."""
    faithful = Viewers(leave_bias=50.0, leave_boredom=0.0, churn_bias=-50.0, churn_boredom=0.0, return_bias=50.0)
    stage = Stage(sim(6, episode="viewer", viewers=faithful), WatchTime(), CapConfig())
    played = play(
        ShowIf(hottest(stage.spec), [Rule(max_shown_per_session=1)] * 6), stage, seed=0, split="test", episodes=6
    )
    assert (played.action > 0).mean() > 0.9 and len(played.episode) > 6
    assert metrics(played)["next_day_return"] > 0.9
