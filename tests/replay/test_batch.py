"""Every field of a record, from what is written to what is sampled."""

from __future__ import annotations

import numpy as np
import pytest

from livedqn.replay.prioritised import Prioritised
from livedqn.replay.uniform import Uniform
from livedqn.types import Column, LivedqnError, Observation, Spec


def columns(count: int) -> tuple[Column, ...]:
    return tuple(Column(f"c{i}") for i in range(count))


ROOMS = Spec(
    context=columns(3), context_shape=(3,), num_actions=5, history=columns(2), history_length=4, candidates=columns(7)
)
PIXELS = Spec(context=(), context_shape=(5, 3, 1), num_actions=2, context_dtype="uint8")
ROWS = 2


def observation(spec: Spec, seed: int) -> Observation:
    """Numbers that tell the seed, the row and the place of every entry apart."""
    rng = np.random.default_rng(seed)
    made = {
        "context": rng.integers(0, 255, (ROWS, *spec.context_shape)).astype(spec.context_dtype),
        "mask": rng.random((ROWS, spec.num_actions)) < 0.5,
    }
    if spec.has_rooms:
        made["history"] = rng.random((ROWS, spec.history_length, len(spec.history)), np.float32)
        made["candidates"] = rng.random((ROWS, spec.num_actions, len(spec.candidates)), np.float32)
    made["mask"][:, 0] = True
    return made


def filled(kind: type, spec: Spec, steps: int) -> Uniform | Prioritised:
    replay = kind(spec, ROWS, 1, capacity=100)
    replay.begin(observation(spec, 0), np.ones(ROWS, np.bool_))
    for step in range(1, steps + 1):
        number = np.full(ROWS, step)
        replay.add(np.zeros(ROWS, int), 1 / number, number, np.ones(ROWS), observation(spec, step))
    return replay


@pytest.mark.parametrize("spec", [ROOMS, PIXELS], ids=["rooms", "pixels"])
@pytest.mark.parametrize("kind", [Uniform, Prioritised])
def test_both_observations_come_back_bit_for_bit_with_what_was_done(kind: type, spec: Spec) -> None:
    replay = filled(kind, spec, 20)
    batch = replay.sample(33, np.random.default_rng(0))
    for i, slot in enumerate(batch.slots):
        row, step = divmod(int(slot), 50)
        before, after = observation(spec, step), observation(spec, step + 1)
        assert before.keys() == batch.observation.keys() == batch.next_observation.keys()
        for name, array in before.items():
            assert array.dtype == batch.observation[name].dtype
            assert np.array_equal(array[row], batch.observation[name][i])
            assert np.array_equal(after[name][row], batch.next_observation[name][i])
        assert (batch.reward[i, 0], batch.propensity[i]) == (step + 1, np.float32(1 / (step + 1)))
    arrays = [*batch.observation.values(), *batch.next_observation.values(), *batch[1:5], *batch[6:]]
    assert all(array.flags.c_contiguous and array.flags.aligned and len(array) == 33 for array in arrays)


def test_a_batch_is_valid_until_the_next_one() -> None:
    replay, rng = filled(Uniform, ROOMS, 20), np.random.default_rng(0)
    batch = replay.sample(8, rng)
    slots = batch.slots.copy()
    replay.add(np.zeros(ROWS, int), np.ones(ROWS), np.ones(ROWS), np.ones(ROWS), observation(ROOMS, 21))
    assert np.array_equal(batch.slots, slots)
    assert replay.sample(8, rng).slots is batch.slots
    assert len(replay.sample(9, rng).slots) == 9


def test_whatever_comes_is_stored_in_the_types_of_the_record() -> None:
    """Float64, integers and arrays with gaps: nothing is compiled anew, and only the numbers count."""
    replay = Uniform(ROOMS, ROWS, 1, capacity=100)
    wide = {name: array.astype(np.float64) for name, array in observation(ROOMS, 0).items()}
    gaps = {name: np.repeat(array, 2, axis=0)[::2] for name, array in observation(ROOMS, 1).items()}
    replay.begin(wide, np.ones(ROWS, np.bool_))
    replay.add(np.zeros(ROWS, np.int8), np.ones(ROWS, int), [1, 2], np.ones(ROWS), gaps)
    batch = replay.sample(16, np.random.default_rng(0))
    for name, array in observation(ROOMS, 0).items():
        assert np.array_equal(batch.observation[name], array[batch.slots // 50])
        assert np.array_equal(batch.next_observation[name], observation(ROOMS, 1)[name][batch.slots // 50])


@pytest.mark.parametrize("action", [-1, 5])
def test_an_action_that_no_mask_has_is_refused(action: int) -> None:
    replay = filled(Uniform, ROOMS, 1)
    with pytest.raises(ValueError, match=f"action {action} of row 1 is outside its mask"):
        replay.add(np.array([0, action]), np.ones(ROWS), np.ones(ROWS), np.ones(ROWS), observation(ROOMS, 2))
    assert len(replay) == ROWS  # and nothing was written


def test_a_window_longer_than_a_byte_tells_is_refused() -> None:
    with pytest.raises(LivedqnError, match=r"agent\.n_step=256"):
        Uniform(ROOMS, 1, 256, capacity=1_000)
