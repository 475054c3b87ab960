"""Retrace against a pencil, against its recursion, and against windows that need no correction."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from doubles import Identity
from torch import Tensor, nn
from torch.nn.functional import one_hot

import livedqn
from livedqn import losses, plugins
from livedqn.agent import DQN
from livedqn.config import CapConfig
from livedqn.encoders import MLP
from livedqn.experience import PlayedExperience
from livedqn.exploration import EpsilonGreedy
from livedqn.objective import Objective
from livedqn.protocols import Batch, Later
from livedqn.replay.prioritised import Prioritised
from livedqn.rewards import WatchTime
from livedqn.stage import Stage
from livedqn.testing import example_observation, example_spec
from livedqn.transitions import LaterTensors, Transitions
from livedqn.types import Column, Spec, TensorObservation

GAME = Spec(context=(Column("one"),), context_shape=(1,), num_actions=2)
INF, NAN = math.inf, math.nan


def test_a_trace_is_lambda_times_the_ratio_of_probabilities_up_to_one() -> None:
    policy, propensity = torch.tensor([0.2, 0.9, 0.5, 1.0, 0.0]), torch.tensor([0.4, 0.3, NAN, INF, 0.5])
    # 0.8 of a half; of three, cut to 1; where nobody knows of 0.5 itself; behind the end and where pi never goes none
    assert losses.traces(policy, propensity, 0.8).tolist() == pytest.approx([0.4, 0.8, 0.4, 0, 0])


def test_products_of_traces_and_returns_go_on_from_the_beginning() -> None:
    c_t = torch.tensor([0.5, 0.5, 0.0])[:, None, None]
    assert losses.trace_products(c_t).flatten().tolist() == [1, 0.5, 0.25, 0]
    r_t, discount_t = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([[0.5], [0.5], [0.0]])
    found = losses.returns(r_t, discount_t)
    assert [part.flatten().tolist() for part in found] == [[1, 2, 3], [0.5, 0.25, 0]]
    # the last is that of the whole window
    whole = losses.n_step_return(r_t.T, discount_t.T)
    assert [part.item() for part in whole] == [3, 0]


def game(**settings: Any) -> DQN:
    """Values are the bias of each action: online [1, 2], target [10, 20]."""
    made = DQN(GAME, Identity, **{"distribution": "none", "discount": 0.5, "n_step": 3, "retrace": 1.0, **settings})
    for network, values in ((made.online, [1.0, 2.0]), (made.target, [10.0, 20.0])):
        head = network.heads[0].advantage
        nn.init.zeros_(head.weight)
        head.bias.data = torch.tensor(values)
    made.configure_optimizers()
    return made


def seen(rows: int) -> dict[str, Any]:
    return {"context": np.zeros((rows, 1), np.float32), "mask": np.ones((rows, 2), np.bool_)}


def window(
    reward: list[float], discount: list[float], later: list[int], propensity: list[float]
) -> tuple[Batch, Later]:
    """One, that begins with action 0, of which the online network expects 1."""
    batch = Batch(
        seen(1), np.array([0]), np.ones(1, np.float32), np.array([reward], np.float32),
        np.array([discount], np.float32), seen(1), np.ones(1, np.float32), np.array([0]),
    )  # fmt: skip
    steps = len(later)
    return batch, Later(seen(steps), np.array(later)[:, None], np.array(propensity, np.float32)[:, None])


@pytest.mark.parametrize(
    ("decay", "later", "propensity", "target"),
    [
        # both as the online network would have: 1 + 0.5 * 2 + 0.25 * 4 + 0.125 * 20, as without a correction
        (1.0, [1, 1], [0.9, 0.1], 5.5),
        # the first was not: 1 + 0.5 * 20
        (1.0, [0, 1], [0.9, 0.1], 11),
        # the second was not: 1 + 0.5 * (2 + 0.5 * 20)
        (1.0, [1, 0], [0.9, 0.1], 7),
        # half of each as it was played, from behind: 4 + 0.5 * 20 = 14; 2 + 0.5 * (20 + 14) / 2 = 10.5; 1 + 0.5 * 15.25
        (0.5, [1, 1], [0.9, 0.1], 8.625),
        # a greedy policy goes by what was done, whatever its propensity
        (0.5, [1, 1], [0.1, NAN], 8.625),
        # the episode ended behind the second transition: 1 + 0.5 * (2 + 0.5 * 20)
        (1.0, [1, 0], [0.9, INF], 7),
    ],
)
def test_greedy_windows_are_worked_by_hand(decay: float, later: list[int], propensity: list[float], target) -> None:
    reward, discount = [1.0, 2.0, 4.0], [0.5, 0.5, 0.5]
    if propensity[1] == INF:
        reward[2], discount[2] = 0.0, 1.0
    made = game(retrace=decay)
    assert made.update(*window(reward, discount, later, propensity)).tolist() == [target - 1]


def test_what_terminated_has_no_future() -> None:
    assert game().update(*window([1, 2, 0], [0.5, 0, 1], [1, 0], [1, INF])).tolist() == [1]  # 1 + 0.5 * 2 - 1
    assert game().update(*window([3, 0, 0], [0, 1, 1], [0, 0], [INF, INF])).tolist() == [2]


def test_a_soft_policy_is_worked_by_hand_and_goes_by_propensities() -> None:
    tau = 10 / np.log(3)  # the target network values actions 10 and 20: odds of 1 to 3
    made = game(munchausen=True, munchausen_temperature=tau, munchausen_alpha=0.5, munchausen_clip=-5.0, n_step=2)
    likely, rare = 0.5 * tau * np.log(0.75), 0.5 * -5.0  # bonuses, of which the second is cut
    soft = 17.5 - tau * (np.log(0.25) + 3 * np.log(0.75)) / 4  # the mean of both and the entropy
    for propensity, trace in ((0.75, 1.0), (0.5, 1.0), (0.9, 0.75 / 0.9), (NAN, 0.75)):
        error = made.objective.distribution.compare(
            torch.tensor([[[1.0]]]), *made.objective.retraced(made.learner.networks, tensors(made, propensity), REWARD)
        )[1]
        after = 2 + likely + 0.5 * soft  # of action 1, which is likely and valued 20
        assert error.item() == pytest.approx(1 + rare + 0.5 * (soft + trace * (after - 20)) - 1, rel=1e-5)


REWARD = torch.tensor([[1.0, 2.0]])


def tensors(made: DQN, propensity: float) -> Transitions:
    return made.transitions(*window([1, 2], [0.5, 0.5], [1], [propensity]))


@pytest.mark.parametrize("settings", [{"distribution": "none"}, {"distribution": "quantile"}, {}, {"munchausen": True}])
def test_a_window_of_one_transition_is_learned_from_as_ever(settings: dict[str, Any]) -> None:
    found = []
    for decay in (0.0, 0.7):
        torch.manual_seed(0)
        made = DQN(example_spec(), MLP, hidden=8, retrace=decay, **settings)
        made.configure_optimizers()
        data = windows(1)
        found.append(made.learner.gradient(made.learner.networks, made.learner.weights.parameters, data))
    for ours, theirs in zip(*found, strict=True):
        assert torch.equal(ours, theirs)


def windows(n: int, rows: int = 6, seed: int = 0) -> Transitions:
    generator = torch.Generator().manual_seed(seed)
    observations = [example_observation(example_spec(), rows, seed + k) for k in range(n + 1)]
    actions = [torch.multinomial(o["mask"].float(), 1, generator=generator)[:, 0] for o in observations[:n]]
    reward, discount, weight = (torch.rand(rows, k, generator=generator) for k in (n, n, 1))
    later = None
    if n > 1:
        inner = {name: torch.cat([o[name] for o in observations[1:n]]) for name in observations[0]}
        propensity = torch.rand(n - 1, rows, generator=generator)
        propensity[0, 0], propensity[1:, 1] = NAN, INF  # nobody knows, and behind the end
        later = LaterTensors(inner, torch.stack(actions[1:]), propensity)
    return Transitions(observations[0], actions[0], reward, discount, observations[n], weight[:, 0], later)


FORMS: list[dict[str, Any]] = [{"distribution": "none"}, {"distribution": "quantile"}, {"distribution": "c51"}]


@pytest.mark.parametrize("more", [{}, {"double": False}, {"munchausen": True, "munchausen_temperature": 0.5}])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["distribution"])
def test_the_mixtures_mean_is_retraces_recursion(form: dict[str, Any], more: dict[str, Any]) -> None:
    """G_k = r_k + discount_k (V_{k+1} + c_{k+1} (G_{k+1} - q(s_{k+1}, a_{k+1}))), from behind."""
    torch.manual_seed(0)
    made = DQN(example_spec(), MLP, hidden=8, atoms=5, ensemble=2, n_step=3, retrace=0.9, **form, **more)
    made.configure_optimizers()
    data = windows(3)
    assert data.later is not None
    observations = [{n: x[k * 6 : k * 6 + 6] for n, x in data.later.observation.items()} for k in range(2)]
    actions = [data.action, *data.later.action]
    with torch.no_grad():
        first, *inner = (valued(made, o, a) for o, a in zip([data.observation, *observations], actions, strict=True))
        last = valued(made, data.next_observation, actions[0])
        expected = data.reward[:, 2] + inner[1]["bonus"] + data.discount[:, 2] * last["value"]
        for k, at, before in ((1, inner[1], inner[0]), (0, inner[0], first)):
            trace = losses.traces(at["policy"], data.later.propensity[k], 0.9)
            corrected = at["value"] + trace * (expected - at["q"])
            expected = data.reward[:, k] + before["bonus"] + data.discount[:, k] * corrected
        r_t, discount_t, z_t, share = made.objective.retraced(made.learner.networks, data, data.reward)
        mixed = (share * (r_t + discount_t * made.distribution.expectation(z_t))).sum(dim=0)
    torch.testing.assert_close(mixed, expected)
    torch.testing.assert_close(share.sum(dim=0), torch.ones(2, 6))
    assert made.objective.munchausen or (share >= 0).all()  # of a greedy policy no less than probabilities


def valued(made: DQN, observation: TensorObservation, action: Tensor) -> dict[str, Tensor]:
    """What the policy expects there, and of ``action`` its probability, its value and its bonus, (E, N) each."""
    objective: Objective = made.objective
    given = objective.transform(observation)
    q, chooser = (
        made.distribution.expectation(network(given)).masked_fill(~given["mask"], -INF)
        for network in (made.target, made.online if objective.is_double else made.target)
    )
    finite = q.nan_to_num(neginf=0.0)

    def taken(of_actions: Tensor) -> Tensor:
        return of_actions.gather(-1, action.expand(2, -1).unsqueeze(-1)).squeeze(-1)

    if objective.munchausen is None:
        policy = one_hot(chooser.argmax(dim=-1), q.shape[-1]).float()
        return {"value": (policy * finite).sum(-1), "policy": taken(policy), "q": taken(q), "bonus": torch.zeros(())}
    temperature, alpha, clip = objective.munchausen
    log_policy = (q / temperature).log_softmax(dim=-1)
    entropy = torch.special.entr(log_policy.exp()).sum(dim=-1)
    value = (log_policy.exp() * finite).sum(dim=-1) + temperature * entropy
    bonus = alpha * (temperature * taken(log_policy)).clamp(clip, 0)
    return {"value": value, "policy": taken(log_policy).exp(), "q": taken(q), "bonus": bonus}


@pytest.mark.parametrize("settings", [*FORMS, {"estimate_rewards": False}, {"munchausen": True}, {"noisy": True}])
def test_windows_that_end_with_their_first_transition_are_learned_from_as_ever(settings: dict[str, Any]) -> None:
    found = []
    for decay in (0.0, 1.0):
        torch.manual_seed(0)
        made = DQN(example_spec(), MLP, hidden=8, atoms=5, n_step=3, retrace=decay, gradient_clip=None, **settings)
        made.configure_optimizers()
        data = windows(3)
        assert data.later is not None
        data.reward[:, 1:], data.discount[:, 1:] = 0, 1
        last = {name: torch.cat([array] * 2) for name, array in data.next_observation.items()}
        later = LaterTensors(last, torch.zeros_like(data.later.action), torch.full((2, 6), INF))
        data = made.learner.with_noise(data._replace(later=later))
        found.append(made.learner.gradient(made.learner.networks, made.learner.weights.parameters, data))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def played(**settings: Any) -> tuple[DQN, PlayedExperience]:
    env = {"plugin": "sim", "days": 1, "streamers": 60}
    stage = Stage(plugins.build("env", env, 8), WatchTime(), CapConfig())
    torch.manual_seed(0)
    small = {"batch_size": 16, "warmup_steps": 64, "steps_per_update": 8, "hidden": 8, "atoms": 5}
    agent = DQN(stage.spec, MLP, **small | {"n_step": 3, "retrace": 0.9} | settings)
    replay = Prioritised(stage.spec, 8, agent.n_step, capacity=500)
    experience = PlayedExperience(stage, EpsilonGreedy(start=0.5), replay, seed=0, floor=0)
    experience.begin(0)
    agent.learn_from(experience)
    agent.configure_optimizers()
    agent.training_step(128, 0)
    return agent, experience


def test_learning_that_is_saved_goes_on_bit_for_bit() -> None:
    agent, experience = played()
    assert agent.updates == 8
    state = copy.deepcopy((agent.learner_state(), experience.state_dict()))
    agent.training_step(256, 1)
    other, again = played()
    other.load_learner_state(state[0])
    again.load_state_dict(state[1])
    other.training_step(256, 1)
    assert agent.updates == other.updates == 24
    for name, value in agent.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


@pytest.mark.usefixtures("no_pictures")
def test_a_pole_is_balanced_longer_than_by_chance(tmp_path) -> None:
    run = livedqn.train(
        {"plugin": "gym", "id": "CartPole-v1"}, folder=tmp_path / "run", steps=8_000, num_envs=8,
        encoder={"plugin": "mlp", "hidden": [64, 64]}, exploration={"plugin": "epsilon_greedy", "steps": 4_000},
        agent={"plugin": "dqn", "discount": 0.99, "learning_rate": 2e-3, "learning_rate_end": 2e-3, "batch_size": 64,
               "n_step": 3, "retrace": 1.0, "sync_every": 25, "steps_per_update": 4, "warmup_steps": 500,
               "standardise": False},
        evaluation={"worlds": 4, "episodes": 5, "validation_worlds": 1, "validation_episodes": 5, "points": 4},
    )  # fmt: skip
    assert run.evaluation is not None
    assert run.evaluation.intervals["policy"]["return"].mean > 100  # by chance a pole stands for 22 steps
