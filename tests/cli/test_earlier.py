"""``evaluate``, ``recommend`` and ``resume`` start from the run's own config."""

from dataclasses import asdict
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from livedqn import checkpoint, evaluate, recommend
from livedqn.config import CapConfig, TrainConfig
from livedqn.testing.specs import example_spec


@pytest.fixture
def evaluated(monkeypatch):
    """The configs that evaluation is given."""
    given = []
    monkeypatch.setattr(evaluate, "run", lambda config, folder: given.append((config, folder)), raising=False)
    return given


def run_config(**changes) -> dict:
    kinds = {"encoder": "mlp", "exploration": "epsilon_greedy", "agent": "dqn", "replay": "uniform"}
    nodes = {
        "env": {"plugin": "gym", "id": "Acrobot-v1", "kwargs": {"render_mode": None}},
        "reward": {"plugin": "weighted", "weights": {"native": 2.0}},
        "logger": {"plugin": "wandb", "mode": "offline", "project": "p", "entity": None},
        **{kind: {"plugin": name} for kind, name in kinds.items()},
    }
    config = TrainConfig(seed=3, steps=700, num_envs=5, cap=CapConfig(max_share_shown=0.5), device="cuda:9")
    return asdict(config) | nodes | changes


def policy(path: Path, *, spec=None, **changes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"config": OmegaConf.to_yaml(run_config(**changes)), "members": [], "spec": spec}
    checkpoint.write_state(path, "policy", state)
    return path


def test_a_run_with_an_environment_from_python_says_so(livedqn, evaluated):
    path = policy(Path("run/policy.ckpt"), env=None)
    assert (
        "trained from Python with env of its own; say which: env=<name>"
        in livedqn("evaluate", f"checkpoint={path}").error
    )
    assert livedqn("evaluate", f"checkpoint={path}", "env=gym").code == 0
    (path.parent / "config.yaml").write_text(OmegaConf.to_yaml(run_config(env=None)))
    assert livedqn("resume=run").error == (
        "run was trained from Python with env of its own, which no file keeps; go on from there: "
        "livedqn.train(resume='run', env=...)"
    )


@pytest.mark.parametrize("command", ["evaluate", "recommend"])
def test_a_run_with_an_encoder_from_python_says_so(livedqn, command):
    path = policy(Path("run/policy.ckpt"), encoder=None, spec=example_spec().to_dict())
    assert livedqn(command, f"checkpoint={path}").error == (
        f"{path} was trained from Python with an encoder of its own, which no file keeps; give it again, from Python: "
        f"livedqn.load('{path}', encoder=...)"
    )


def test_evaluation_takes_the_runs_world_but_not_its_machine_nor_its_leniency(livedqn, evaluated):
    path = policy(Path("run/policy.ckpt"), tolerated=0.5)
    outcome = livedqn("evaluate", f"checkpoint={path}", "evaluation.episodes=7")
    assert outcome.code == 0, outcome.err
    config, folder = evaluated[0]
    assert config.checkpoint == [str(path)]
    assert (config.seed, config.cap.max_share_shown, config.device) == (3, 0.5, "auto")
    assert (config.evaluation.episodes, config.tolerated) == (7, 0.01)
    assert config.env == run_config()["env"]
    assert config.reward == run_config()["reward"]
    assert folder.parts[0] == "runs"


def test_a_value_of_the_environment_or_the_whole_of_it_can_change(livedqn, evaluated):
    path = policy(Path("run/policy.ckpt"))
    assert livedqn("evaluate", f"checkpoint={path}", "env.id=CartPole-v1", "reward.weights.shown=-1").code == 0
    assert livedqn("evaluate", f"checkpoint={path}", "+env=gym", "reward=native").code == 0
    assert evaluated[0][0].env == {**run_config()["env"], "id": "CartPole-v1"}
    assert evaluated[0][0].reward["weights"] == {"native": 2.0, "shown": -1.0}
    assert evaluated[1][0].env["kwargs"] == {}
    assert evaluated[1][0].reward == {"plugin": "native"}


def test_rescoring_by_several_rewards(livedqn, evaluated):
    path = policy(Path("run/policy.ckpt"))
    outcome = livedqn("evaluate", f"checkpoint={path}", "-m", "reward=native,weighted")
    assert outcome.code == 0, outcome.err
    assert [config.reward["plugin"] for config, _ in evaluated] == ["native", "weighted"]


@pytest.mark.parametrize(
    "name", ["a=b", "a,b", "a b", "[a]", "ü'\"", "{a:1}", "${seed}", "${", "a\\${b}", "a#b", "\\", "null.x"]
)
def test_a_path_may_hold_any_character(livedqn, evaluated, monkeypatch, name):
    path = policy(Path(name) / "policy.ckpt")
    assert livedqn("evaluate", f"checkpoint={path}").code == 0
    assert evaluated[0][0].checkpoint == [str(path)]
    given = []
    monkeypatch.setattr(recommend, "run", given.append)
    assert livedqn("recommend", f"checkpoint={path}", f"input={path}").code == 0
    assert (given[0].checkpoint, given[0].input) == (str(path), str(path))


def test_several_checkpoints(livedqn, evaluated):
    one, other = policy(Path("one/policy.ckpt")), policy(Path("other/policy.ckpt"), steps=9)
    assert livedqn("evaluate", f"checkpoint=[{one}, {other}]").code == 0
    assert evaluated[0][0].checkpoint == [str(one), str(other)]


def test_runs_that_disagree_need_a_word(livedqn, evaluated):
    one = policy(Path("one/policy.ckpt"))
    other = policy(Path("other/policy.ckpt"), reward={"plugin": "native"})
    assert "say which with reward=<name>" in livedqn("evaluate", f"checkpoint=[{one},{other}]").error
    assert livedqn("evaluate", f"checkpoint=[{one},{other}]", "reward=native").code == 0


def test_a_module_in_an_environments_id_has_to_be_typed(livedqn, evaluated):
    path = policy(Path("run/policy.ckpt"), env={"plugin": "gym", "id": "evil:Env-v0", "kwargs": {}})
    assert (
        "imports code (evil:Env-v0); if you trust it, add env.id=evil:Env-v0"
        in livedqn("evaluate", f"checkpoint={path}").error
    )
    assert livedqn("evaluate", f"checkpoint={path}", "env.id=evil:Env-v0").code == 0


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ({"plugin": "gone"}, "there is no env=gone"),
        (
            {"plugin": "gym", "nosuch": 1},
            "the run's config does not fit this livedqn: there is no setting 'env.nosuch'",
        ),
        ({"plugin": "gym", "kwargs": {"_target_": "os.getcwd"}}, "_target_"),
    ],
)
def test_a_config_that_fits_no_longer(livedqn, evaluated, node, reason):
    assert reason in livedqn("evaluate", f"checkpoint={policy(Path('run/policy.ckpt'), env=node)}").error
    assert evaluated == []


def test_a_foreign_file(livedqn):
    Path("text").write_text("no checkpoint")
    assert "text cannot be read" in livedqn("evaluate", "checkpoint=text").error


def test_recommend_leaves_nothing_behind(livedqn, monkeypatch):
    given = []
    monkeypatch.setattr(recommend, "run", given.append)
    path = policy(Path("run/policy.ckpt"))
    assert livedqn("recommend", f"checkpoint={path}", "device=cpu").code == 0
    assert given[0].device == "cpu"
    assert sorted(Path().rglob("*")) == [path.parent, path]


def saved(folder: str, **changes) -> None:
    Path(folder).mkdir()
    (Path(folder) / "config.yaml").write_text(OmegaConf.to_yaml(run_config(**changes)))


def test_a_run_goes_on_in_its_own_folder_as_it_was(livedqn, trained):
    saved("a=run")
    outcome = livedqn("resume=a=run", "steps=900")
    assert outcome.code == 0, outcome.err
    config, folder = trained[0]
    assert folder == Path("a=run")
    assert (config.resume, config.steps, config.seed, config.device) == ("a=run", 900, 3, "cuda:9")
    assert config.env == run_config()["env"]
    assert config.agent["plugin"] == "dqn"
    assert config.logger.project == "p"
    assert [path.name for path in Path().iterdir()] == ["a=run"]


def test_the_logger_may_change(livedqn, trained):
    saved("run")
    assert livedqn("resume=run", "logger=csv").code == 0
    assert livedqn("resume=run", "logger.mode=disabled").code == 0
    assert trained[0][0].logger.plugin == "csv"
    assert (trained[1][0].logger.mode, trained[1][0].logger.project) == ("disabled", "p")


@pytest.mark.parametrize("word", ["seed=1", "env=sim", "env.id=CartPole-v1", "agent.discount=1", "init=x", "+nosuch=1"])
def test_nothing_else_may(livedqn, trained, word):
    saved("run")
    assert "resume= takes steps, logger, compile, not" in livedqn("resume=run", word).error
    assert trained == []


def test_a_run_whose_environment_imports_code(livedqn, trained):
    saved("run", env={"plugin": "gym", "id": "evil:Env-v0", "kwargs": {}})
    assert "imports code" in livedqn("resume=run").error
    assert livedqn("resume=run", "env.id=evil:Env-v0").code == 0


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "a: ${b}",
        "- 1",
        "seed: 1",
        "\x00",
        "agent: {}",
        "{agent: {}, env: 3}",
        "{agent: {}, env: {}, logs_files: 3}",
    ],
)
def test_a_damaged_config(livedqn, text):
    Path("run").mkdir()
    Path("run/config.yaml").write_text(text)
    assert "damaged or was changed" in livedqn("resume=run").error


def test_a_file_of_a_run_is_not_its_folder(livedqn):
    Path("run").mkdir()
    Path("run/policy.ckpt").touch()
    assert livedqn("resume=run/policy.ckpt").error.endswith("is a file; a run goes on in its folder, which is run")


def test_weights_to_start_from(livedqn, trained):
    assert livedqn("env=gym", "+init=some=run/policy.ckpt").code == 0
    assert livedqn("env=gym", "init=null").code == 0
    assert [config.init for config, _ in trained] == ["some=run/policy.ckpt", None]
