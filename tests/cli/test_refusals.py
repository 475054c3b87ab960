"""DESIGN's table of errors: each is one line on stderr, exit code 2, and nothing is left behind."""

from pathlib import Path

import pytest

from livedqn.types import LivedqnError

GIFT = """
class Gift:
    signals = ()
    def __init__(self, weight: float = 1.0): pass
    def __call__(self, signals): return signals
"""


@pytest.mark.parametrize(
    ("words", "reasons"),
    [
        ("reward=gfit", ["there is no reward=gfit", "did you mean 'gift'", "engagement", "watchtime"]),
        ("reward=gift reward.weigth=2", ["'reward.weigth' of reward=gift", "did you mean 'weight'", "it has: weight"]),
        ("reward=gift reward.weight=abc", ["reward.weight", "'abc'", "could not be converted to Float"]),
        ("reward=gift +reward.weigth=2", ["'reward.weigth' of reward=gift", "did you mean 'weight'"]),
        ("reward=gift ++reward.weigth=2", ["'reward.weigth' of reward=gift", "did you mean 'weight'"]),
        ("reward=gift reward.weight.x=2", ["reward.weight"]),
        ("++env.kwarg=5", ["'env.kwarg' of env=gym", "did you mean 'kwargs'"]),
        ("+nosuch=1", ["no setting 'nosuch'", "it has: seed"]),
        ("sed=1", ["no setting 'sed'", "did you mean 'seed'"]),
        ("cap.max_share=1", ["no setting 'cap.max_share'", "did you mean 'max_share_shown'"]),
        ("~reward", ["reward cannot be deleted", "reward=<name>"]),
        ("~reward=native", ["reward cannot be deleted"]),
        ("reward=null", ["reward cannot be deleted"]),
        ("~seed", ["seed cannot be deleted"]),
        ("~reward.weight reward=gift", ["reward.weight cannot be deleted"]),
        ("reward=[native,gift]", ["choose one reward"]),
        ("reward.plugin=gift", ["reward.plugin cannot be set", "reward=<name>"]),
        ("reward={plugin:gift}", ["reward.plugin cannot be set"]),
        ("steps=1e6", ["steps", "could not be converted to Integer"]),
        ("seed=true", ["seed", "could not be converted to Integer"]),
        ("seed=-1", ["seed=-1 is negative"]),
        ("num_envs=0", ["num_envs=0 must be 1 or more"]),
        ("evaluation.worlds=0", ["evaluation.worlds=0 must be 1 or more"]),
        ("seed=null", ["seed", "not Optional"]),
        ("device=[1]", ["device"]),
        ("seed=[1", ["'seed=[1' cannot be read"]),
        ("seed=1,2", ["seed=1,2", "--multirun"]),
        ("logger=wand", ["there is no logger=wand", "did you mean 'wandb'"]),
        ("logger=wandb logger.mode=onlin", ["logger.mode is 'onlin'"]),
        ("+env.kwargs._target_=os.getcwd", ["_target_"]),
        ("env.kwargs={a:{_target_:os.getcwd}}", ["_target_"]),
        ("-m env.kwargs.x=choice(1,{_target_:a})", ["_target_"]),
        ("hydra.callbacks={x:{_target_:os.getcwd}}", ["_target_"]),
        ("+hydra.callbacks.x._target_=os.getcwd", ["_target_"]),
        ("_target_=os.getcwd", ["_target_"]),
        ("foo", ["'foo' stands alone", "name=value"]),
        ("evaluat", ["'evaluat' stands alone"]),
        ("--foo", ["no option --foo"]),
        ("--multirnu", ["did you mean '--multirun'"]),
        ("--cfg", ["--cfg needs a value"]),
        ("--cfg jobb", ["--cfg jobb", "job"]),
        ("--multirun --cfg job", ["leave one of them out"]),
        ("--resolve", ["--cfg"]),
        ("--experimental-rerun x.pickle", ["no option --experimental-rerun"]),
        ("--config-name other", ["no option --config-name"]),
        ("--config-dir nowhere", ["nowhere"]),
        ("-m reward=native,gfit", ["there is no reward=gfit"]),
        ("-m reward=gift,native reward.weight=2", ["'reward.weight' of reward=native"]),
        ("-m reward.weight=1,2", ["'reward.weight' of reward=native"]),
        ("hydra/launcher=nosuch", ["hydra/launcher=nosuch"]),
        ("env=sim experiment=cartpole", ["experiment=cartpole", "env.id", "leave out the experiment"]),
        ("experiment=cartpol", ["there is no experiment=cartpol", "did you mean 'cartpole'"]),
        ("env.id=${nosuch}", ["nosuch"]),
        ("env.id=${oc.env:NO_SUCH_VARIABLE}", ["NO_SUCH_VARIABLE"]),
        ("resume=nowhere", ["nowhere/config.yaml does not exist"]),
        ("-m resume=nowhere", ["leave out --multirun"]),
        ("checkpoint=x", ["no setting 'checkpoint'"]),
    ],
)  # fmt: skip
def test_the_line_says_what_and_what_to_do(livedqn, trained, install, words, reasons):
    install("gift", "reward", "Gift", GIFT)
    error = (
        livedqn("env=gym", *words.split(" ")).error
        if not words.startswith("env=sim")
        else livedqn(*words.split()).error
    )
    for reason in reasons:
        assert reason in error
    assert trained == []
    assert list(Path().iterdir()) == []


def test_an_unknown_command(livedqn):
    assert "no command 'evalute'; did you mean 'evaluate'; commands: train" in livedqn("evalute", "checkpoint=x").error


@pytest.mark.parametrize("command", ["evaluate", "recommend"])
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "needs checkpoint="),
        (("checkpoint=nowhere",), "nowhere does not exist"),
        (("checkpoint=x", "encoder=gru"), "encoder cannot be set"),
        (("checkpoint=x", "agent.discount=0"), "agent cannot be set"),
        (("checkpoint=x", "+experiment=cartpole"), "experiment cannot be set"),
    ],
)
def test_commands_that_need_a_policy(livedqn, command, words, reason):
    assert reason in livedqn(command, *words).error
    assert list(Path().iterdir()) == []


def test_recommend_does_one_thing(livedqn):
    assert "leave out --multirun" in livedqn("recommend", "checkpoint=x", "-m").error


def test_a_broken_plugin_harms_the_runs_that_choose_it_alone(livedqn, trained, install):
    install("broken", "reward", "X", "import nosuchmodule", version="0.3.1")
    error = livedqn("env=gym", "reward=broken").error
    for reason in ("livedqn-broken 0.3.1", "nosuchmodule", "uninstall", "choose another reward"):
        assert reason in error
    assert livedqn("env=gym", "reward=native").code == 0


def test_two_packages_with_one_name(livedqn, install):
    install("gift", "reward", "Gift", GIFT)
    install("gift", "reward", "Gift", GIFT, distribution="other-gifts")
    assert "other-gifts 1.0" in livedqn("env=gym", "reward=gift").error


def test_a_needed_setting(livedqn, trained, install):
    install("gift", "reward", "Gift", GIFT.replace(" = 1.0", ""))
    assert "reward=gift needs a value: reward.weight=<value>" in livedqn("env=gym", "reward=gift").error
    assert list(Path().iterdir()) == []


def test_an_error_in_the_job_is_one_line_and_leaves_nothing(livedqn, monkeypatch):
    from livedqn import training

    def run(config, folder):
        raise LivedqnError("there is no\nsuch world")

    monkeypatch.setattr(training, "run", run)
    assert livedqn("env=gym").error == "there is no such world"
    assert livedqn("env=gym", "hydra.run.dir=here/there").error == "there is no such world"
    assert list(Path().iterdir()) == []
    outcome = livedqn("env=gym", "-m", "seed=1,2")
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1] == "livedqn: error: there is no such world"
    assert list(Path().iterdir()) == []


def test_a_traceback_for_those_who_ask(livedqn, monkeypatch):
    import sys

    from livedqn import cli

    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(sys, "argv", ["livedqn", "env=gym", "reward=nosuch"])
    with pytest.raises(LivedqnError, match="no reward=nosuch"):
        cli.main()
