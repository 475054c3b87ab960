"""Noisy layers against a pencil; who is given which noise, who none, and where it comes from."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from doubles import Identity
from torch import Tensor, nn

import livedqn
from livedqn import plugins
from livedqn.agent import DQN
from livedqn.config import CapConfig
from livedqn.encoders import GRU, MLP, Attention
from livedqn.experience import PlayedExperience
from livedqn.exploration import EpsilonGreedy
from livedqn.losses import chosen
from livedqn.narrowing import narrowed
from livedqn.network import QNetwork
from livedqn.noisy import Noise, NoisyLinear, noise_size, perturbed
from livedqn.protocols import Batch
from livedqn.replay.uniform import Uniform
from livedqn.rewards import WatchTime
from livedqn.stage import Stage
from livedqn.testing import example_observation, example_spec
from livedqn.types import Column, Spec

GAME = Spec(context=(Column("one"),), context_shape=(1,), num_actions=2)


def test_a_layers_weights_move_by_sigma_times_the_noise_of_both_ends() -> None:
    layer = NoisyLinear(2, 1, sigma=0.5)
    layer.weight.data, layer.bias.data = torch.tensor([[1.0, 2.0]]), torch.tensor([3.0])
    layer.weight_sigma.data, layer.bias_sigma.data = torch.tensor([[0.5, 1.0]]), torch.tensor([2.0])
    moved = layer.perturbed(torch.tensor([2.0, -1.0, 3.0]))  # of two inputs and an output
    assert moved["weight"].tolist() == [[1 + 0.5 * 2 * 3, 2 + 1 * -1 * 3]]
    assert moved["bias"].tolist() == [3 + 2 * 3]
    assert layer(torch.tensor([1.0, 1.0])).tolist() == [6]  # by itself the means


def test_a_layer_begins_as_the_paper_has_it() -> None:
    torch.manual_seed(0)
    layer = NoisyLinear(16, 500, sigma=0.5)
    assert layer.weight_sigma.unique().tolist() == layer.bias_sigma.unique().tolist() == [0.125]  # 0.5 / sqrt(16)
    for mu in (layer.weight, layer.bias):
        assert mu.abs().max().item() == pytest.approx(0.25, rel=0.02)  # evenly within 1 / sqrt(16)
        assert mu.std().item() == pytest.approx(0.25 / math.sqrt(3), rel=0.1)
    assert NoisyLinear(2, 3, bias=False, sigma=0.5).perturbed(torch.ones(5)).keys() == {"weight"}


def test_noise_is_the_signed_root_of_a_normal_number_and_its_draws_are_apart() -> None:
    e = np.random.Generator(np.random.PCG64(3)).standard_normal((2, 4_000), np.float32)
    noise, again = Noise(4_000, 3), Noise(4_000, 3)
    drawn = noise.draw(2)
    torch.testing.assert_close(drawn, torch.from_numpy(np.sign(e) * np.sqrt(np.abs(e))))
    assert abs(np.corrcoef(drawn[0], drawn[1])[0, 1]) < 0.05
    again.load_state_dict(noise.state_dict())
    assert torch.equal(again.draw(1), noise.draw(1))


@pytest.mark.parametrize("encoder", [MLP, GRU, Attention])
@pytest.mark.parametrize("switches", [{}, {"is_dueling": True}, {"ensemble": 3}, {"layer_norm": True, "numbers": 4}])
def test_noise_moves_values_and_no_noise_leaves_the_means(encoder: type, switches: dict[str, Any]) -> None:
    def network(sigma: float | None) -> QNetwork:
        torch.manual_seed(0)
        plain = {"numbers": 1, "is_dueling": False, "layer_norm": False, "ensemble": 1}
        return QNetwork(example_spec(), encoder, hidden=8, noisy_sigma=sigma, **plain | switches).eval()

    noisy, plain, seen = network(0.5), network(None), example_observation(example_spec(), 6, seed=1)
    plain.load_state_dict({name: value for name, value in noisy.state_dict().items() if "_sigma" not in name})
    noise = Noise(noise_size(noisy), 0).draw(1)[0]
    with torch.no_grad():
        assert torch.equal(noisy(seen), plain(seen))
        moved = noisy(seen, noise)
        assert torch.equal(noisy(seen, noise), moved) and not torch.allclose(moved, noisy(seen))
        # as if the weights were those, and of a room alone what it is among others
        plain.load_state_dict(plain.state_dict() | dict(zip(*_moved(noisy, noise), strict=True)))
        torch.testing.assert_close(plain(seen), moved)
        actions = torch.multinomial(seen["mask"].float(), 1).T
        alone, at = narrowed(seen, actions)
        torch.testing.assert_close(chosen(noisy(alone, noise), at), chosen(moved, actions), rtol=0, atol=1e-5)


def _moved(network: QNetwork, noise: Tensor) -> tuple[list[str], list[Tensor]]:
    found = perturbed(network, noise)
    return list(found), list(found.values())


def game(**settings: Any) -> DQN:
    """Values are the biases, online [1, 2] and target [10, 20], of a noise of 1 online and of 2 in the target."""
    made = DQN(GAME, Identity, **{"distribution": "none", "discount": 0.5, "noisy": True, **settings})
    for network, values, sigma in ((made.online, [1.0, 2.0], 1.0), (made.target, [10.0, 20.0], 2.0)):
        head = network.heads[0].advantage
        nn.init.zeros_(head.weight)
        nn.init.constant_(head.bias_sigma, sigma)
        head.bias.data = torch.tensor(values)
    made.configure_optimizers()
    return made


SEEN = {"context": np.zeros((1, 1), np.float32), "mask": np.ones((1, 2), np.bool_)}
ONE = Batch(
    SEEN, np.array([0]), np.ones(1, np.float32), np.array([[3.0]], np.float32), np.array([[0.5]], np.float32), SEEN,
    np.ones(1, np.float32), np.array([0]),
)  # fmt: skip
#: Of the one input and the two actions: of who learns, of the target, of who chooses.
DRAWN = torch.tensor([[9.0, 0.5, -1.0], [9.0, 0.25, 1.0], [9.0, 4.0, 0.0]])


@pytest.mark.parametrize(("double", "following"), [(True, 10 + 2 * 0.25), (False, 20 + 2 * 1.0)])
def test_who_learns_who_is_followed_and_who_chooses_are_perturbed_apart(double: bool, following: float) -> None:
    made = game(double=double, gradient_clip=None, huber_delta=None)
    batch = made.transitions(ONE)._replace(noise=DRAWN)
    found = made.learner.gradient(made.learner.networks, made.learner.weights.parameters, batch)
    # the chooser values the actions 1 + 4 and 2, so it takes the first; alone, the target takes the second
    error = 3 + 0.5 * following - (1 + 0.5)
    assert found.error.tolist() == [error]
    gradient = dict(zip(_names(made), made.learner.weights.views(found.vector), strict=True))
    assert gradient["heads.0.advantage.bias"].tolist() == [-error, 0]
    assert gradient["heads.0.advantage.bias_sigma"].tolist() == [-error * 0.5, 0]  # times the noise


def _names(made: DQN) -> list[str]:
    return [name for name, _ in made.online.named_parameters()]


def test_who_explores_is_perturbed_anew_at_every_step_and_who_judges_or_serves_never() -> None:
    made = game()
    assert made.q_values(SEEN).tolist() == [[[1, 2]]] and made.act(SEEN).tolist() == [1]
    acted = [made.acting_values(SEEN)[0, 0] for _ in range(200)]
    assert len({tuple(values) for values in acted}) == 200
    assert 20 < sum(values[0] > values[1] for values in acted) < 100  # it explores
    assert made.q_values(SEEN).tolist() == [[[1, 2]]]


def played(encoder: type = MLP, **settings: Any) -> tuple[DQN, PlayedExperience]:
    env = {"plugin": "sim", "days": 1, "streamers": 60}
    stage = Stage(plugins.build("env", env, 8), WatchTime(), CapConfig())
    torch.manual_seed(0)
    small = {"batch_size": 16, "warmup_steps": 64, "steps_per_update": 8, "hidden": 8, "atoms": 5, "noisy": True}
    agent = DQN(stage.spec, encoder, **small | settings)
    experience = PlayedExperience(
        stage, EpsilonGreedy(start=0, end=0), Uniform(stage.spec, 8, 1, capacity=500), seed=0, floor=0
    )
    experience.begin(0)
    agent.learn_from(experience)
    agent.configure_optimizers()
    agent.training_step(128, 0)
    return agent, experience


@pytest.mark.parametrize(
    "settings", [{"ensemble": 2}, {"munchausen": True}, {"cql_alpha": 0.5, "bcq_threshold": 0.1}, {"dueling": True}]
)
def test_learning_that_is_saved_goes_on_bit_for_bit(settings: dict[str, Any]) -> None:
    agent, experience = played(**settings)
    assert agent.updates == 8
    state = copy.deepcopy((agent.learner_state(), experience.state_dict()))
    agent.training_step(256, 1)
    other, again = played(**settings)
    other.acting_values(again.observation)  # its generator is elsewhere
    other.load_learner_state(state[0])
    again.load_state_dict(state[1])
    other.training_step(256, 1)
    assert agent.updates == other.updates == 24
    for name, value in agent.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_a_learner_without_noise_saves_none() -> None:
    assert "noise" in game().learner.state_dict()
    plain = DQN(GAME, Identity)
    plain.configure_optimizers()
    assert "noise" not in plain.learner.state_dict()


def test_sigmas_learn_and_the_target_follows_them() -> None:
    agent, _ = played(sync_every=16)
    first = agent.target.heads[0].state.weight_sigma.clone()
    assert first.unique().numel() == 1
    agent.training_step(192, 1)
    sigma = agent.target.heads[0].state.weight_sigma
    assert torch.equal(sigma, agent.online.heads[0].state.weight_sigma) and sigma.unique().numel() > 1


@pytest.mark.usefixtures("no_pictures")
def test_a_pole_is_balanced_longer_than_by_chance_without_any_other_exploration(tmp_path) -> None:
    run = livedqn.train(
        {"plugin": "gym", "id": "CartPole-v1"}, folder=tmp_path / "run", steps=8_000, num_envs=8,
        encoder={"plugin": "mlp", "hidden": [64, 64]}, exploration={"plugin": "epsilon_greedy", "start": 0, "end": 0},
        agent={"plugin": "dqn", "discount": 0.99, "learning_rate": 2e-3, "learning_rate_end": 2e-3, "batch_size": 64,
               "n_step": 3, "sync_every": 25, "steps_per_update": 4, "warmup_steps": 500, "standardise": False,
               "noisy": True},
        evaluation={"worlds": 4, "episodes": 5, "validation_worlds": 1, "validation_episodes": 5, "points": 4},
    )  # fmt: skip
    assert run.evaluation is not None
    assert run.evaluation.intervals["policy"]["return"].mean > 100  # by chance a pole stands for 22 steps
