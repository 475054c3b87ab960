"""Sessions of logs, as a replay gets them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from livedqn import logged
from livedqn.logged import LoggedExperience
from livedqn.logs import Impressions
from livedqn.protocols import Reward
from livedqn.replay.uniform import Uniform
from livedqn.rewards import Native, WatchTime
from livedqn.testing import LOGS_SPEC, example_impressions
from livedqn.types import FloatArray, LivedqnError, Signals
from livedqn.watchdog import RUNAWAY


class InMemory:
    """Logs of a few parts."""

    def __init__(self, *parts: Impressions) -> None:
        self.spec, self.source, self.parts = LOGS_SPEC, dict[str, Any](), parts

    def __iter__(self) -> Iterator[Impressions]:
        yield from self.parts


class Request:
    """Rewards of 100 x session + place, where ``native`` says so, so that a window tells which impressions it holds."""

    signals = ("native", "shown", "watch_s")

    def __call__(self, signals: Signals) -> FloatArray:
        return np.asarray(signals["native"] + 0 * signals["shown"], np.float32)


def numbered(impressions: Impressions) -> Impressions:
    place = np.arange(len(impressions)) - np.flatnonzero(impressions.begins)[np.cumsum(impressions.begins) - 1]
    native = np.where(impressions.acted, 100 * impressions.session + place, np.nan)
    return replace(impressions, native=native.astype(np.float32))


def gamma(elapsed_s: FloatArray) -> FloatArray:
    return np.full(elapsed_s.shape, 0.5, np.float32)


def experience(
    *parts: Impressions, rows: int = 2, n_step: int = 1, reward: Reward | None = None, seed: int = 0
) -> LoggedExperience:
    made = LoggedExperience(
        InMemory(*parts), reward or Request(), Uniform(LOGS_SPEC, rows, n_step, capacity=1_000),
        num_envs=rows, seed=seed, holdout=0.0, before="", tolerated=0.0,
    )  # fmt: skip
    made.begin()
    return made


def windows(made: LoggedExperience) -> set[tuple[Any, ...]]:
    """Rewards and discounts of what may be sampled."""
    found = made.sample(4_000)
    return {(*r, *d) for r, d in zip(found.reward.tolist(), found.discount.tolist(), strict=True)}


def test_cut_sessions_are_bootstrapped_from_their_last_observation() -> None:
    whole = numbered(example_impressions([3, 1], first=1))
    made = experience(whole, rows=1)
    for _ in range(4):
        made.collect(None, gamma)
    assert made.steps == 4
    assert windows(made) == {(100, 0.5), (101, 0.5), (102, 0.5), (200, 0.5)}
    found = made.sample(500)
    for number, row in ((101, 1), (102, 2), (200, 4)):
        at = found.reward[:, 0].tolist().index(number)
        assert found.action[at] == whole.action[row]
        assert found.propensity[at] == whole.propensity[row]
        for name, array in whole.observation.items():
            np.testing.assert_array_equal(found.observation[name][at], array[row])
            np.testing.assert_array_equal(found.next_observation[name][at], array[row + 1])


def test_left_sessions_have_no_future_and_windows_end_with_them() -> None:
    made = experience(numbered(example_impressions([3], first=1, terminated=True)), rows=1, n_step=2)
    for _ in range(6):
        made.collect(None, gamma)
    assert windows(made) == {(100, 101, 0.5, 0.5), (101, 102, 0.5, 0), (102, 0, 0, 1)}


def test_without_a_last_observation_the_last_impression_is_no_transition_and_is_counted() -> None:
    whole = numbered(example_impressions([3, 1], first=1))
    made = experience(whole.take(whole.acted), rows=1)
    for _ in range(4):
        made.collect(None, gamma)
    assert windows(made) == {(100, 0.5), (101, 0.5)}  # session 2 is one impression, of which nobody knows what followed
    counts = "\n".join(made.lines())
    assert "without a next observation, so not bootstrapped from: 2 impressions" in counts


def order(made: LoggedExperience, steps: int) -> list[list[float]]:
    seen = []
    for _ in range(steps):
        rows = made._at
        seen.append(made._shard.arrays["reward"][rows].tolist())
        made.collect(None, gamma)
    return seen


def test_sessions_are_shuffled_by_the_seed_and_all_come_once_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged, "ROWS", 20)
    parts = [numbered(example_impressions([2, 3, 1, 2], first=10 * i + 1, seed=i)) for i in range(6)]
    total = 6 * 8
    one, same, other = (experience(*parts, rows=3, seed=seed) for seed in (0, 0, 1))
    seen = order(one, total // 3)
    assert seen == order(same, total // 3) != order(other, total // 3)
    flat = [number for row in seen for number in row]
    expected = sorted(
        100 * s + place
        for i in range(6)
        for s, n in zip(range(10 * i + 1, 99), (2, 3, 1, 2), strict=False)
        for place in range(n)
    )
    missing = set(expected) - set(flat)
    assert len(missing) <= 3 * 3  # of sessions that others had begun before
    assert flat != sorted(flat)
    assert one.measures()["epochs"] == 1  # all have begun, and one of the next pass has, too
    order(one, total)
    assert one.measures()["epochs"] >= 2


def test_a_pass_is_over_when_its_sessions_were_played_and_not_when_they_were_read() -> None:
    made = experience(numbered(example_impressions([2, 3])), rows=1)  # one shard
    for played, epochs in enumerate([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2]):
        assert made.measures()["epochs"] == epochs, played
        made.collect(None, gamma)


def test_passes_are_of_impressions_however_many_rows_begin_the_same_sessions() -> None:
    made = experience(numbered(example_impressions([2, 3])), rows=8)  # four times each session at once
    for epochs, passes in ((0, "0"), (1, "1.6"), (3, "3.2")):
        assert made.measures()["epochs"] == epochs
        assert f"passes: {passes}" in list(made.lines())
        made.collect(None, gamma)


def test_a_pass_is_over_in_time_where_its_last_shard_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged, "ROWS", 4)  # two parts of three impressions and a last observation: a shard each
    made = experience(*(numbered(example_impressions([3], first=1 + i)) for i in range(2)), rows=1)
    for played, epochs in enumerate([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2]):
        assert made.measures()["epochs"] == epochs, played
        made.collect(None, gamma)


def test_a_saved_experience_goes_on_as_if_nothing_had_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged, "ROWS", 20)
    parts = [numbered(example_impressions([2, 3, 1, 2], first=10 * i + 1, seed=i)) for i in range(6)]
    whole = experience(*parts, rows=3)
    order(whole, 17)
    whole.save_point()
    resumed = experience(*parts, rows=3)
    resumed.load_state_dict(whole.state_dict())
    assert whole.measures() == resumed.measures()
    assert order(whole, 40) == order(resumed, 40)
    for ours, theirs in zip(whole.sample(50)[1:5], resumed.sample(50)[1:5], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert whole.progress.means(LOGS_SPEC) == resumed.progress.means(LOGS_SPEC)
    assert whole.reward_rms() == resumed.reward_rms()


def test_rewards_are_of_the_stored_signals() -> None:
    made = experience(example_impressions([3], first=1), rows=1, reward=WatchTime())
    for _ in range(3):
        made.collect(None, gamma)
    assert sorted(window[0] for window in windows(made)) == pytest.approx([0, 2.5 / 60, 5 / 60])
    assert made.reward_rms() == pytest.approx(np.sqrt((2.5**2 + 5**2) / 3) / 60)


class Gifts:
    """Reads what these logs lack."""

    signals = ("gift_value",)

    def __call__(self, signals: Signals) -> FloatArray:
        return signals["gift_value"]


def test_a_reward_of_what_the_logs_do_not_have_is_one_line() -> None:
    with pytest.raises(
        LivedqnError, match="reward Gifts reads gift_value, which the log does not deliver; it delivers clicked"
    ):
        experience(example_impressions([3]), reward=Gifts())
    silent = replace(example_impressions([3]), native=np.array([0, 0, 0, np.nan], np.float32))
    with pytest.raises(LivedqnError, match="reads native, which is 0 in all of the logs; choose one that reads sig"):
        experience(silent, reward=Native())
    with pytest.raises(LivedqnError, match="the logs hold nothing to learn from: they have 0 rows; look"):
        experience(reward=Native())


def test_rewards_that_come_late_in_the_logs_are_rewards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged, "ROWS", 2)  # the first shard holds none
    silent = replace(example_impressions([3]), native=np.array([0, 0, 0, np.nan], np.float32))
    assert experience(silent, numbered(example_impressions([2], first=1)), rows=1, reward=Native()).steps == 0


def test_values_are_compared_with_what_the_logged_sessions_return() -> None:
    whole = numbered(example_impressions([1], first=1, terminated=True))  # a session, of reward 100
    made = experience(whole, rows=1)
    assert made.valued(1e9) is None  # no session has ended yet
    made.collect(None, gamma)
    assert made.valued(100 * RUNAWAY) is None
    assert not any("run away" in line for line in made.lines())
    assert "is 51 times what sessions of these logs return, 100: " in (made.valued(100 * RUNAWAY + 100) or "")
    resumed = experience(whole, rows=1)
    resumed.load_state_dict(made.state_dict())
    assert list(resumed.lines())[-1] == list(made.lines())[-1] == made.valued(100 * RUNAWAY + 100)
