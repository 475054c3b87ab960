"""The ring against a naive list that copies both observations of every transition, after several wraps."""

from __future__ import annotations

from tempfile import gettempdir
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.protocols import Later
from livedqn.replay.prioritised import Prioritised
from livedqn.replay.uniform import Uniform
from livedqn.types import Column, LivedqnError, Observation, Spec

SPEC = Spec(context=(Column("serial"),), context_shape=(1,), num_actions=3)


class Transition(NamedTuple):
    """What a naive replay would store: everything, twice."""

    action: int
    propensity: float
    rewards: tuple[float, ...]
    discounts: tuple[float, ...]
    following: float
    later: tuple[tuple[float, int, float], ...]  # serial, action and propensity of every transition but the first


class NaiveRow:
    """One row's history as plain lists; a window is looked up anew each time."""

    def __init__(self) -> None:
        self.slots: list[list[float | int | None]] = []  # serial, action, reward, discount, propensity
        self.ended: set[int] = set()  # slots of last observations

    def windows(self, n: int, length: int) -> dict[float, Transition]:
        """Every transition that a ring of ``length`` slots can still give, by the serial of its observation."""
        first = max(0, len(self.slots) - length)
        found = {}
        for i in range(first, len(self.slots)):
            rewards, discounts, j = [], [], i
            while self.slots[j][1] is not None and len(rewards) < n:
                rewards.append(self.slots[j][2])
                discounts.append(self.slots[j][3])
                j += 1
            if rewards and (len(rewards) == n or j in self.ended):
                pad = n - len(rewards)
                found[self.slots[i][0]] = Transition(
                    self.slots[i][1], self.slots[i][4], (*rewards, *[0.0] * pad), (*discounts, *[1.0] * pad),
                    self.slots[j][0],
                    (*((s[0], s[1], s[4]) for s in self.slots[i + 1 : j]), *[(self.slots[j][0], 0, np.inf)] * pad),
                )  # fmt: skip
        return found


def observation(serials: list[float]) -> Observation:
    return {"context": np.array(serials, np.float32)[:, None], "mask": np.ones((len(serials), 3), np.bool_)}


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, int, int, list[list[int]]]:
    """B, n, slots a row, and for every step what happens to each row: 0 goes on, 1 terminates, 2 is truncated."""
    rows, n = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    length = draw(st.integers(n + 2, 9))
    fates = st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=rows, max_size=rows)
    return rows, n, length, draw(st.lists(fates, min_size=1, max_size=40))


@pytest.mark.parametrize("folder", [None, gettempdir()], ids=["in memory", "in a file"])
@pytest.mark.parametrize("kind", [Uniform, Prioritised])
@given(history=histories(), seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_every_window_is_the_naive_lists(kind: type, folder: str | None, history: tuple, seed: int) -> None:
    num_rows, n, length, fates = history
    rng = np.random.default_rng(seed)
    replay = kind(SPEC, num_rows, n, capacity=num_rows * length, folder=folder)
    naive = [NaiveRow() for _ in range(num_rows)]
    serial = 0.0

    def fresh(rows: list[int]) -> list[float]:
        nonlocal serial
        serials = [-1.0] * num_rows
        for row in rows:
            serial += 1
            serials[row] = serial
            naive[row].slots.append([serial, None, None, None, None])
        return serials

    everyone = list(range(num_rows))
    replay.begin(observation(fresh(everyone)), np.ones(num_rows, np.bool_))
    for step in fates:
        action = rng.integers(0, 3, num_rows)
        reward = rng.integers(-5, 5, num_rows).astype(np.float32)
        propensity = rng.random(num_rows).astype(np.float32)
        discount = np.array([0.0 if fate == 1 else 0.5 for fate in step], np.float32)
        for row in everyone:
            done = (float(reward[row]), float(discount[row]), float(propensity[row]))
            naive[row].slots[-1][1:] = [int(action[row]), *done]
        replay.add(action, propensity, reward, discount, observation(fresh(everyone)))
        ended = np.array([fate > 0 for fate in step])
        replay.end(ended)
        restarting = [row for row in everyone if ended[row]]
        for row in restarting:
            naive[row].ended.add(len(naive[row].slots) - 1)
        if restarting:
            replay.begin(observation(fresh(restarting)), ended)

    expected = {s: t for row in naive for s, t in row.windows(n, length).items()}
    assert len(replay) == len(expected)
    if not expected:
        with pytest.raises(ValueError, match="no complete transition"):
            replay.sample(1, rng)
        return
    batch = replay.sample(64, rng)
    assert len(batch.slots) == 64
    steps = replay.later(batch.slots) if n > 1 else Later({"context": np.zeros((0, 1))}, *np.zeros((2, 0, 64)))
    serials = steps.observation["context"].reshape(n - 1, 64)
    for i, first in enumerate(batch.observation["context"][:, 0]):
        got = Transition(
            int(batch.action[i]), float(batch.propensity[i]), tuple(batch.reward[i]), tuple(batch.discount[i]),
            batch.next_observation["context"][i, 0],
            tuple(zip(serials[:, i], steps.action[:, i], steps.propensity[:, i], strict=True)),
        )  # fmt: skip
        assert got == expected[first]

    # what is saved and loaded gives the very same samples
    twin = kind(SPEC, num_rows, n, capacity=num_rows * length, folder=folder)
    twin.load_state_dict(replay.state_dict())
    one, two = replay.sample(16, np.random.default_rng(seed)), twin.sample(16, np.random.default_rng(seed))
    assert np.array_equal(one.slots, two.slots)
    assert np.array_equal(one.next_observation["context"], two.next_observation["context"])


def test_all_transitions_are_drawn_about_equally_often() -> None:
    replay = Uniform(SPEC, 2, 1, capacity=20)
    replay.begin(observation([0, 100]), np.ones(2, np.bool_))
    for t in range(1, 8):
        replay.add(np.zeros(2, int), np.ones(2), np.ones(2), np.ones(2), observation([t, 100 + t]))
    drawn = replay.sample(14_000, np.random.default_rng(0)).observation["context"][:, 0]
    _, counts = np.unique(drawn, return_counts=True)
    assert len(counts) == 14
    assert np.abs(counts - 1_000).max() < 130  # four standard deviations


def test_an_action_outside_its_mask_is_refused() -> None:
    replay = Uniform(SPEC, 1, 1, capacity=10)
    first = observation([0])
    first["mask"][0, 2] = False
    replay.begin(first, np.ones(1, np.bool_))
    with pytest.raises(ValueError, match="action 2 of row 0 is outside its mask"):
        replay.add(np.array([2]), np.ones(1), np.ones(1), np.ones(1), observation([1]))


def test_bytes_per_transition_count_one_observation() -> None:
    # context 4 + mask 3 + action 4 + propensity, reward, discount 12 + window 1
    assert Uniform(SPEC, 1, 1, capacity=10).bytes_per_transition == 24
    # and a tree of 16 leaves, 8 parents and 8 for the root, of 8 bytes each: 256 for 10 slots
    assert Prioritised(SPEC, 1, 1, capacity=10).bytes_per_transition == 24 + 26
    # of many, 8 bytes a leaf and 8 / 7 for its share in its ancestors
    assert Prioritised(SPEC, 1, 1, capacity=100_000).bytes_per_transition == 24 + 10


def test_what_cannot_fit_is_refused_before_it_is_filled() -> None:
    with pytest.raises(LivedqnError, match=r"replay.capacity=10000000000000 at 24 bytes each needs .* GiB"):
        Uniform(SPEC, 1, 1, capacity=10**13)
    with pytest.raises(LivedqnError, match=r"raise replay\.capacity or lower num_envs"):
        Uniform(SPEC, 8, 3, capacity=16)


def test_state_is_tensors_and_plain_python(tmp_path) -> None:
    replay = Prioritised(SPEC, 1, 1, capacity=10)
    replay.begin(observation([0]), np.ones(1, np.bool_))
    torch.save(replay.state_dict(), tmp_path / "state.pt")
    assert torch.load(tmp_path / "state.pt", weights_only=True)["greatest"] == 1.0
