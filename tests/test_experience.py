"""Experience: discounts, propensities, restarts, and environments that cannot be saved."""

from __future__ import annotations

import numpy as np
import pytest

from livedqn import plugins
from livedqn.config import CapConfig
from livedqn.experience import PlayedExperience
from livedqn.exploration import EpsilonGreedy
from livedqn.progress import Progress
from livedqn.protocols import Batch, Reward
from livedqn.replay.uniform import Uniform
from livedqn.rewards import Native
from livedqn.stage import Stage, Step
from livedqn.types import FloatArray, Observation, Signals


def experience(
    env: dict, rows: int = 3, floor: float = 0.0, epsilon: float = 0.5, n_step: int = 1, reward: Reward | None = None
) -> PlayedExperience:
    stage = Stage(plugins.build("env", env, rows), reward or Native(), CapConfig())
    replay = Uniform(stage.spec, rows, n_step, capacity=1_000)
    made = PlayedExperience(stage, EpsilonGreedy(start=epsilon, end=epsilon), replay, seed=0, floor=floor)
    made.begin(0)
    return made


CARTPOLE = {"plugin": "gym", "id": "CartPole-v1"}
SIM = {"plugin": "sim", "days": 1, "streamers": 60, "max_requests": 5}
PATIENT = {**SIM, "viewers": {"leave_bias": -99.0}}  # nobody leaves: sessions are cut after five requests


def gamma(elapsed_s: FloatArray) -> FloatArray:
    return np.full(elapsed_s.shape, 0.9, np.float32)


def test_terminated_stores_discount_zero_and_truncated_does_not() -> None:
    pole, rooms = experience(CARTPOLE), experience(PATIENT)
    for _ in range(60):
        pole.collect(None, gamma)
        rooms.collect(None, gamma)
    assert np.unique(pole.sample(2_000).discount).tolist() == pytest.approx([0.0, 0.9])
    assert np.unique(rooms.sample(2_000).discount).tolist() == pytest.approx([0.9])
    assert rooms.progress.means(rooms.stage.spec)["session_length"] == 5


class Numbered:
    """Rewards 1, 2, 3, ..., so that a window tells which transitions it holds."""

    signals = ("native",)

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, signals: Signals) -> FloatArray:
        self.count += 1
        return np.full_like(signals["native"], self.count)


def windows(made: PlayedExperience) -> dict[int, tuple[list[float], list[float]]]:
    """Rewards and discounts of every window that may be sampled, by its slot."""
    found: Batch = made.sample(300)
    return {
        slot: (reward, [round(d, 6) for d in discount])
        for slot, reward, discount in zip(
            found.slots.tolist(), found.reward.tolist(), found.discount.tolist(), strict=True
        )
    }


def first(observation: Observation) -> FloatArray:
    """Action 0 always."""
    return np.where(np.arange(observation["mask"].shape[1]) == 0, 1.0, 0.0)[None, None]


def test_windows_of_a_truncated_session_complete_at_its_end_and_bootstrap_from_its_last_observation() -> None:
    made = experience({**PATIENT, "max_requests": 4}, rows=1, epsilon=0.0, n_step=3, reward=Numbered())
    for _ in range(4):
        made.collect(first, gamma)
    ended = {
        0: ([1, 2, 3], [0.9, 0.9, 0.9]),
        1: ([2, 3, 4], [0.9, 0.9, 0.9]),
        2: ([3, 4, 0], [0.9, 0.9, 1]),
        3: ([4, 0, 0], [0.9, 1, 1]),
    }
    assert windows(made) == ended
    # slot 4 is the session's last observation, slots 5 to 7 the next session's first: only 5 is followed by three
    for _ in range(3):
        made.collect(first, gamma)
    assert windows(made) == {**ended, 5: ([5, 6, 7], [0.9, 0.9, 0.9])}
    assert len(made.replay) == 5

    alone = Stage(made.stage.env, Native(), CapConfig())  # the same session again, without a restart at its end
    seen = [alone.reset(0, "train"), *(alone.step(np.zeros(1, np.int64)).observation for _ in range(4))]
    sampled = made.sample(300)
    for slot, successor in ((0, 3), (1, 4), (2, 4), (3, 4)):
        row = sampled.slots.tolist().index(slot)
        for name, array in seen[successor].items():
            assert np.array_equal(sampled.next_observation[name][row], array[0])


def test_windows_of_a_terminated_episode_end_in_a_discount_of_zero() -> None:
    made = experience(CARTPOLE, rows=1, epsilon=0.0, n_step=3, reward=Numbered())
    while not made.progress.means(made.stage.spec):  # until the pole falls
        made.collect(first, gamma)
    n = made.steps
    last = {slot: window for slot, window in windows(made).items() if slot >= n - 4}
    assert last == {
        n - 4: ([n - 3, n - 2, n - 1], [0.9, 0.9, 0.9]),
        n - 3: ([n - 2, n - 1, n], [0.9, 0.9, 0]),
        n - 2: ([n - 1, n, 0], [0.9, 0, 1]),
        n - 1: ([n, 0, 0], [0, 1, 1]),
    }


def test_steps_count_transitions_of_all_rows() -> None:
    made = experience(CARTPOLE, rows=5)
    for _ in range(4):
        made.collect(None, gamma)
    assert made.steps == 20
    assert len(made.replay) == 20


def test_the_propensity_is_the_probability_of_what_was_done() -> None:
    made = experience(CARTPOLE, rows=200, floor=0.1, epsilon=0.0)

    def prefers_one(observation: dict) -> np.ndarray:
        return np.broadcast_to(np.array([0.0, 1.0], np.float32), (1, 200, 2))

    action, propensity = made._choose(prefers_one)
    # a floor of 0.1 over two actions: 0.95 for the preferred one and 0.05 for the other
    assert np.allclose(propensity, np.where(action == 1, 0.95, 0.05))
    assert 0 < (action == 0).sum() < 30


def test_the_rms_of_rewards_sets_the_scale() -> None:
    made = experience(CARTPOLE)
    assert made.reward_rms() == 1.0  # nothing seen yet
    made.collect(None, gamma)
    assert made.reward_rms() == pytest.approx(1.0)


def test_an_environment_without_state_starts_anew_at_a_save_from_a_seed_of_its_own() -> None:
    one, two = experience(CARTPOLE), experience(CARTPOLE)
    for made, steps in ((one, 3), (two, 7)):
        for _ in range(steps):
            made.collect(None, gamma)
        made.save_point()
    # the number of steps before plays no part, only run seed and save number
    assert np.array_equal(one.observation["context"], two.observation["context"])
    first = one.observation["context"].copy()
    one.save_point()
    assert not np.array_equal(one.observation["context"], first)


@pytest.mark.parametrize("env", [CARTPOLE, SIM])
def test_a_saved_experience_goes_on_as_if_nothing_had_happened(env: dict) -> None:
    one = experience(env)
    for _ in range(20):
        one.collect(None, gamma)
    one.save_point()
    state = one.state_dict()
    two = experience(env)
    two.load_state_dict(state)
    for _ in range(20):
        one.collect(None, gamma)
        two.collect(None, gamma)
    for name, array in one.observation.items():
        assert np.array_equal(array, two.observation[name])
    assert np.array_equal(one.sample(32).reward, two.sample(32).reward)
    assert one.progress.means(one.stage.spec) == two.progress.means(two.stage.spec)


def test_returns_discount_from_an_episodes_first_step() -> None:
    progress, none = Progress(1), np.zeros(1, bool)
    for reward in (1.0, 2.0, 4.0):
        step = Step({}, np.array([reward], np.float32), none, none, none, none, {}, np.ones(1, np.float32), {})
        progress.add(step, np.array([0.5], np.float32))
    progress.end(np.array([True]))
    assert progress.return_quantile() == pytest.approx(3.0, abs=0.01)  # 1 + 0.5 * 2 + 0.25 * 4


def ended(progress: Progress, rewards: list[float], left: float) -> None:
    """An episode of ``rewards`` whose last step's discount, after others of 0.5, is ``left``."""
    none = np.zeros(1, bool)
    for place, reward in enumerate(rewards):
        step = Step({}, np.array([reward], np.float32), none, none, none, none, {}, np.ones(1, np.float32), {})
        discount = left if place == len(rewards) - 1 else 0.5
        progress.add(step, np.array([discount], np.float32))
    progress.end(np.array([True]))


def test_what_is_cut_off_is_expected_to_go_on_as_sessions_begin() -> None:
    progress = Progress(1)
    assert np.isnan(progress.usual_return())
    ended(progress, [1.0, 2.0], 0.0)  # returns 1 + 0.5 * 2 = 2, and nothing follows
    assert progress.usual_return() == 2
    ended(progress, [-1.0], 0.5)  # of size 1, and half of what follows
    assert progress.usual_return() == 2  # m = (2 + 1) / 2 + (0 + 0.5) / 2 * m
    none = np.zeros(1, bool)
    step = Step({}, np.array([2.0], np.float32), none, none, none, none, {}, np.ones(1, np.float32), {})
    progress.add(step, np.array([0.25], np.float32))  # under way
    assert progress.usual_return() == pytest.approx((2 + 1 + 2) / (3 - 0.5 - 0.25))
    progress.forget(np.array([True]))
    again = Progress(1)
    again.load_state_dict(progress.state_dict())
    assert again.usual_return() == 2
    endless = Progress(1)
    ended(endless, [1.0], 1.0)
    assert endless.usual_return() == np.inf
