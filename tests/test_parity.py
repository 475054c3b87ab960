"""One policy, one value: training, evaluation, a file and a request in JSON read an observation alike.

The observations are of a stage, with streamers and topics that training never met and rows that are no rooms. What does
the same operations on the same shapes owes the same bits; another batch size, another number of rooms and compiled code
sum in another order, and owe values that lie within ``TOLERANCE`` of one another, relative to the greatest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import livedqn
from livedqn import checkpoint, graphs, plugins, recommend
from livedqn.agent import DQN
from livedqn.compilation import NotCompilableError, compiled, require_compiler
from livedqn.config import CapConfig, RecommendConfig
from livedqn.evaluate import Greedy
from livedqn.evaluate.play import play
from livedqn.experience import PlayedExperience
from livedqn.exploration import EpsilonGreedy
from livedqn.features import Embeddings
from livedqn.replay.uniform import Uniform
from livedqn.rewards import WatchTime
from livedqn.stage import Stage
from livedqn.types import FloatArray, IntArray, Observation

TOLERANCE = 1e-5
ROWS = 8
#: More places than rooms are ever live; more topics than a few streamers have.
ENV = {"plugin": "sim", "days": 1, "topics": 40, "topic_changes": 0.0, "candidates": 30, "history": 4}
FEW, MANY = 24, 120
ENCODERS = {
    "mlp": {"plugin": "mlp", "hidden": (8,)},
    "gru": {"plugin": "gru", "memory": 4, "hidden": (8,)},
    "attention": {"plugin": "attention", "units": 4, "hidden": (8,)},
}


class Trained(NamedTuple):
    """A policy in memory, on its stage, and on disk."""

    agent: DQN
    experience: PlayedExperience
    path: Path


def stage(streamers: int, rows: int = ROWS) -> Stage:
    return Stage(plugins.build("env", {**ENV, "streamers": streamers}, rows), WatchTime(), CapConfig())


def train(encoder: str, folder: Path) -> Trained:
    """On few streamers, for so long that transforms, embeddings and the reward's scale have moved."""
    torch.manual_seed(0)
    own = stage(FEW)
    settings = {"batch_size": 16, "warmup_steps": 200, "steps_per_update": 4, "hidden": 8, "ensemble": 2}
    config = {"agent": {"plugin": "dqn", **settings}, "encoder": ENCODERS[encoder]}
    agent = checkpoint.build_agent(config, own.spec)
    replay = Uniform(own.spec, ROWS, agent.n_step, capacity=2_000)
    experience = PlayedExperience(own, EpsilonGreedy(), replay, seed=0, floor=0.0)
    experience.begin(0)
    agent.configure_optimizers()
    agent.learn_from(experience)
    agent.training_step(320, 0)
    path = folder / "policy.ckpt"
    checkpoint.save(path, agent, config, steps=320, baselines={}, weights=agent.state_dict())
    return Trained(agent, experience, path)


@pytest.fixture(scope="module", params=list(ENCODERS))
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A policy of each encoder."""
    return train(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def seen() -> Observation:
    """Observations of many streamers, after some requests, so that there is a past."""
    other = stage(MANY)
    observation = other.reset(1, "test")
    rng = np.random.default_rng(0)
    for _ in range(6):
        luck = np.where(observation["mask"], rng.random(observation["mask"].shape), -1.0)
        step = other.step(luck.argmax(axis=1))
        observation = other.restart(step.terminated | step.truncated)
    return observation


def ids(observation: Observation, column: int) -> IntArray:
    return np.unique(observation["candidates"][..., column][observation["mask"]])


def close(ours: FloatArray, theirs: FloatArray) -> bool:
    greatest = np.abs(theirs[np.isfinite(theirs)]).max()
    return np.allclose(ours, theirs, rtol=0, atol=TOLERANCE * greatest)  # -inf equals -inf


def test_what_is_shown_is_new_in_part_and_padded_in_part(trained: Trained, seen: Observation) -> None:
    met = trained.experience.sample(1_000).observation
    for column, name in enumerate(("streamer", "topic")):
        assert trained.agent.spec.candidates[column].name == name
        old = np.isin(ids(seen, column), ids(met, column))
        assert old.any() and not old.all(), name
    assert seen["mask"].any() and not seen["mask"].all()
    assert (seen["history"][..., 0] == 0).any() and (seen["history"][..., 0] == 1).any()


def test_unseen_ids_have_finite_values_where_the_mask_allows_and_nowhere_else(
    trained: Trained, seen: Observation
) -> None:
    q = trained.agent.q_values(seen)
    assert np.array_equal(np.isfinite(q), np.broadcast_to(seen["mask"], q.shape))


def test_an_unseen_streamer_is_embedded_as_small_as_before_training(trained: Trained, seen: Observation) -> None:
    fresh = Embeddings(trained.agent.spec)
    assert isinstance(trained.agent.online.embeddings, Embeddings)
    codes = trained.agent.transform({k: torch.from_numpy(v) for k, v in seen.items()})["candidates_codes"][..., 0]
    met = trained.agent.transform(
        {k: torch.from_numpy(v) for k, v in trained.experience.sample(1_000).observation.items()}
    )["candidates_codes"][..., 0]
    new = codes[(codes > 0) & ~torch.isin(codes, met)]
    assert len(new)
    place = fresh._names.index("streamer")
    table, untrained = (of.embedded[place].weight.detach() for of in (trained.agent.online.embeddings, fresh))
    assert float(table[new].abs().max()) <= float(untrained.abs().max()) * 1.5


def test_training_acts_on_the_values_that_evaluation_and_the_file_have(trained: Trained, seen: Observation) -> None:
    agent, loaded = trained.agent, livedqn.load(trained.path, "cpu")
    acting = agent.acting_values(seen)
    assert np.array_equal(acting, agent.q_values(seen))
    assert np.array_equal(acting, loaded.q_values(seen))
    greedy = Greedy(loaded)
    chosen = agent.policy_values(seen).mean(axis=0)
    assert np.array_equal(greedy(seen), chosen.argmax(axis=1))
    assert np.array_equal(greedy.value, chosen.max(axis=1))
    assert np.array_equal(loaded.act(seen), greedy(seen))


def test_whole_evaluations_are_the_same(trained: Trained) -> None:
    played = [
        play(Greedy(agent), stage(MANY), seed=2, split="test", episodes=ROWS)
        for agent in (trained.agent, livedqn.load(trained.path, "cpu"))
    ]
    assert np.array_equal(played[0].action, played[1].action)
    assert np.array_equal(played[0].steps["value"], played[1].steps["value"])


def test_viewers_alone_and_rooms_without_padding_have_the_same_values(trained: Trained, seen: Observation) -> None:
    q = trained.agent.q_values(seen)
    for row in range(ROWS):
        live = seen["mask"][row]
        alone = {name: array[row : row + 1] for name, array in seen.items()}
        alone |= {name: alone[name][:, live] for name in ("candidates", "mask")}
        assert close(trained.agent.q_values(alone), q[:, row : row + 1, live])


@pytest.mark.parametrize("shortlist", [1, 4, 40, None])
def test_rooms_on_the_shortlist_are_valued_by_themselves_as_among_all(
    trained: Trained, seen: Observation, shortlist: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = seen["mask"].copy()
    mask[0, 1:], mask[1, 3:], mask[2, 0] = False, False, False  # no room is live; two are; one has to be shown
    some = {**seen, "mask": mask}
    monkeypatch.setattr(trained.agent, "shortlist", shortlist)
    of_all = trained.agent.listed(trained.agent.q_values(some), some)
    listed = trained.agent.policy_values(some)
    assert np.array_equal(np.isfinite(listed), np.isfinite(of_all)) and close(listed, of_all)
    if shortlist == 4:
        assert np.isfinite(listed)[0].sum(axis=1)[:4].tolist() == [1, 3, 4, 5]


def test_requests_in_json_have_the_same_values(
    trained: Trained, seen: Observation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "requests.jsonl"
    requests = [{name: array[row].tolist() for name, array in seen.items()} for row in range(ROWS)]
    lines.write_text("\n".join(map(json.dumps, requests)))
    recommend.run(RecommendConfig(checkpoint=str(trained.path), input=str(lines), device="cpu"))
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    q, chosen = trained.agent.q_values(seen).mean(axis=0), trained.agent.policy_values(seen).mean(axis=0)
    assert [answer["action"] for answer in answers] == chosen.argmax(axis=1).tolist()
    for row, answer in enumerate(answers):
        values = np.full(len(q[row]), -np.inf)
        for ranked in answer["ranked"]:
            values[ranked["action"]] = ranked["value"]
        assert close(values, q[row])


def test_going_on_from_the_file_keeps_transforms_and_reward_scale(trained: Trained) -> None:
    own = stage(MANY)
    agent = livedqn.load(trained.path, "cpu")
    experience = PlayedExperience(own, EpsilonGreedy(), Uniform(own.spec, ROWS, 1, capacity=500), seed=1, floor=0.0)
    experience.begin(3)
    agent.configure_optimizers()
    agent.learn_from(experience)
    agent.training_step(240, 0)
    assert agent.updates
    assert torch.equal(agent.reward_scale, trained.agent.reward_scale)
    for name, value in agent.transform.state_dict().items():
        assert torch.equal(value, trained.agent.transform.state_dict()[name]), name


def test_compiled_code_acts_on_the_same_values(
    tmp_path: Path, seen: Observation, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        require_compiler()
    except NotCompilableError:
        pytest.skip("needs a C++ compiler")

    # values take weights and an observation; an update, which takes more, is compiled in test_graphs and takes long
    def values_alone(graph: Any, example: Any, **checks: bool) -> Any:
        return compiled(graph, example, **checks) if len(example) == 1 + len(seen) else graph

    monkeypatch.setattr(graphs, "compiled", values_alone)
    agent, own = livedqn.load(train("attention", tmp_path).path, "cpu"), stage(MANY)
    experience = PlayedExperience(own, EpsilonGreedy(), Uniform(own.spec, ROWS, 1, capacity=500), seed=1, floor=0.0)
    experience.begin(3)
    agent.configure_optimizers()
    agent.learn_from(experience, compile="true")
    agent.training_step(208, 0)
    assert agent.learner.graphs is not None
    assert close(agent.acting_values(seen), agent.q_values(seen))
