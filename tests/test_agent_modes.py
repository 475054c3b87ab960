"""An agent that plays: warm-up, what is fitted at its end, and which forward passes are in training mode."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from livedqn import plugins
from livedqn.agent import DQN
from livedqn.config import CapConfig
from livedqn.experience import PlayedExperience
from livedqn.exploration import EpsilonGreedy
from livedqn.fitting import LEAN
from livedqn.lightning import pl
from livedqn.replay.prioritised import Prioritised
from livedqn.replay.uniform import Uniform
from livedqn.rewards import Weighted
from livedqn.stage import Stage
from livedqn.types import FloatArray, IntArray, LivedqnError, Spec, TensorObservation
from livedqn.watchdog import DivergenceError, are_numbers

CARTPOLE = {"plugin": "gym", "id": "CartPole-v1"}
SIM = {"plugin": "sim", "days": 1, "streamers": 60}


class Moody(nn.Module):
    """BatchNorm and Dropout: both do something else in training mode."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.width = spec.context_shape[0]
        self.norm = nn.BatchNorm1d(self.width)
        self.dropout = nn.Dropout(0.5)

    def forward(self, observation: TensorObservation) -> Tensor:
        return self.dropout(self.norm(observation["context"]))


class Watched(Prioritised):
    """Remembers what it was told."""

    def update_priorities(self, slots: IntArray, td_error: FloatArray) -> None:
        self.told = (slots, td_error)
        super().update_priorities(slots, td_error)


class Deaf(Uniform):
    """Is not to be told anything."""

    def update_priorities(self, slots: IntArray, td_error: FloatArray) -> None:
        raise AssertionError


def learner(
    env: dict[str, Any], rows: int, replay: type[Uniform | Prioritised] = Uniform, **settings: Any
) -> tuple[DQN, PlayedExperience]:
    """An agent and its experience, in which every step is rewarded by 4."""
    reward = Weighted({"elapsed_s" if env is SIM else "native": 4.0})
    stage = Stage(plugins.build("env", env, rows), reward, CapConfig())
    torch.manual_seed(0)
    made = DQN(stage.spec, Moody, **{"batch_size": 8, "discount": 0.5, "warmup_steps": 8, **settings})
    stored = replay(stage.spec, rows, made.n_step, capacity=1_000)
    experience = PlayedExperience(stage, EpsilonGreedy(), stored, seed=0, floor=0.0)
    experience.begin(0)
    made.learn_from(experience)
    made.configure_optimizers()
    return made, experience


def statistics(made: DQN) -> dict[str, int]:
    """Batches that moved BatchNorm's statistics, by network."""
    networks = {"online": made.online, "target": made.target, "myopic": made.myopic}
    return {name: int(network.encoder.norm.num_batches_tracked) for name, network in networks.items() if network}


def test_an_update_moves_the_statistics_of_the_networks_that_learn_once_and_nothing_else_moves_any() -> None:
    made, experience = learner(SIM, rows=4, warmup_steps=8, steps_per_update=4)
    made.training_step(8, 0)
    assert statistics(made) == {"online": 0, "target": 0, "myopic": 0}
    made.training_step(20, 1)  # acts three times, and three updates
    assert statistics(made) == {"online": 3, "target": 0, "myopic": 3}
    observation = experience.sample(8).observation
    # acting: the same answer twice, so nothing was dropped
    assert np.array_equal(made.q_values(observation), made.q_values(observation))
    assert np.array_equal(made.myopic_values(observation), made.myopic_values(observation))
    assert statistics(made) == {"online": 3, "target": 0, "myopic": 3}


def test_statistics_are_of_the_batch_that_was_learned_from() -> None:
    made, experience = learner(CARTPOLE, rows=4, standardise=False)
    made.training_step(8, 0)
    batch = experience.sample(8)
    made.update(batch)
    # BatchNorm starts at mean 0 and takes a tenth of each batch's
    mean = 0.1 * batch.observation["context"].mean(axis=0)
    assert made.online.encoder.norm.running_mean.tolist() == pytest.approx(mean.tolist(), rel=1e-4)


def test_a_prioritised_replay_is_told_the_errors_of_what_was_sampled_and_a_uniform_one_nothing() -> None:
    made, experience = learner(CARTPOLE, rows=4, replay=Watched, standardise=False, steps_per_update=4)
    made.training_step(8, 0)
    batch = experience.sample(8)
    experience.sample = lambda size: batch
    twin = copy.deepcopy(made.online), copy.deepcopy(made.target)
    torch.manual_seed(1)  # of what drops out
    made.training_step(12, 1)
    told = experience.replay.told
    made.online, made.target = twin
    made.configure_optimizers()
    torch.manual_seed(1)
    assert np.array_equal(told[0], batch.slots)
    assert told[1].tolist() == pytest.approx(made.update(batch).tolist())
    made, _ = learner(CARTPOLE, rows=4, replay=Deaf, standardise=False, steps_per_update=4)
    made.training_step(12, 0)
    assert made.updates == 1


def test_an_error_that_is_no_number_becomes_no_priority() -> None:
    made, experience = learner(CARTPOLE, rows=4, replay=Watched, standardise=False, steps_per_update=4)
    made.training_step(8, 0)
    nn.init.constant_(made.target.encoder.norm.bias, float("nan"))  # acting does not see it
    with pytest.raises(DivergenceError, match="the loss is not finite"):
        made.training_step(12, 1)
    assert not hasattr(experience.replay, "told")


def test_training_mode_stops_short_of_the_target_network() -> None:
    made, _ = learner(SIM, rows=4)
    made.train()
    assert made.online.encoder.norm.training and made.myopic.encoder.norm.training
    assert not any(module.training for module in made.target.modules())
    made.eval()
    assert not any(module.training for network in (made.online, made.myopic) for module in network.modules())


@pytest.mark.filterwarnings("ignore")  # Lightning tells of loaders that it would build otherwise
def test_a_run_acts_in_eval_mode_whatever_mode_the_agent_came_in() -> None:
    made, experience = learner(CARTPOLE, rows=4, warmup_steps=4, steps_per_update=1_000)
    made.train()
    pl.Trainer(**LEAN, accelerator="cpu").fit(made, [40])
    assert experience.steps == 40
    assert statistics(made) == {"online": 0, "target": 0}


@pytest.mark.parametrize(("tau", "weight"), [(1.0, 2.0), (0.25, 1.25)])  # 1 + (2 - 1) / 4
def test_a_sync_moves_parameters_by_tau_and_copies_buffers_whole(tau: float, weight: float) -> None:
    made, _ = learner(CARTPOLE, rows=4, sync_tau=tau)
    online, target = made.online.encoder.norm, made.target.encoder.norm
    nn.init.constant_(online.weight, 2.0)
    online.running_mean.fill_(8.0)
    online.num_batches_tracked.fill_(5)
    made.learner.sync()
    assert target.weight.tolist() == [weight] * 4
    assert target.running_mean.tolist() == [8] * 4
    assert int(target.num_batches_tracked) == 5


def fitted(made: DQN) -> dict[str, Tensor]:
    """Copies of what the warm-up fixes."""
    names = ("transform.", "reward_scale", "is_fitted")
    return {name: value.clone() for name, value in made.state_dict().items() if name.startswith(names)}


def test_the_end_of_the_warm_up_fixes_transforms_and_scale_once() -> None:
    made, experience = learner(CARTPOLE, rows=4, warmup_steps=200)
    made.training_step(196, 0)
    assert not made.is_fitted
    made.training_step(200, 1)
    assert made.is_fitted
    assert made.reward_scale.item() == 0.25  # every reward was 4
    context = made.transform({n: torch.from_numpy(x) for n, x in experience.sample(2_000).observation.items()})[
        "context"
    ]
    assert context.mean(dim=0).tolist() == pytest.approx([0] * 4, abs=0.2)
    assert context.std(dim=0).tolist() == pytest.approx([1] * 4, abs=0.2)

    before = fitted(made)
    made.training_step(400, 2)
    made.fit_transforms(experience)
    for name, value in fitted(made).items():
        assert torch.equal(value, before[name]), name


def test_without_standardise_the_warm_up_fixes_the_scale_alone() -> None:
    made, _ = learner(CARTPOLE, rows=4, standardise=False)
    before = fitted(made)
    made.training_step(8, 0)
    assert made.reward_scale.item() == 0.25
    assert all(torch.equal(v, before[n]) for n, v in fitted(made).items() if n.startswith("transform."))


def test_rewards_may_be_learned_as_they_are() -> None:
    made, _ = learner(CARTPOLE, rows=4, scale_rewards=False)
    made.training_step(8, 0)
    assert made.is_fitted
    assert made.reward_scale.item() == 1


def test_the_watchdog_expects_scaled_returns() -> None:
    made, experience = learner(CARTPOLE, rows=1, warmup_steps=2, steps_per_update=1)
    made.training_step(3, 0)
    assert made.updates == 1
    assert experience.progress.return_quantile() == 7  # 4 + 0.5 * 4 + 0.25 * 4, of one episode under way
    assert made.watchdog.bound == pytest.approx(17.5)  # 10 * 7 * 0.25


def test_a_warm_up_shorter_than_a_window_lasts_until_there_is_one() -> None:
    made, experience = learner(CARTPOLE, rows=1, warmup_steps=1, n_step=3, steps_per_update=1)
    made.training_step(2, 0)
    assert len(experience.replay) == 0 and not made.is_fitted
    made.training_step(3, 1)  # the first window is complete
    assert made.is_fitted and made.updates == 0
    made.training_step(6, 2)
    assert made.updates == 6 - 1


def test_getting_ready_anew_goes_on_counting_updates() -> None:
    made, _ = learner(CARTPOLE, rows=1, warmup_steps=2, steps_per_update=1)
    assert made.updates == 0
    made.training_step(5, 0)
    assert made.updates == 3
    made.configure_optimizers()
    assert made.updates == 3 and made.learner.state.adam_steps == 0
    made.training_step(6, 1)
    assert made.updates == 4 and made.learner.state.adam_steps == 1


def test_values_that_are_no_numbers_end_the_run() -> None:
    made, _ = learner(CARTPOLE, rows=1, warmup_steps=2, steps_per_update=1_000)
    made.training_step(2, 0)
    nn.init.constant_(next(made.online.parameters()), float("nan"))
    with pytest.raises(DivergenceError, match="before the first update: its values are not numbers"):
        made.training_step(3, 1)
    seen = {"context": np.full((1, 4), np.nan, np.float32), "mask": np.ones((1, 2), np.bool_)}
    with pytest.raises(LivedqnError, match="of context"):  # not the agent's fault
        made.acting_values(seen)
    assert are_numbers(np.array([[[-np.inf, 1.0]]], np.float32))
    assert not are_numbers(np.array([[[-np.inf, np.inf]]], np.float32))
