"""``livedqn evaluate ... logs=...`` from the command line, on logs of the small simulator."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from livedqn import checkpoint, plugins
from livedqn.config import CapConfig
from livedqn.logs import join
from livedqn.logs.parquet import Parquet
from livedqn.logs.writer import Writer
from livedqn.stage import Stage

ENV = {"plugin": "sim", "streamers": 60, "topics": 4, "days": 2, "candidates": 8, "history": 4, "max_requests": 60}
WORDS = [f"env.{key}={value}" for key, value in ENV.items() if key != "plugin"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A policy that has learned nothing, and logs of a random one: what they are called."""
    folder = tmp_path_factory.mktemp("made")
    config = {
        "env": ENV, "reward": {"plugin": "engagement"}, "cap": {"max_share_shown": 1.0, "max_shown_per_session": None},
        "encoder": {"plugin": "mlp"}, "agent": {"plugin": "dqn", "hidden": 8}, "steps": 100, "seed": 0,
    }  # fmt: skip
    stage = Stage(plugins.build("env", ENV, 1), plugins.build("reward", "engagement"), CapConfig())
    agent = checkpoint.build_agent(config, stage.spec)
    checkpoint.save(folder / "policy.ckpt", agent, config, 100, {}, agent.state_dict())
    learned = {**config, "logs": {"plugin": "parquet", "path": str(folder / "logs")}, "holdout": 0.0, "env": None}
    checkpoint.save(folder / "learned.ckpt", agent, learned, 100, {}, agent.state_dict())
    checkpoint.save(folder / "careful.ckpt", agent, {**learned, "holdout": 0.5}, 100, {}, agent.state_dict())
    return folder


@pytest.fixture
def collected(made, livedqn):
    """The logs, made once."""
    logs = made / "logs"
    if not logs.exists():
        words = ["policy=random", "exploration_floor=0", "num_envs=8", "steps=4000", f"out={logs}"]
        assert livedqn("collect", "+env=sim", *WORDS, *words).code == 0
    return logs


def evaluated(livedqn, made, *words, policy="policy"):
    return livedqn("evaluate", f"checkpoint={made / policy}.ckpt", "logs=parquet", "hydra.run.dir=out", *words)


def result():
    return json.loads(Path("out/evaluation.json").read_text())


def test_policies_side_by_side(livedqn, made, collected):
    outcome = evaluated(livedqn, made, f"logs.path={collected}", "policies=random", "ope.epsilon=0.9")
    assert outcome.code == 0, outcome.err
    found = result()
    assert list(found["policies"]) == ["policy", "random"]
    assert found["unit"] == "session"
    random = found["policies"]["random"]
    assert random["cannot_answer"] is None
    # the logs' own policy is judged: every ratio is 1, and estimates are its mean, but for 8 sessions that were cut,
    # and for what a model of few sessions adds of its own
    assert random["overlap"]["sessions_share"] == pytest.approx(1, abs=1e-5)
    logged = found["logged"]
    for name, off in (("PDIS", 0.03), ("WPDIS", 0.03), ("DR", 0.1), ("WDR", 0.1)):
        assert random["estimates"][name]["value"] == pytest.approx(logged["value"], rel=off), name
    assert logged["low"] < logged["value"] < logged["high"]
    assert found["differences"].keys() == {"policy - random"}
    for line in ("random: not clearly apart from the logs' own policy by", "policy: ", "policy - random: "):
        assert line in outcome.out
    assert {path.name for path in Path("out").iterdir()} == {
        "config.yaml", "estimates.png", "evaluation.json", "overlap.png", "printed.txt",
    }  # fmt: skip


def test_a_gate_that_stays_shut(livedqn, made, collected):
    words = [f"logs.path={collected}", "policies=[random]", "ope.epsilon=0.9"]
    outcome = evaluated(livedqn, made, *words, "gate.min_lower_bound=0")
    assert outcome.code == 1
    assert "gate: policy is not shown to be better by more than 0: " in outcome.out
    assert evaluated(livedqn, made, *words, "gate.min_lower_bound=-99").code == 0


def test_logs_that_cannot_answer(livedqn, made, collected):
    outcome = evaluated(livedqn, made, f"logs.path={collected}", "policies=[hottest]", "gate.min_lower_bound=-99")
    assert outcome.code == 1
    assert "hottest: these logs cannot answer: the policy differs too much from the logs" in outcome.out
    assert "gate: policy is not shown to be better: these logs cannot answer" in outcome.out
    tries = [line for line in outcome.out.splitlines() if line.startswith("  try: ")]
    assert tries and len(tries) == sum(len(one["next"]) for one in result()["policies"].values())
    assert any("log around it (livedqn collect, exploration=steady)" in line for line in tries)


def test_one_request_at_a_time(livedqn, made, collected):
    outcome = evaluated(livedqn, made, f"logs.path={collected}", "policies=[hottest]", "ope.unit=request")
    assert outcome.code == 0, outcome.err
    assert list(result()["policies"]["hottest"]["estimates"]) == [
        "DM", "IPS", "SNIPS", "clipped IPS", "NCIS", "DR", "Switch-DR"
    ]  # fmt: skip
    assert " the logs' own policy by DR: " in outcome.out
    assert "sessions" not in outcome.out.splitlines()[0]  # each request stands alone


def test_never_on_what_it_was_trained_on(livedqn, made, collected):
    path = f"logs.path={collected}"
    wrong = evaluated(livedqn, made, path, policy="learned").error
    assert "learned.ckpt was trained on these logs, on all viewers; evaluate it on others" in wrong
    assert "all viewers but 50%" in evaluated(livedqn, made, path, "ope.holdout=0.6", policy="careful").error
    outcome = evaluated(livedqn, made, path, "policies=[random]", "allow_overlap=true", policy="learned")
    assert outcome.code == 0, outcome.err
    assert "NOTE: allow_overlap: these logs may hold what the policies learned from" in outcome.out
    assert result()["warnings"]
    all_viewers = result()["viewers"]
    assert evaluated(livedqn, made, path, "policies=[random]", policy="careful").code == 0
    assert result()["holdout"] == 0.5
    assert 0.3 * all_viewers < result()["viewers"] < 0.7 * all_viewers


def test_what_faults_have_left_is_no_sample_of_the_logs(livedqn, made, collected):
    copied = Path("broken")
    shutil.copytree(collected, copied)
    file = max(copied.rglob("*.parquet"), key=lambda path: path.stat().st_size)
    table = pq.read_table(file)
    at = table.column_names.index("propensity")
    table = table.set_column(at, table.schema.field(at), pa.array(np.full(len(table), 3, np.float32)))
    pq.write_table(table, file)
    words = [f"logs.path={copied}", "policies=[random]", "ope.epsilon=0.9"]
    assert (
        " of the rows that are to judge belong to sessions with a fault, more than tolerated=0.01; look: livedqn "
        in (evaluated(livedqn, made, *words).error)
    )
    outcome = evaluated(livedqn, made, *words, "tolerated=0.99")
    assert outcome.code == 0 and "set aside: " in outcome.out


def test_a_lack_that_is_not_too_large_is_told(livedqn, made, collected):
    logs = Parquet(path=str(collected))
    whole = join(list(logs))
    with Writer(Path("larger"), logs.spec) as writer:
        writer.add(replace(whole, propensity=np.minimum(whole.propensity * 1.1, 1).astype(np.float32)))
    outcome = evaluated(livedqn, made, "logs.path=larger", "policies=[random]", "ope.epsilon=0.9")
    assert outcome.code == 0, outcome.err
    (verdict,) = (line for line in outcome.out.splitlines() if line.startswith("random: "))
    assert verdict.endswith(
        "]; ratios have a mean of 0.91: 9% of what it does had no chance in these logs, or propensities are too large"
    )


def test_propensities_that_nobody_noted(livedqn, made, collected):
    logs = Parquet(path=str(collected))
    whole = join(list(logs))
    with Writer(Path("unknown"), logs.spec) as writer:
        writer.add(replace(whole, propensity=np.full(len(whole), np.nan, np.float32)))
    words = ["logs.path=unknown", "policies=[random]"]
    assert "have no propensity; log it when an action is chosen, or say ope.estimate_propensities=true" in (
        evaluated(livedqn, made, *words).error
    )
    outcome = evaluated(livedqn, made, *words, "ope.estimate_propensities=true")
    assert outcome.code == 0, outcome.err
    assert "NOTE: estimated propensities: 4,000 of 4,000 were not noted" in outcome.out
    assert Path("out/propensities.png").exists()
    found = result()
    assert "estimated propensities" in found["warnings"][0]
    # the logs' policy was uniform, and is guessed to be about that
    assert found["policies"]["random"]["overlap"]["requests_share"] > 0.5


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["ope.discount=0.9"], "ope.discount belongs to an evaluation from logs; add logs=parquet"),
        (["logs=parquet", "logs.path=x", "env=sim"], "logs judge and nothing is played, so env cannot be set"),
        (["logs=parquet"], "logs=parquet needs a value: logs.path=<value>"),
        (["logs=parquet", "logs.path=x", "ope.unit=day"], "ope.unit=day is none of session, request"),
    ],
)
def test_refusals(livedqn, made, words, why):
    assert why in livedqn("evaluate", f"checkpoint={made / 'policy.ckpt'}", *words).error


def test_the_mean_of_two_policies_is_judged_and_left(livedqn, made, collected):
    both = f"checkpoint=[{made / 'policy.ckpt'},{made / 'careful.ckpt'}]"
    words = ["logs=parquet", f"logs.path={collected}", "average=true", "policies=[policy:average]", "ope.epsilon=0.9"]
    words.append("hydra.run.dir=out")
    outcome = livedqn("evaluate", both, *words, "reward=engagement")
    assert outcome.code == 0, outcome.err
    found = result()
    ours = ["policy:average", "policy:policy", "policy:careful"]
    assert list(found["policies"]) == ours  # ours are judged whoever is named
    # the two have the same weights, so their mean does what each of them does
    values = [found["policies"][name]["estimates"]["WDR"]["value"] for name in ours]
    assert values == pytest.approx([values[0]] * 3, rel=1e-5)
    left = checkpoint.read("out/policy.ckpt")
    assert [one["path"] for one in (o["logs"] for o in checkpoint.learned_from(left.config))] == [str(collected)]
