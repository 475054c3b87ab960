"""The update of DQN against a pencil: one weight per action, one state feature that is 1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from doubles import Identity
from torch import Tensor, nn

from livedqn.agent import DQN
from livedqn.lightning import pl
from livedqn.losses import n_step_return
from livedqn.protocols import Batch
from livedqn.types import Column, LivedqnError, Spec
from livedqn.watchdog import PATIENCE, RUNAWAY, DivergenceError, Watchdog, runaway

SPEC = Spec(context=(Column("one"),), context_shape=(1,), num_actions=2)
ROOMS = Spec(
    context=(Column("one"),), context_shape=(1,), num_actions=2, history=(Column("real"),), history_length=1,
    candidates=(Column("heat"),),
)  # fmt: skip


def agent(**settings: Any) -> DQN:
    """Values are the bias of each action: online [1, 2], target [10, 20]."""
    made = DQN(
        SPEC, Identity, **{"distribution": "none", "dueling": False, "discount": 0.5, "myopic": False, **settings}
    )
    for network, values in ((made.online, [1.0, 2.0]), (made.target, [10.0, 20.0])):
        head = network.heads[0].advantage
        nn.init.zeros_(head.weight)
        head.bias.data = torch.tensor(values)
    made.configure_optimizers()
    return made


def batch(action: list[int], reward: list[list[float]], discount: list[list[float]], weight: list[float]) -> Batch:
    seen = {"context": np.zeros((len(action), 1), np.float32), "mask": np.ones((len(action), 2), np.bool_)}
    return Batch(
        seen, np.array(action), np.full(len(action), 0.5, np.float32), np.array(reward, np.float32),
        np.array(discount, np.float32), seen, np.array(weight, np.float32), np.arange(len(action)),
    )  # fmt: skip


def targets(made: DQN, of: Batch) -> list[float]:
    """What the values of the actions taken should be, from how far they are."""
    made.configure_optimizers()
    tensors = made.transitions(of)
    q_tm1 = made.online(tensors.observation)[0, :, :, 0].gather(1, tensors.action[:, None])[:, 0]
    r_t, discount_t = n_step_return(tensors.reward, tensors.discount)
    z_t = made.objective.following(made.learner.networks, tensors.next_observation)
    return (q_tm1 + made.objective.distribution.compare(q_tm1[None, :, None], r_t, discount_t, z_t)[1])[0].tolist()


def gradients(made: DQN, of: Batch) -> dict[str, Tensor]:
    """The gradient that the batch gives, by the parameter's name."""
    learner = made.learner
    vector = learner.gradient(learner.networks, learner.weights.parameters, made.transitions(of)).vector
    names = {id(parameter): name for name, parameter in made.named_parameters()}
    return {names[id(p)]: g for p, g in zip(learner.weights.parameters, learner.weights.views(vector), strict=True)}


def test_terminated_has_no_future_and_truncated_has_one() -> None:
    # terminated: discount 0, target 3. Truncated: 3 + 0.5 * target(argmax online = 1) = 3 + 0.5 * 20
    assert targets(agent(), batch([0, 0], [[3], [3]], [[0], [0.5]], [1, 1])) == [3, 13]


def test_an_n_step_window_discounts_through_its_end() -> None:
    # 1 + 0.5 * 2 + 0.25 * 20; and a window cut after one step by truncation: 1 + 0.5 * 20
    assert targets(agent(n_step=2), batch([0, 0], [[1, 2], [1, 0]], [[0.5, 0.5], [0.5, 1]], [1, 1])) == [7, 11]


def test_double_asks_the_online_network_and_single_the_target() -> None:
    one = batch([0], [[0]], [[0.5]], [1])
    for double, target in ((True, 5), (False, 10)):  # online prefers action 0, which the target network values 10
        made = agent(double=double)
        made.online.heads[0].advantage.bias.data = torch.tensor([5.0, 2.0])
        assert targets(made, one) == [target]


def test_munchausen_is_worked_by_hand() -> None:
    tau = 10 / np.log(3)  # the target network values actions 10 and 20: odds of 1 to 3
    made = agent(munchausen=True, munchausen_temperature=tau, munchausen_alpha=0.5, munchausen_clip=-5.0)
    # what follows: (10 + 3 * 20) / 4 and tau times the entropy, -(log(1/4) + 3 log(3/4)) / 4
    soft = 17.5 - tau * (np.log(0.25) + 3 * np.log(0.75)) / 4
    # tau log(3/4) = -2.62 is within the clip, tau log(1/4) = -12.6 is cut to -5; the actions are worth 1 and 2
    errors = made.update(batch([0, 1, 1], [[3], [3], [3]], [[0.5], [0.5], [0]], [1, 1, 1])).tolist()
    likely = 0.5 * tau * np.log(0.75)
    assert errors == pytest.approx(
        [3 - 2.5 + 0.5 * soft - 1, 3 + likely + 0.5 * soft - 2, abs(3 + likely - 2)], rel=1e-5
    )


def test_conservative_updates_pull_down_what_was_not_done() -> None:
    assert agent().cql_alpha == 0
    made = agent(cql_alpha=0.5, gradient_clip=None)
    made.online.heads[0].advantage.bias.data = torch.tensor([0.0, float(np.log(3))])
    # no error, as the target is what action 0 is worth; the soft policy is 1/4 and 3/4
    gradient = gradients(made, batch([0], [[0]], [[0]], [1.0]))["online.heads.0.advantage.bias"]
    assert gradient.tolist() == pytest.approx([0.5 * (0.25 - 1), 0.5 * 0.75])
    weighed = gradients(made, batch([0], [[0]], [[0]], [0.1]))["online.heads.0.advantage.bias"]
    assert weighed.tolist() == pytest.approx([0.05 * (0.25 - 1), 0.05 * 0.75])


def constrained(double: bool) -> DQN:
    """One that has seen action 0 three times as often as action 1, and asks for half as often."""
    made = agent(bcq_threshold=0.5, double=double)
    assert made.behaviour is not None
    head = made.behaviour.heads[0].advantage
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([float(np.log(3)), 0.0])
    made.configure_optimizers()
    return made


@pytest.mark.parametrize("double", [True, False])
def test_what_was_hardly_ever_done_is_neither_looked_ahead_to_nor_chosen(double: bool) -> None:
    made = constrained(double)
    one = batch([0], [[3]], [[0.5]], [1])
    tensors = made.transitions(one)
    following = made.objective.following(made.learner.networks, tensors.next_observation)
    assert following.tolist() == [[[10]]]  # though action 1 is worth 20
    assert made.q_values(one.observation).tolist() == [[[1, -np.inf]]]
    assert made.act(one.observation).tolist() == [0]
    # its own loss: -log(3/4), whose gradient is 3/4 - 1 and 1/4
    assert gradients(made, one)["behaviour.heads.0.advantage.bias"].tolist() == pytest.approx([-0.25, 0.25])


def test_who_imitates_learns_no_value_of_the_state_apart() -> None:
    made = rooms_agent(bcq_threshold=0.9, dueling=True)
    assert made.behaviour is not None
    for last in (made.behaviour.heads[0].nothing[-1], made.behaviour.heads[0].room[-1]):
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    found = gradients(made, rooms_batch([0], [[0]], [[0]], [1]))
    # as often one as the other: 1/2 - 1 and 1/2. Of a value in both, which tells a softmax nothing, it would be 0 but
    # for rounding, of which Adam makes steps as long as any
    assert found["behaviour.heads.0.nothing.3.bias"].tolist() == [-0.5]
    assert found["behaviour.heads.0.room.2.bias"].tolist() == [0.5]


def test_nothing_is_always_allowed() -> None:
    made = rooms_agent(bcq_threshold=0.9)
    assert made.behaviour is not None
    nn.init.constant_(made.behaviour.heads[0].nothing[-1].bias, -9.0)
    assert np.isfinite(made.q_values(rooms_batch([0], [[0]], [[0]], [1]).observation)).all()
    nn.init.constant_(made.behaviour.heads[0].nothing[-1].bias, 9.0)
    assert made.q_values(rooms_batch([0], [[0]], [[0]], [1]).observation)[0, 0, 1] == -np.inf


def test_errors_and_weights_reach_the_gradient() -> None:
    made = agent(gradient_clip=None)
    data = batch([0, 1], [[3], [3]], [[0], [0]], [1.0, 0.25])
    # d loss / d bias = -weight * error / 2
    assert gradients(made, data)["online.heads.0.advantage.bias"].tolist() == [-1.0, -0.125]
    assert made.update(data).tolist() == [2, 1]  # 3 - 1 and 3 - 2


def test_without_a_delta_errors_are_squared_and_with_one_their_pull_ends_there() -> None:
    data = batch([0], [[101]], [[0]], [1.0])  # an error of 100
    for delta, pull in ((None, -100.0), (10.0, -10.0)):
        made = agent(gradient_clip=None, huber_delta=delta)
        assert gradients(made, data)["online.heads.0.advantage.bias"].tolist() == [pull, 0.0]


def test_the_first_step_of_adam_is_the_learning_rate_against_the_gradients_sign() -> None:
    made = agent(learning_rate=0.5, learning_rate_end=0.5)
    made.update(batch([0], [[3]], [[0]], [1.0]))
    # m / sqrt(v) is 1 after one step, but for epsilon; action 1 has no gradient
    assert made.online.heads[0].advantage.bias.tolist() == pytest.approx([1.5, 2.0])


def rooms_agent(spec: Spec = ROOMS, **settings: Any) -> DQN:
    """*Nothing* is worth 1 and a room 1.75, to both networks."""
    made = DQN(spec, Identity, **{"distribution": "none", "dueling": False, "estimate_rewards": False, **settings})
    for network in (made.online, made.myopic):
        for parameter in network.parameters():
            nn.init.zeros_(parameter)
        nn.init.constant_(network.heads[0].nothing[-1].bias, 1.0)
        nn.init.constant_(network.heads[0].room[-1].bias, 1.75)
    made.configure_optimizers()
    return made


def rooms_batch(*of: Any) -> Batch:
    """As :func:`batch`, with a room beside *nothing*."""
    rows = len(of[0])
    seen = {
        "context": np.ones((rows, 1), np.float32), "history": np.zeros((rows, 1, 1), np.float32),
        "candidates": np.tile(np.float32([[0], [1]]), (rows, 1, 1)), "mask": np.ones((rows, 2), np.bool_),
    }  # fmt: skip
    return batch(*of)._replace(observation=seen, next_observation=seen)


def test_what_the_twin_expects_takes_the_place_of_the_first_reward() -> None:
    data = rooms_batch([1, 0], [[3, 4], [3, 4]], [[0.5, 0], [0.5, 0]], [1, 1])
    # 3 + 0.5 * 4 is 5, of a room that was worth 1.75 and of nothing, which was worth 1
    assert rooms_agent(n_step=2, estimate_rewards=False).update(data).tolist() == [3.25, 4]
    # 1.75 + 0.5 * 4 and 1 + 0.5 * 4: only what follows is news
    assert rooms_agent(n_step=2, estimate_rewards=True).update(data).tolist() == [2, 2]


def test_the_myopic_twin_learns_the_first_reward_alone() -> None:
    torch.manual_seed(0)
    made = DQN(ROOMS, Identity, learning_rate=0.05, learning_rate_end=0.05, n_step=2)
    made.configure_optimizers()
    data = rooms_batch([0, 1] * 4, [[0, 100], [1, 100]] * 4, [[1, 1]] * 8, [1] * 8)
    for _ in range(150):
        made.update(data)
    assert made.myopic_values(data.observation)[0] == pytest.approx([0, 1], abs=0.05)


def test_both_networks_learn_scaled_rewards_by_a_weighted_huber_loss() -> None:
    made = rooms_agent(huber_delta=0.5, gradient_clip=1e9)
    made.reward_scale.fill_(0.5)
    # both terminate, so both networks owe the scaled rewards 3 and 2, and lack 3 - 1 and 2 - 1.75
    data = rooms_batch([0, 1], [[6], [4]], [[0], [0]], [0.5, 2.0])
    gradient = gradients(made, data)
    for network in ("online", "myopic"):
        # d loss / d bias = -weight * min(error, delta) / 2: 0.5 * 0.5 / 2 and 2 * 0.25 / 2
        assert gradient[f"{network}.heads.0.nothing.3.bias"].item() == -0.125
        assert gradient[f"{network}.heads.0.room.2.bias"].item() == -0.25
    assert made.update(data).tolist() == [2, 0.25]


def test_the_gradient_of_each_network_is_clipped_by_itself() -> None:
    made = rooms_agent(huber_delta=1e3, gradient_clip=0.25)
    # the bias of *nothing* is pulled by 100 + 50 - 1 online and by 100 - 1 in the myopic twin
    gradient = gradients(made, rooms_batch([0, 0], [[100, 50]] * 2, [[1, 0]] * 2, [1, 1]))
    for network in ("online", "myopic"):
        own = torch.cat([part.flatten() for name, part in gradient.items() if name.startswith(network)])
        assert own.norm().item() == pytest.approx(0.25, rel=1e-4)


def test_the_learning_rate_falls_linearly_and_then_stays() -> None:
    made = agent(learning_rate=0.1, learning_rate_end=0.02, learning_rate_updates=4, huber_delta=0.01)
    values = [1.0]
    for _ in range(6):  # the error is cut to the same gradient every time, of which Adam makes steps of the rate
        made.update(batch([0], [[-100]], [[0]], [1]))
        values.append(made.online.heads[0].advantage.bias[0].item())
    # a quarter of 0.1 - 0.02 at a time
    assert -np.diff(values) == pytest.approx([0.1, 0.08, 0.06, 0.04, 0.02, 0.02], abs=1e-5)


@pytest.mark.parametrize(("delta", "expected", "tolerance"), [(10.0, 1.0, 0.2), (0.01, 0.0, 0.2)])
def test_a_wide_huber_learns_the_mean_of_a_heavy_tail_and_a_narrow_one_its_median(delta, expected, tolerance) -> None:
    """Two arms: one always pays 0.5, the other 9 in one of ten cases (mean 0.9) and otherwise 0.1 (median)."""
    made = agent(huber_delta=delta, learning_rate=0.05)
    rare = [[9.0 if i == 0 else 0.1] for i in range(10)]
    data = batch([0] * 10 + [1] * 10, [[0.5]] * 10 + rare, [[0]] * 20, [1] * 20)
    for _ in range(500):
        made.update(data)
    steady, heavy = made.q_values({name: array[:1] for name, array in data.observation.items()})[0, 0]
    assert heavy == pytest.approx(expected, abs=tolerance)
    assert (heavy > steady) == (delta == 10.0)


def test_hard_sync_copies_and_soft_sync_averages() -> None:
    hard, soft = agent(sync_every=1), agent(sync_every=1, sync_tau=0.25)
    hard.learner.sync()
    soft.learner.sync()
    assert hard.target.heads[0].advantage.bias.tolist() == [1, 2]
    assert soft.target.heads[0].advantage.bias.tolist() == [7.75, 15.5]  # 10 + (1 - 10) / 4, 20 + (2 - 20) / 4


def test_syncs_come_every_so_many_updates() -> None:
    made = agent(sync_every=2)
    one = batch([0], [[0]], [[0]], [1])
    made.update(one)
    assert made.target.heads[0].advantage.bias.tolist() == [10, 20]
    made.update(one)
    assert torch.equal(made.target.heads[0].advantage.bias, made.online.heads[0].advantage.bias)


def test_discount_counts_requests_or_seconds() -> None:
    elapsed_s = np.array([30.0, 60.0, 120.0], np.float32)
    assert agent(discount=0.25).discount_of(elapsed_s).tolist() == [0.25, 0.25, 0.25]
    assert agent(discount=0.25, discount_time_unit_s=60.0).discount_of(elapsed_s).tolist() == [0.5, 0.25, 0.0625]


def test_values_are_told_in_the_rewards_own_unit() -> None:
    made = agent()
    made.reward_scale.fill_(0.1)
    seen = {"context": np.zeros((1, 1), np.float32), "mask": np.array([[True, True]])}
    assert made.q_values(seen).tolist() == [[pytest.approx([10, 20])]]
    assert made.act(seen).tolist() == [1]


def test_trainer_flags_without_effect_are_refused() -> None:
    made = agent()
    made.trainer = pl.Trainer(max_steps=5, logger=False, enable_checkpointing=False)
    with pytest.raises(LivedqnError, match=r"Trainer\(max_steps=\.\.\.\) has no effect on DQN"):
        made.on_fit_start()
    made.trainer = pl.Trainer(precision="bf16-mixed", logger=False, enable_checkpointing=False)
    with pytest.raises(LivedqnError, match=r"Trainer\(precision='bf16-mixed'\) does not fit: DQN"):
        made.on_fit_start()


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": 0},
        {"batch_size": -1},
        {"discount": 1.5},
        {"sync_tau": 0.0},
        {"munchausen_clip": 1.0},
        {"munchausen_alpha": 2.0},
        {"munchausen_temperature": 0},
        {"noisy_sigma": 0.0},
        {"retrace": 1.5},
        {"cql_alpha": -1.0},
        {"bcq_threshold": 1.0},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(LivedqnError, match=f"agent.{next(iter(wrong))}"):
        agent(**wrong)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"distribution": "iqn"}, "agent.distribution=iqn: choose one of none, quantile, c51"),
        ({"distribution": "c51", "atoms": 1}, "agent.atoms=1: a distribution takes 2 or more"),
        ({"distribution": "c51", "support": (3.0, 1.0)}, "agent.support=.3.0,1.0.: name the least return first"),
    ],
)
def test_distributions_that_cannot_be_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(LivedqnError, match=why):
        agent(**wrong)


@pytest.mark.parametrize("distribution", ["quantile", "c51"])
@pytest.mark.parametrize("of", [SPEC, ROOMS])
def test_distributions_learn_the_mean_reward_of_each_action_and_the_twin_the_same(distribution: str, of: Spec) -> None:
    torch.manual_seed(0)
    made = DQN(of, Identity, distribution=distribution, atoms=21, support=(-1.0, 4.0), resolution=None,
               learning_rate=0.02, learning_rate_end=0.02, estimate_rewards=False)  # fmt: skip
    made.configure_optimizers()
    data = (batch if of is SPEC else rooms_batch)([0, 1, 1] * 4, [[1], [2], [3]] * 4, [[0]] * 12, [1] * 12)
    for _ in range(300):
        errors = made.update(data)
    assert made.q_values(data.observation)[0, 0] == pytest.approx([1, 2.5], abs=0.1)
    assert errors.tolist() == pytest.approx([0, 0.5, 0.5] * 4, abs=0.1)
    if of is ROOMS:
        assert made.myopic_values(data.observation)[0] == pytest.approx([1, 2.5], abs=0.1)


def measures(loss: float, greatest: float, total: float = 1.0) -> Tensor:
    """Of one update: its loss, mean value, greatest |value|, and the loss of all networks."""
    return torch.tensor([loss, greatest / 2, greatest, total])


def test_the_watchdog_tells_means_of_what_it_has_read() -> None:
    watchdog = Watchdog()
    for loss in (1.0, 2.0):
        watchdog.watch(measures(loss, 8 * loss))
    assert watchdog.means() == {}
    watchdog.check(2)
    assert watchdog.means() == {"loss": 1.5, "q_scaled": 6.0}
    assert watchdog.means() == {}


def test_mean_values_far_above_what_sessions_of_logs_return_have_run_away() -> None:
    assert runaway(RUNAWAY * 1.5, 1.5) is runaway(-99, 1.5) is runaway(99, float("nan")) is runaway(0, 0) is None
    found = runaway(84.0, 1.5)
    assert found is not None
    assert found.startswith("values run away: their mean, 84, is 56 times what sessions of these logs return, 1.5: ")
    assert runaway(1e-3, 0) is None  # nobody has earned anything yet


def test_the_watchdog_barks_at_a_loss_that_is_not_finite() -> None:
    watchdog = Watchdog()
    watchdog.watch(measures(1, 0))
    watchdog.check(1)
    watchdog.watch(measures(1, 0, total=float("nan")))
    with pytest.raises(DivergenceError, match=r"by update 2: the loss is not finite; policy\.ckpt keeps"):
        watchdog.check(2)


def test_the_watchdog_barks_at_values_above_ten_times_the_returns_only_after_a_thousand_updates() -> None:
    watchdog = Watchdog()
    watchdog.expect(3.0)
    for _ in range(PATIENCE - 1):
        watchdog.watch(measures(1, 31))
    watchdog.check(PATIENCE - 1)
    watchdog.watch(measures(1, 29))  # a break
    watchdog.watch(measures(1, 31))
    watchdog.check(PATIENCE + 1)
    for _ in range(PATIENCE - 2):
        watchdog.watch(measures(1, 31))
    watchdog.check(2 * PATIENCE - 1)
    watchdog.watch(measures(1, 31))
    with pytest.raises(DivergenceError, match=r"\|Q\| stayed above 30"):
        watchdog.check(2 * PATIENCE)


MUST_SHOW = replace(ROOMS, has_nothing=False)


def closed(data: Batch) -> Batch:
    """``data`` of where a room always has to be shown."""
    seen = {**data.observation, "mask": np.tile([False, True], (len(data.action), 1))}
    return data._replace(observation=seen, next_observation=seen)


@pytest.mark.parametrize("double", [True, False])
def test_what_nothing_would_be_worth_is_not_looked_ahead_to_where_masks_close_it(double: bool) -> None:
    made = rooms_agent(MUST_SHOW, double=double)
    nn.init.constant_(made.online.heads[0].nothing[-1].bias, 100.0)
    nn.init.constant_(made.online.heads[0].room[-1].bias, 2.0)
    made.target.load_state_dict(made.online.state_dict())
    made.configure_optimizers()
    data = rooms_batch([1], [[3]], [[0.5]], [1])
    assert made.update(closed(data)).tolist() == [2]  # 3 + 0.5 * 2 - 2
    # who learned so does not choose it where others may
    assert made.q_values(data.observation).tolist() == [[[-np.inf, made.q_values(closed(data).observation)[0, 0, 1]]]]
    assert made.act(data.observation).tolist() == [1]


@pytest.mark.parametrize(
    "settings",
    [
        {"distribution": "none"}, {"distribution": "c51"}, {"distribution": "quantile"}, {"double": False},
        {"munchausen": True}, {"cql_alpha": 1.0}, {"bcq_threshold": 0.3}, {"n_step": 2},
        {"noisy": True},
    ],
)  # fmt: skip
def test_nothing_plays_no_part_in_what_is_learned_where_masks_close_it(settings: dict[str, Any]) -> None:
    found = []
    for worth in (0.0, 50.0):
        torch.manual_seed(0)
        made = DQN(MUST_SHOW, Identity, **settings)
        for network in filter(None, (made.online, made.target, made.myopic, made.behaviour)):
            with torch.no_grad():
                network.heads[0].nothing[-1].bias[-1] += worth
        made.configure_optimizers()
        windows = [[3.0] * made.n_step, [1.0] * made.n_step], [[0.5] * made.n_step, [0.0] * made.n_step]
        data = closed(rooms_batch([1, 1], *windows, [1, 1]))
        given = gradients(made, data)
        assert all(not gradient.any() for name, gradient in given.items() if ".nothing." in name)
        found.append([gradient for name, gradient in given.items() if ".nothing." not in name])
    for one, other in zip(*found, strict=True):
        assert torch.isfinite(one).all() and torch.allclose(one, other, atol=1e-6)


def test_a_request_without_a_room_is_one_line_where_one_has_to_be_shown() -> None:
    made, one = rooms_agent(MUST_SHOW), rooms_batch([1], [[3]], [[0.5]], [1]).observation
    empty = {**one, "mask": np.zeros((1, 2), np.bool_)}
    with pytest.raises(LivedqnError, match="the observation allows no action in row 0"):
        made.act(empty)
    alone = {**one, "mask": np.array([[True, False]])}  # elsewhere nothing may be all that is left
    assert made.act(alone).tolist() == [0]
    assert np.isfinite(made.q_values(alone)[0, 0, 0])
