"""Compiled updates compute what eager ones compute, and what cannot be compiled says why."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from livedqn import graphs, plugins
from livedqn.agent import DQN
from livedqn.compilation import NotCompilableError, captured, compiled, require_compiler
from livedqn.config import CapConfig
from livedqn.encoders import MLP
from livedqn.experience import PlayedExperience
from livedqn.exploration import EpsilonGreedy
from livedqn.graphs import Functional, Graphs, choose
from livedqn.logged import LoggedExperience
from livedqn.logs import Impressions
from livedqn.protocols import Batch, Later
from livedqn.replay.prioritised import Prioritised
from livedqn.rewards import WatchTime
from livedqn.stage import Stage
from livedqn.testing import LOGS_SPEC, example_impressions
from livedqn.types import FloatArray, LivedqnError, Spec, TensorObservation


class Small(MLP):
    """A network that is quick to compile."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, hidden=(16,))


class Spoilt(Small):
    """``how`` says what keeps it from being compiled."""

    def __init__(self, spec: Spec, how: str) -> None:
        super().__init__(spec)
        self.how, self.calls = how, 0
        self.dropout, self.norm = nn.Dropout(0.5), nn.BatchNorm1d(self.width)

    def forward(self, observation: TensorObservation) -> Tensor:
        state = super().forward(observation)
        self.calls += 1
        if self.how == "draws":
            return self.dropout(state)
        if self.how == "changes":
            return self.norm(state)
        if self.how == "branches" and state.sum() > 0:
            return 2 * state
        return state * self.calls if self.how == "counts" else state


class MustShow:
    """Logs without *nothing*."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.source = spec, dict[str, Any]()

    def __iter__(self) -> Iterator[Impressions]:
        return iter([example_impressions([5] * 100, has_nothing=False)])


def has_compiler() -> bool:
    try:
        require_compiler()
    except NotCompilableError:
        return False
    return True


def made(encoder: Any = Small, **settings: Any) -> tuple[DQN, PlayedExperience]:
    stage = Stage(plugins.build("env", {"plugin": "sim", "days": 1, "streamers": 60}, 8), WatchTime(), CapConfig())
    torch.manual_seed(0)
    agent = DQN(stage.spec, encoder, **{"batch_size": 16, "n_step": 2, "warmup_steps": 200, "hidden": 16, **settings})
    experience = PlayedExperience(
        stage, EpsilonGreedy(), Prioritised(stage.spec, 8, 2, capacity=2_000), seed=0, floor=0.0
    )
    experience.begin(0)
    agent.configure_optimizers()
    agent.learn_from(experience)
    agent.training_step(200, 0)  # the warm-up
    return agent, experience


def inputs(agent: DQN, experience: PlayedExperience) -> Any:
    return agent.transitions(*sampled(agent, experience)), experience.observation


def sampled(agent: DQN, experience: PlayedExperience) -> tuple[Batch, Later | None]:
    batch = experience.sample(16)
    return batch, experience.replay.later(batch.slots) if agent.retrace else None


@pytest.mark.skipif(not has_compiler(), reason="needs a C++ compiler")
def test_a_thousand_compiled_updates_equal_eager_ones() -> None:
    agent, experience = made(ensemble=2, sync_every=50)
    eager = copy.deepcopy(agent)
    eager.configure_optimizers()
    agent.learn_from(experience, compile="true")
    agent.training_step(208, 1)
    assert agent.learner.graphs is not None
    eager.load_learner_state(copy.deepcopy(agent.learner_state()))
    for update in range(1_000):
        if update == 100:  # so far rounding alone tells them apart
            for name, value in agent.state_dict().items():
                assert torch.allclose(value, eager.state_dict()[name], rtol=1e-5, atol=1e-5), name
        batch = experience.sample(16)
        errors = [one.update(batch).numpy() for one in (agent, eager)]
        assert np.allclose(*errors, rtol=1e-3, atol=1e-4)
        experience.replay.update_priorities(batch.slots, errors[0])
    # a unit at the edge of its ReLU may be rounded to either side, which Adam makes a step of: of 1,000 one or two
    for name, value in agent.state_dict().items():
        assert torch.allclose(value, eager.state_dict()[name], rtol=1e-3, atol=5e-3), name
    # values to act on, of the shape that was compiled and of another
    seen = experience.observation
    assert np.allclose(agent.acting_values(seen), eager.q_values(seen), rtol=1e-3, atol=1e-4)
    fewer = {name: array[:3] for name, array in seen.items()}
    assert np.allclose(agent.q_values(fewer), eager.q_values(fewer), rtol=1e-3, atol=1e-4)


def test_batches_of_another_size_are_learned_from_eagerly_in_the_same_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "compiled", lambda graph, example, **_: graph)  # its operations, one by one
    agent, experience = made(sync_every=3)
    agent.learner.graphs = Graphs(agent.learner, *inputs(agent, experience))
    eager = copy.deepcopy(agent)
    eager.configure_optimizers()
    for size in (16, 8, 16, 16, 8, 16):
        batch = experience.sample(size)
        errors = [one.update(batch).numpy() for one in (agent, eager)]
        assert np.allclose(*errors, rtol=1e-4, atol=1e-5)
    assert agent.updates == eager.updates == 6
    for ours, theirs in zip(agent.learner.state[:-1], eager.learner.state[:-1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


SWITCHES: list[dict[str, Any]] = [
    {"layer_norm": True, "dueling": False, "ensemble": 2},
    {"distribution": "quantile", "atoms": 5},
    {"distribution": "c51", "atoms": 5, "double": False},
    {"munchausen": True, "distribution": "quantile", "atoms": 3},
    {"munchausen": True, "munchausen_temperature": 0.5},
    {"cql_alpha": 0.5, "ensemble": 2},
    {"bcq_threshold": 0.9, "myopic": False, "estimate_rewards": False},
    {"noisy": True, "ensemble": 2, "layer_norm": True, "dueling": True},
    {"retrace": 0.9, "ensemble": 2, "distribution": "none"},
    {"retrace": 0.9, "munchausen": True, "atoms": 5, "noisy": True},
    {"noisy": True, "distribution": "none", "double": False, "bcq_threshold": 0.3},
]


@pytest.mark.parametrize("switches", SWITCHES)
def test_every_switch_is_captured_as_it_is_computed(switches: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "compiled", lambda graph, example, **_: graph)  # its operations, one by one
    require_the_same_of_graphs(*made(sync_every=3, **switches), updates=4)


def require_the_same_of_graphs(agent: DQN, experience: PlayedExperience, updates: int) -> FloatArray:
    """As without them, in errors, weights and values to act on; answers these."""
    agent.learner.graphs = Graphs(agent.learner, *inputs(agent, experience))
    eager = copy.deepcopy(agent)
    eager.configure_optimizers()
    for _ in range(updates):
        data = sampled(agent, experience)
        errors = [one.update(*data).numpy() for one in (agent, eager)]
        assert np.allclose(*errors, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(agent.learner.state.weights, eager.learner.state.weights, rtol=1e-4, atol=1e-5)
    acted = agent.acting_values(experience.observation)
    assert np.allclose(acted, eager.acting_values(experience.observation), rtol=1e-4, atol=1e-5)
    return acted


@pytest.mark.skipif(not has_compiler(), reason="needs a C++ compiler")
def test_compiled_updates_from_logs_equal_eager_ones() -> None:
    """Of both guards against overestimation at once, as they would be in one graph."""
    acted = require_the_same_of_graphs(*made(sync_every=3, cql_alpha=0.5, bcq_threshold=0.3, dueling=True), updates=10)
    assert np.isinf(acted).any()  # what is not plausible


@pytest.mark.skipif(not has_compiler(), reason="needs a C++ compiler")
def test_compiled_updates_equal_eager_ones_where_a_room_always_has_to_be_shown() -> None:
    spec = replace(LOGS_SPEC, has_nothing=False)
    torch.manual_seed(0)
    agent = DQN(spec, Small, batch_size=16, n_step=2, warmup_steps=200, hidden=16, sync_every=3)
    experience = LoggedExperience(
        MustShow(spec), WatchTime(), Prioritised(spec, 8, 2, capacity=2_000), num_envs=8, seed=0, holdout=0.0,
        before="", tolerated=0.0,
    )  # fmt: skip
    experience.begin()
    agent.configure_optimizers()
    agent.learn_from(experience)
    agent.training_step(200, 0)  # the warm-up
    assert np.isinf(require_the_same_of_graphs(agent, experience, updates=10)[..., 0]).all()
    others = {**experience.observation, "mask": np.ones_like(experience.observation["mask"])}
    assert np.isinf(agent.acting_values(others)[..., 0]).all()  # nobody knows what nothing is worth


def test_what_is_rounded_to_another_side_of_a_threshold_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    agent, experience = made(bcq_threshold=0.3)
    known = agent.learner.state.weights.clone()

    def at_an_edge(graph: Any, example: Any, **_: Any) -> Any:
        def rounded(*given: Tensor) -> Any:
            is_known = torch.equal(given[0], known)  # an update changes it
            found = graph(*given)
            if found[0].ndim == 3 and is_known:
                found[0][0, 0, 1] = torch.where(found[0][0, 0, 1].isinf(), 0.0, -torch.inf)
            return found

        return rounded

    monkeypatch.setattr(graphs, "compiled", at_an_edge)
    Graphs(agent.learner, *inputs(agent, experience))
    assert torch.equal(agent.learner.state.weights, known)


@pytest.mark.skipif(not has_compiler(), reason="needs a C++ compiler")
def test_compiled_updates_of_noisy_networks_equal_eager_ones_and_building_a_graph_draws_nothing() -> None:
    agent, experience = made(sync_every=3, noisy=True)
    before = agent.learner.state_dict()["noise"]
    Graphs(agent.learner, *inputs(agent, experience))
    assert agent.learner.state_dict()["noise"] == before  # or a resumed run would go on from elsewhere
    require_the_same_of_graphs(agent, experience, updates=10)


@pytest.mark.skipif(not has_compiler(), reason="needs a C++ compiler")
def test_what_was_compiled_once_is_found_again() -> None:
    """As another run would: the same operations, and constants of other values."""
    from torch._dynamo.utils import counters

    x = torch.ones(3)

    def plus(constant: Tensor) -> Any:
        return lambda x: (x + constant,)

    for constant in (torch.tensor([1.0, 2, 3]), torch.tensor([4.0, 5, 6])):
        counters.clear()
        function = compiled(captured(plus(constant), [x]), [x])
        assert torch.equal(function(x)[0], x + constant)
        assert function.__module__ == "livedqn.compilation"  # torch's own wrappers are off, each time
    assert counters["inductor"]["fxgraph_cache_hit"] == 1


def test_products_are_written_so_that_they_fuse_with_what_is_around_them() -> None:
    def operations(rows: int, width: int) -> set[str]:
        layer, seen = nn.Linear(width, 3), torch.randn(rows, width)
        graph = captured(lambda seen: (layer(seen),), [seen])
        torch.testing.assert_close(graph(seen)[0], layer(seen))
        return {str(node.target) for node in graph.graph.nodes} & {f"aten.{name}" for name in names}

    names = ("add.Tensor", "addmm.default", "mm.default", "sum.dim_IntList")
    assert operations(2, 5) == {"aten.mm.default", "aten.add.Tensor"}
    assert operations(1, 5) == {"aten.sum.dim_IntList", "aten.add.Tensor"}
    assert operations(1, 2**15) == {"aten.mm.default", "aten.add.Tensor"}  # large


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("draws", r"it draws random numbers \(aten\.bernoulli"),
        ("changes", "it changes its buffer encoder.norm.running_mean in forward"),
        ("branches", r"it cannot be captured \("),
    ],
)
def test_what_cannot_be_compiled_says_why_and_stays_as_it_was(how: str, why: str) -> None:
    agent, experience = made(lambda spec: Spoilt(spec, how))
    before = copy.deepcopy(agent.learner_state())
    generator = torch.get_rng_state()
    with pytest.raises(NotCompilableError, match=why):
        Graphs(agent.learner, *inputs(agent, experience))
    assert torch.equal(torch.get_rng_state(), generator)
    for name, value in before["weights"].items():
        assert torch.equal(value, agent.state_dict()[name]), name
    agent.learn_from(experience, compile="true")
    with pytest.raises(LivedqnError, match=f"compile=true, but {why}.*; compile=false computes the same, up to round"):
        agent.training_step(208, 1)


def test_what_is_frozen_has_no_gradient_either_way() -> None:
    agent, experience = made()
    learner = agent.learner
    agent.online.encoder.layers[0].weight.requires_grad_(False)
    at = next(i for i, parameter in enumerate(learner.weights.parameters) if not parameter.requires_grad)
    batch, _ = inputs(agent, experience)
    names = list(batch.observation)
    seen, following = ([of[name] for name in names] for of in (batch.observation, batch.next_observation))
    rest = batch.action, batch.reward, batch.discount, batch.weight
    weights = learner.weights.vector, learner.target_weights.vector
    eager = learner.gradient(learner.networks, learner.weights.parameters, batch).vector
    functional = Functional(copy.deepcopy(learner), names).gradient(*weights, *seen, *following, *rest)[0]
    for vector in (eager, functional):
        parts = learner.weights.views(vector)
        assert not parts[at].any()
        assert parts[at + 1].any()


def test_a_graph_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "compiled", lambda graph, example, **_: graph)  # its operations, one by one
    agent, experience = made(lambda spec: Spoilt(spec, "counts"))
    with pytest.raises(NotCompilableError, match="compiled, it computes something else"):
        Graphs(agent.learner, *inputs(agent, experience))


def test_values_that_are_no_numbers_agree_with_nothing() -> None:
    masked, nothing = torch.tensor([1.0, -torch.inf]), torch.full((2,), torch.nan)
    assert graphs._are_close(masked, masked.clone())
    assert not graphs._are_close(masked, torch.tensor([1.0, 2.0]))
    assert not graphs._are_close(nothing, nothing)


def test_without_a_compiler_updates_are_eager_and_a_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    has_compiler()  # imports Inductor, without its warnings
    monkeypatch.setattr(graphs, "BREAK_EVEN_S", 0.0)
    agent, experience = made()
    # by its own patch: what monkeypatch puts back is hidden from then on
    with sys.modules["torch._inductor.config"].patch({"cpp.cxx": ("no-such-compiler",)}):
        found, line = choose(agent.learner, *inputs(agent, experience), 1_000)
    assert found is None
    assert line == "updates are eager: there is no C++ compiler (no-such-compiler); install one, or name it by CXX"


def test_few_updates_are_not_worth_compiling() -> None:
    agent, experience = made()
    found, line = choose(agent.learner, *inputs(agent, experience), 10)
    assert found is None
    assert line.startswith("updates are eager: 10 of ") and line.endswith(" ms are over before compiling pays")


@pytest.mark.parametrize("graph_is_faster", [True, False])
def test_what_is_faster_is_chosen_and_kept(graph_is_faster: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "compiled", lambda graph, example, **_: graph)
    monkeypatch.setattr(graphs, "BREAK_EVEN_S", 0.0)
    times = iter([0.5, 0.5, 0.25 if graph_is_faster else 1.0])
    monkeypatch.setattr(graphs, "seconds", lambda function: next(times))
    agent, experience = made()
    told: list[str] = []
    agent.learn_from(experience, compile="auto", steps=1_000, tell=told.append)
    agent.training_step(208, 1)
    assert (agent.learner.graphs is not None) == graph_is_faster
    assert agent.learner_state()["is_compiled"] == graph_is_faster
    assert told == [
        "updates are compiled: 250 ms an update, against 500 ms"
        if graph_is_faster
        else "updates are eager: compiled, 1e+03 ms an update, against 500 ms"
    ]
