"""Oracles on a small world, and the command that names them."""

import numpy as np
import pytest

from livedqn import plugins
from livedqn.config import CapConfig, EvaluationConfig
from livedqn.evaluate.compare import compare
from livedqn.evaluate.oracle import Lookahead, is_known, oracle
from livedqn.evaluate.play import play
from livedqn.evaluate.policies import Rule, ShowIf, hottest
from livedqn.stage import Stage
from livedqn.types import LivedqnError

FEW = EvaluationConfig(worlds=2, episodes=4, validation_worlds=1, validation_episodes=4, tuning_episodes=4)


def make_stage(rows, cap=None, streamers=60):
    env = plugins.build("env", {"plugin": "sim", "streamers": streamers, "days": 1}, rows)
    return Stage(env, plugins.build("reward", "watchtime"), cap or CapConfig())


def mean_return(policy, stage):
    return play(policy, stage, seed=2, split="test", episodes=400).steps["reward"].sum() / 400


def test_the_oracle_is_far_ahead_of_the_hottest_room():
    stage = make_stage(100, streamers=300)
    stage.reset(2, "test")
    rules = [Rule()] * 100
    assert mean_return(ShowIf(oracle(stage), rules), stage) > 3 * mean_return(ShowIf(hottest(stage.spec), rules), stage)


def test_looking_one_request_ahead_is_the_oracle():
    stage = make_stage(20)
    observation = stage.reset(2, "test")
    one = Lookahead(stage, Rule(), 0, copies=2, horizon=1)
    assert one(observation).tolist() == ShowIf(oracle(stage), [Rule()] * 20)(observation).tolist()


def test_a_lookahead_keeps_to_the_mask_and_repeats_itself():
    stage = make_stage(20, CapConfig(max_shown_per_session=1))
    played = [play(Lookahead(stage, Rule(0.1), 7, copies=4, horizon=5), stage, seed=2, split="test", episodes=20)
              for _ in range(2)]  # fmt: skip
    assert played[0].action.tolist() == played[1].action.tolist()
    assert played[0].per_episode(played[0].action > 0).max() == 1


def test_a_lookahead_shows_what_costs_where_nothing_is_closed():
    class Price:
        signals = ("clicked",)

        def __call__(self, signals):
            return signals["clicked"] - 9 * signals["shown"]

    stage = make_stage(20)
    stage.reward = Price()
    observation = stage.reset(2, "test")
    lookahead = Lookahead(stage, Rule(), 0, copies=2, horizon=2)
    assert not lookahead(observation).any()
    observation["mask"][:, 0] = False
    assert lookahead(observation).all()


def test_bandits_may_learn_once_a_seed():
    def played(names, bandit_seeds):
        found = compare({}, make_stage, FEW, seed=3, steps=2_000, names=names, bandit_seeds=bandit_seeds)
        assert list(found.rules) == list(found.measured)
        return {name: one["return"].tolist() for name, one in found.measured.items()}

    several = played(["linucb", "lints:1"], bandit_seeds=2)
    assert list(several) == ["linucb:0", "linucb:1", "lints:1"] and several["linucb:0"] != several["linucb:1"]
    assert played(["linucb"], bandit_seeds=1) == {"linucb": several["linucb:0"]}


def test_named_contestants_and_how_far_they_come(tiny):
    names = ["always", "random", "linucb", "lints", "oracle", "lookahead"]
    told = set()

    class Always0:
        def policy_values(self, observation):
            return np.where(observation["mask"], np.arange(20), -np.inf)[None].astype(np.float32)

        def preferences(self, q):
            return q.mean(axis=0)

        def myopic_values(self, observation):
            return None

    found = compare(
        {"policy": Always0()}, make_stage, FEW, seed=0, steps=600, names=names,
        notify=lambda what, done, total: told.add(what),
    )  # fmt: skip
    assert list(found.played) == names and found.ceiling == "lookahead"
    assert {"linucb learns", "lints learns", "tuning oracle", "playing lookahead"} <= told
    assert set(found.rules) == {"linucb", "lints", "oracle"}
    assert not (found.played["always"][0].action == 0).any()
    assert (found.share_of_way("random").mean, found.share_of_way("lookahead").mean) == pytest.approx((0, 1))
    regret = found.to_dict()["oracle"]["regret"]["mean"]
    assert regret == pytest.approx((found.measured["lookahead"]["return"] - found.measured["oracle"]["return"]).mean())


def test_where_nobody_knows_the_viewers_there_is_no_oracle(tiny):
    assert not is_known(tiny.stage(1))
    with pytest.raises(LivedqnError, match="no policy 'oracle' here"):
        compare({"policy": tiny.agent}, tiny.stage, FEW, seed=0, steps=1, names=["oracle"])
