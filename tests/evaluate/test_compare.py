import json
from dataclasses import asdict, replace
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest

from livedqn.config import CapConfig, EvaluateConfig, EvaluationConfig
from livedqn.envs.sim import sim
from livedqn.evaluate.command import agent_names, check_fit, known_rules, write_json
from livedqn.evaluate.compare import compare, final_evaluation, tuned_margin, validate
from livedqn.evaluate.policies import Greedy, Random, Rule, hottest
from livedqn.evaluate.table import conclusion, notes, rows, show
from livedqn.evaluate.tune import ROWS, _trial, rules_of_baseline, tune
from livedqn.rewards import WatchTime
from livedqn.stage import Stage
from livedqn.types import LivedqnError

FEW = EvaluationConfig(worlds=4, episodes=6, validation_worlds=2, validation_episodes=6, tuning_episodes=6)
RUN = {"seed": 0, "steps": 2_000}


@pytest.fixture(scope="module")
def evaluation(tiny):
    return final_evaluation(tiny.agent, tiny.stage, FEW, **RUN)


def test_everything_that_the_environment_allows_is_compared(evaluation):
    assert list(evaluation.played) == ["policy", "random", "hottest", "favourite", "myopic"]
    assert list(evaluation.rules) == ["hottest", "favourite", "myopic"]
    assert {len(worlds) for worlds in evaluation.played.values()} == {4}


def test_paired_difference_by_hand(evaluation):
    # 6 sessions of 2, 3, 4, 2, 3, 4 requests. The agent shows the hot room twice and then nothing: 2 a session, twice
    # that in odd worlds. Test worlds have the seeds 2, 5, 8, 11. Hottest ends those of 4 with a third room: 8 / 3.
    ours = evaluation.measured["policy"]["return"]
    np.testing.assert_allclose(ours, [2, 4, 2, 4])
    np.testing.assert_allclose(evaluation.measured["hottest"]["return"], np.array([8, 16, 8, 16]) / 3)
    found = evaluation.advantage("hottest")
    assert found.mean == pytest.approx(-1) and found.high < 0
    assert "behind hottest" in conclusion(evaluation)


def test_same_evaluation_twice(evaluation, tiny):
    again = final_evaluation(tiny.agent, tiny.stage, FEW, **RUN)
    assert json.dumps(again.to_dict()) == json.dumps(evaluation.to_dict())
    other = final_evaluation(tiny.agent, tiny.stage, FEW, **{**RUN, "seed": 1})
    assert json.dumps(other.to_dict()) != json.dumps(evaluation.to_dict())


def test_json_has_the_promised_form(evaluation, tmp_path):
    write_json(evaluation, tmp_path / "evaluation.json")
    found = json.loads((tmp_path / "evaluation.json").read_text())
    assert found["policy"]["return"].keys() == {"mean", "low", "high", "n"}
    assert found["hottest"]["advantage_of_policy"]["mean"] == pytest.approx(-1)
    assert found["policy"]["return_18_24_h"] == {"mean": None, "low": None, "high": None, "n": 0}


def test_table_is_plain_and_whole_in_a_file(evaluation):
    file = StringIO()
    show(evaluation, file)
    text = file.getvalue()
    assert "\x1b" not in text and "…" not in text
    for word in ("policy", "favourite", "click-through", "policy ahead by", "return, heavy viewers", "short run"):
        assert word in text
    assert rows(evaluation)[0] == [
        "", "return", "click-through", "watch min", "requests", "nothing", "policy ahead by",
    ]  # fmt: skip
    assert "4 worlds" in notes(evaluation)[0]


def test_named_policies_only(tiny):
    found = compare({"policy": tiny.agent}, tiny.stage, FEW, **RUN, names=["random", "hottest"])
    assert list(found.played) == ["random", "hottest"] and found.reference == "random"
    with pytest.raises(LivedqnError, match="no policy 'hotest' here; did you mean 'hottest'"):
        compare({"policy": tiny.agent}, tiny.stage, FEW, **RUN, names=["hotest"])


def test_known_rules_are_not_tuned_again(tiny):
    told = []
    rules = {"hottest": Rule(3.0, 2)}
    found = compare(
        {"policy": tiny.agent}, tiny.stage, FEW, **RUN, names=["policy", "hottest"], rules=rules,
        notify=lambda what, done, total: told.append(what),
    )  # fmt: skip
    assert found.rules == rules and not any("tuning" in what for what in told)


def test_several_agents_have_their_own_names_and_myopics(tiny):
    agents = {"policy:a": tiny.agent, "policy:b": tiny.agent}
    found = compare(agents, tiny.stage, FEW, **RUN, names=["policy", "myopic"])
    assert list(found.played) == ["policy:a", "policy:b", "myopic:a", "myopic:b"]
    assert found.advantage("policy:b").mean == 0


def test_names_are_the_shortest_that_differ():
    assert agent_names(["runs/x/policy.ckpt"]) == ["policy"]
    assert agent_names(["runs/x/policy.ckpt", "runs/x/final.ckpt"]) == ["policy:policy", "policy:final"]
    assert agent_names(["runs/x/policy.ckpt", "runs/y/policy.ckpt"]) == ["policy:x/policy", "policy:y/policy"]
    assert agent_names(["runs/x/policy.v1", "runs/x/policy.v2"]) == ["policy:policy.v1", "policy:policy.v2"]
    with pytest.raises(LivedqnError, match="twice"):
        agent_names(["a.ckpt", "a.ckpt"])
    with pytest.raises(LivedqnError, match="twice"):
        agent_names(["a.ckpt", "runs/../a.ckpt"])


def test_in_a_game_the_only_baseline_is_random(game, tiny):
    class Left(type(tiny.agent)):
        def policy_values(self, observation):
            return np.tile(np.float32([1, 0]), (1, len(observation["mask"]), 1))

    found = final_evaluation(Left(), game, FEW, **RUN)
    assert list(found.played) == ["policy", "random"]
    assert set(found.intervals["policy"]) == {"return", "length"}
    assert found.advantage("random").high < 0  # always left falls within ten steps


def test_validation_uses_worlds_of_its_own(tiny):
    # validation worlds of seed 0 are 1 and 4: one odd, one even
    assert validate(Greedy(tiny.agent), tiny.stage, FEW, seed=0).mean() == pytest.approx(3)
    assert validate(Random(0), tiny.stage, FEW, seed=0).mean() < 3


def test_tuning_finds_the_cap_that_pays(tiny):
    class Greed:
        signals = ("native",)

        def __call__(self, signals):  # every room costs more than it brings, but the first does so least
            return signals["native"] - 5 * signals["shown"]

    stage = tiny.stage(ROWS)
    stage.reward = Greed()
    score = hottest(stage.spec)
    rule, value = tune(rules_of_baseline(score, stage, 0), score, stage, range(2), episodes=4)
    # the hot room is always there, so no threshold can say no, and the tightest cap is best: 1 or 2, minus 5
    assert rule.max_shown_per_session == 1
    assert value == pytest.approx((1 + 2) / 2 - 5)


def test_tuning_keeps_what_is_best_left_alone(tiny):
    stage = tiny.stage(ROWS)
    score = hottest(stage.spec)
    rule, _ = tune(rules_of_baseline(score, stage, 0), score, stage, range(2), episodes=4)
    assert rule == Rule()


def test_all_rules_of_a_round_meet_the_same_viewers():
    """Seven rules of which six are one: what these earn is the same to the last digit."""
    stage = Stage(sim(30, streamers=20), WatchTime(), CapConfig())
    met = []

    def score(observation):
        met.append(observation["context"].copy())
        return np.where(observation["mask"], 1.0, -np.inf)

    none, *all_alike = _trial([Rule(2.0), *[Rule()] * 6], score, stage, 0, quota=8)
    assert none == 0 and {*all_alike} == {all_alike[0]} and all_alike[0] > 0
    first, *_ = met
    assert np.array_equal(first[:4], first[4:8]) and np.array_equal(first[:4], first[24:28])
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("more", [[], [Rule()] * 5])
def test_few_enough_for_the_last_round_are_played_once(tiny, more):
    stage, played = tiny.stage(ROWS), []
    score, rules = hottest(stage.spec), [Rule(), *more]
    rule, value = tune(rules, score, stage, range(2), episodes=4, advance=lambda: played.append(1))
    assert rule == Rule()
    assert value > 0
    assert len(played) == 2  # worlds, each once


def test_a_margin_is_negative_where_an_agent_hopes_for_too_much_of_nothing(tiny):
    class Waiting(type(tiny.agent)):
        def policy_values(self, observation):  # the favourite is worth 2 less than nothing
            q = np.zeros(observation["mask"].shape, np.float32)
            q[:, 1], q[:, 2] = -9, -2
            return q[None]

    # every room brings something, and waiting nothing
    assert tuned_margin(Waiting(), tiny.stage, FEW, seed=0) == -2


@pytest.mark.parametrize(("price", "margin"), [(1.0, 3.0), (0.25, 0.0)])
def test_a_margin_is_tuned_where_an_agent_hopes_for_too_much(tiny, price, margin):
    class Hopeful(type(tiny.agent)):
        def policy_values(self, observation):  # the favourite is worth 3 more than nothing, then 1, by turns
            more = np.where(observation["context"][:, 2] % 2 == 0, 3.0, 1.0)
            return np.stack([np.zeros_like(more), np.full_like(more, -1), more], axis=1)[None].astype(np.float32)

    class Dear:
        signals = ("native",)

        def __call__(self, signals):  # the favourite brings 0.5: less than the one price, more than the other
            return signals["native"] - price * signals["shown"]

    def make_stage(rows):
        stage = tiny.stage(rows)
        stage.reward = Dear()
        return stage

    # a margin of 3 lets the first room through and none after it
    assert tuned_margin(Hopeful(), make_stage, FEW, seed=0) == margin


def test_without_nothing_there_is_no_threshold_no_cap_and_no_margin(tiny):
    def must_show(rows):
        stage = tiny.stage(rows)
        stage.spec = replace(stage.spec, has_nothing=False)
        return stage

    stage = must_show(ROWS)
    assert rules_of_baseline(hottest(stage.spec), stage, 0) == [Rule()]
    assert tuned_margin(tiny.agent, must_show, FEW, seed=0) == 0


def test_in_a_game_there_is_no_margin(game, tiny):
    assert tuned_margin(tiny.agent, game, FEW, seed=0) == 0


def test_a_policy_that_does_not_fit_is_one_line(tiny, game):
    class Found:
        path, spec = "x.ckpt", tiny.stage(1).spec

    check_fit(Found, tiny.stage(3).spec)
    with pytest.raises(LivedqnError, match="does not fit this environment"):
        check_fit(Found, game(1).spec)


def test_rules_hold_for_what_they_were_tuned_for(tiny):
    cap = {"max_share_shown": 1.0, "max_shown_per_session": None}
    found = SimpleNamespace(
        baselines={"hottest": Rule(3.0).to_dict(), "myopic": Rule(1.0).to_dict()},
        config={
            "env": {"plugin": "sim"}, "reward": {"plugin": "native"}, "cap": cap,
            "evaluation": asdict(EvaluationConfig()),
        },
    )  # fmt: skip
    config = EvaluateConfig(env={"plugin": "sim"}, reward={"plugin": "native"})
    assert known_rules({"policy": found}, config) == {"hottest": Rule(3.0), "myopic": Rule(1.0)}
    assert known_rules({"policy:a": found}, config) == {"hottest": Rule(3.0), "myopic:a": Rule(1.0)}
    config.evaluation.tuning_episodes += 1  # than which the run had fewer
    assert known_rules({"policy": found}, config) == {}
    config.evaluation.tuning_episodes -= 2
    assert known_rules({"policy": found}, config) == {"hottest": Rule(3.0), "myopic": Rule(1.0)}
    config.reward = {"plugin": "watchtime"}
    assert known_rules({"policy": found}, config) == {}
