"""The errors that a user can make: each is one line on stderr, exit code 2, and nothing is left behind."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from livedqn import plugins
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
        ("reward=1", ["no reward=1", "reward is chosen by a name"]),
        ("reward.plugin=gift", ["reward.plugin cannot be set", "reward=<name>"]),
        ("reward={plugin:gift}", ["reward.plugin cannot be set"]),
        ("encoder.hidden=3", ["encoder.hidden is a list, of one value too: encoder.hidden=[...]"]),
        ("cap=3", ["cap holds settings and is none itself: cap.<name>=..."]),
        ("steps=1e6", ["steps", "could not be converted to Integer"]),
        ("seed=true", ["seed", "could not be converted to Integer"]),
        ("seed=-1", ["seed=-1 is out of range"]),
        ("num_envs=0", ["num_envs=0 must be 1 or more"]),
        ("evaluation.worlds=0", ["evaluation.worlds=0 must be 1 or more"]),
        ("seed=99999999999999999999", ["out of range"]),
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
        ("--multirun --cfg job", ["leave all but one out"]),
        ("--cfg job --info defaults", ["leave all but one out"]),
        ("--resolve", ["--cfg"]),
        ("--experimental-rerun x.pickle", ["no option --experimental-rerun"]),
        ("--config-name other", ["no option --config-name"]),
        ("--config-dir nowhere", ["nowhere"]),
        ("-m reward=native,gfit", ["there is no reward=gfit"]),
        ("-m reward=gift,native reward.weight=2", ["'reward.weight' of reward=native"]),
        ("-m reward.weight=1,2", ["'reward.weight' of reward=native"]),
        ("hydra/launcher=nosuch", ["hydra/launcher=nosuch"]),
        ("env=sim experiment=cartpole", ["experiment=cartpole", "env.id", "made for another env"]),
        ("experiment=cartpol", ["there is no experiment=cartpol", "did you mean 'cartpole'"]),
        ("env.id=${nosuch}", ["nosuch"]),
        ("env.id=${oc.env:NO_SUCH_VARIABLE}", ["NO_SUCH_VARIABLE"]),
        ("resume=", ["resume= has no value"]),
        ("init=", ["init= has no value"]),
        ("hydra.mode=MULTIRUN", ["hydra.mode cannot be set"]),
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


@pytest.mark.parametrize(
    ("preset", "reasons"),
    [
        ("step: 7", ["'step'", "did you mean 'steps'"]),
        ("agent: {discont: 0.5}", ["'agent.discont' of agent=dqn", "did you mean 'discount'"]),
        ("steps: many", ["steps", "could not be converted to Integer"]),
        ("env: null", ["without a plugin", "env=<name>"]),
        ("a: [", ["mine.yaml"]),
        ("hydra: {callbacks: {x: {_target_: os.getcwd}}}", ["mine.yaml holds _target_"]),
    ],
)
def test_a_preset_of_the_users_own(livedqn, trained, tmp_path, preset, reasons):
    (tmp_path / "presets" / "experiment").mkdir(parents=True)
    (tmp_path / "presets" / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{preset}\n")
    error = livedqn("env=gym", "experiment=mine", "--config-dir", str(tmp_path / "presets")).error
    for reason in reasons:
        assert reason in error
    assert trained == []


@pytest.mark.parametrize("preset", ["{plugin: wandb, nosuch: 1}", "{plugin: nosuch}", "{mode: offline}"])
def test_a_preset_of_a_logger(livedqn, trained, tmp_path, preset):
    (tmp_path / "presets" / "logger").mkdir(parents=True)
    (tmp_path / "presets" / "logger" / "mine.yaml").write_text(preset)
    assert livedqn("env=gym", "logger=mine", "--config-dir", str(tmp_path / "presets")).error
    assert trained == []


def test_a_run_that_has_no_folder(livedqn, trained):
    Path("runs").touch()
    assert "runs" in livedqn("env=gym").error
    assert "runs" in livedqn("env=gym", "-m", "seed=1,2").error
    assert trained == []


def test_a_refused_run_removes_no_folder_of_the_users(livedqn, monkeypatch):
    from livedqn import training

    def run(config, folder):
        raise LivedqnError("no")

    monkeypatch.setattr(training, "run", run)
    Path("mine/empty").mkdir(parents=True)
    assert livedqn("env=gym", "hydra.run.dir=mine/empty").error == "no"
    assert livedqn("env=gym", "hydra.run.dir=mine/empty/new/er").error == "no"
    assert [str(path) for path in sorted(Path().rglob("*"))] == ["mine", "mine/empty"]


def test_recommend_does_one_thing(livedqn):
    assert "leave out --multirun" in livedqn("recommend", "checkpoint=x", "-m").error


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nosuchmodule", "nosuchmodule"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("class X:\n    def __init__(self, x: 'list[' = 1): pass", "SyntaxError"),
        ("class X:\n    def __init__(self, x: 'int | 3' = 1): pass", "TypeError"),
        (
            "from __future__ import annotations\nimport math\nclass X:\n    def __init__(self, x: math.no = 1): pass",
            "no",
        ),
        ("X = dict", "signature"),
        ("class X:\n    def __init__(self): open('nowhere')", "FileNotFoundError"),
        ("class X:\n    signals = 7\n    def __call__(self, signals): pass", "signals=7"),
    ],
)
def test_a_broken_plugin_harms_the_runs_that_choose_it_alone(livedqn, install, source, reason):
    install("broken", "reward", "X", source, version="0.3.1")
    with pytest.raises(LivedqnError) as caught:
        plugins.build("reward", "broken")
    assert "livedqn-broken 0.3.1" in str(caught.value) and reason in str(caught.value)
    assert livedqn("plugins").code == 0
    assert livedqn("env=gym", "reward=native", "--cfg", "job").code == 0
    if "open" not in source and "7" not in source:  # what only building shows, training would
        assert "livedqn-broken 0.3.1" in livedqn("env=gym", "reward=broken").error


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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line_that_names_the_file(livedqn):
    run = Path("run")
    run.mkdir()
    (run / "config.yaml.part").symlink_to("/dev/full")  # where the run's first file is written
    error = livedqn("env=gym", "env.id=CartPole-v1", "steps=10", "hydra.run.dir=run").error
    assert "run/config.yaml: No space left on device; free some space, or choose another disk" in error


def test_a_traceback_for_those_who_ask(livedqn, monkeypatch):
    import sys

    from livedqn import cli

    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(sys, "argv", ["livedqn", "env=gym", "reward=nosuch"])
    with pytest.raises(LivedqnError, match="no reward=nosuch"):
        cli.main()


def test_a_job_that_is_refused_leaves_the_others_of_a_sweep_be(livedqn, monkeypatch):
    from livedqn import training

    done = []

    def run(config, folder):
        if config.seed == 1:
            raise LivedqnError("no such world")
        done.append(config.seed)
        return SimpleNamespace(stopped_by=None)

    monkeypatch.setattr(training, "run", run)
    outcome = livedqn("env=gym", "-m", "seed=1,2,3")
    assert (outcome.code, done) == (2, [2, 3])
    assert outcome.err.count("livedqn: error: no such world") == 1
