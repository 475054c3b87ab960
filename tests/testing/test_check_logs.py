"""The check lets good readers pass and names what a bad one breaks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.logs import NO_ACTION
from livedqn.logs.parquet import Parquet
from livedqn.logs.table import Table
from livedqn.logs.writer import Writer
from livedqn.testing import LOGS_SPEC, ContractError, check_logs, example_impressions
from livedqn.types import Column, Spec


class Memory:
    """A reader of parts that it holds."""

    def __init__(self, *parts, spec=LOGS_SPEC):
        self.parts, self.spec, self.source = parts, spec, {}

    def __iter__(self):
        return iter(self.parts)


GOOD = example_impressions([2, 3])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.booleans(), st.integers(0, 99))
def test_whole_sessions_pass(lengths, terminated, seed):
    part = example_impressions(lengths, terminated=terminated, seed=seed)
    check_logs(Memory(part, example_impressions([1], first=9)))


def test_built_in_readers_pass(tmp_path):
    with Writer(tmp_path / "logs", LOGS_SPEC) as writer:
        writer.add(example_impressions([2, 1, 3]))
        writer.add(example_impressions([2], first=10, start_s=90_000, terminated=True))
    check_logs(Parquet(path=str(tmp_path / "logs")))
    (tmp_path / "columns.yaml").write_text(
        "{viewer: user, time: ts, context: {hour: hour}, candidates: {heat: {from: heat, kind: count, role: heat}},"
        "history: {room: {from: past, kind: id}}, rooms: rooms, shown: shown, propensity: p, signals: {clicked: click}}"
    )
    (tmp_path / "table.csv").write_text(
        "user,ts,hour,heat,past,rooms,shown,p,click\n"
        "1,60,8,10|20,,101|102,102,0.5,1\n2,60,8,10,4|5,101,,0.5,0\n1,90,8,,102,,,1,0\n1,noon,8,,102,,,1,0\n"
    )
    check_logs(Table(path=str(tmp_path / "table.csv"), columns=str(tmp_path / "columns.yaml")))


def test_a_game_passes():
    spec = Spec(context=(Column("x"),), context_shape=(1,), num_actions=4)
    seen = {"context": np.zeros((len(GOOD), 1), np.float32), "mask": np.ones((len(GOOD), 4), np.bool_)}
    check_logs(Memory(replace(GOOD, observation=seen, signals={}), spec=spec))


def test_what_is_marked_as_a_defect_may_be_anything():
    wrong = replace(GOOD, propensity=np.full(len(GOOD), 2, np.float32))
    with pytest.raises(ContractError, match="above 1 in Memory"):
        check_logs(Memory(wrong))
    check_logs(Memory(replace(wrong, defect=np.full(len(GOOD), "no number"))))


class Once(Memory):
    def __init__(self):
        super().__init__(GOOD)
        self.left = iter([GOOD, example_impressions([1], first=9)])

    def __iter__(self):
        yield from self.left


class Draws(Memory):
    rng = np.random.default_rng(0)

    def __iter__(self):
        for part in self.parts:
            yield replace(part, native=self.rng.random(len(part)).astype(np.float32))


class Overwrites(Memory):
    """Fills the same array for each part."""

    def __iter__(self):
        native = np.zeros(len(GOOD), np.float32)
        for i in range(2):
            native += 1
            yield replace(example_impressions([3, 4], first=10 * i, terminated=True), native=native)


class Itself(Memory):
    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration


def seen(**changes):
    return replace(GOOD, observation=GOOD.observation | changes)


PAST, ROOMS = GOOD.observation["history"], GOOD.observation["candidates"]
NONE = GOOD.action == NO_ACTION


def spoilt(array, at, value):
    changed = array.copy()
    changed[at] = value
    return changed


BEHIND = tuple(np.argwhere(~GOOD.observation["mask"] & (GOOD.rooms == 0))[-1])


@pytest.mark.parametrize(
    ("reader", "promise"),
    [
        (Memory, "given the class Memory"),
        (Memory(spec="spec"), "spec is a str; it owes"),
        (Memory(spec=replace(LOGS_SPEC, history=())), "rooms but no history"),
        (Memory(spec=replace(LOGS_SPEC, context=LOGS_SPEC.context[:1] * 2)), "several columns named hour"),
        (Memory(), "no impression"),
        (Itself(GOOD), "its own iterator"),
        (Memory([1, 2]), "a part is a list"),
        (Once(), r"it owes the same rows"),
        (Draws(GOOD), "native of Draws differs when read again"),
        (Overwrites(GOOD), "native of Overwrites differs when read again"),
        (Memory(replace(GOOD, native=GOOD.native.astype(float))), "native of Memory is float64 of shape"),
        (Memory(replace(GOOD, row=GOOD.row.astype(np.int32))), "row of Memory is int32"),
        (Memory(replace(GOOD, policy=np.zeros(len(GOOD)))), "policy of Memory is float64"),
        (Memory(replace(GOOD, signals={})), "signals of Memory holds nothing; .*clicked, watch_s, left"),
        (Memory(seen(extra=PAST)), "observation of Memory holds context, .*extra"),
        (Memory(seen(context=PAST)), r"observation\['context'\] of Memory is float32 of shape"),
        (Memory(GOOD, spec=replace(LOGS_SPEC, num_actions=2)), "mask has 4 actions"),
        (Memory(GOOD, GOOD), "request . comes 2 times"),
        (Memory(GOOD.take(slice(0, 1)), GOOD.take(slice(1, None))), "session 0 comes 2 times"),
        (Memory(replace(GOOD, time_s=GOOD.time_s[::-1].copy())), "goes back in time in Memory"),
        (Memory(replace(GOOD, native=spoilt(GOOD.native, NONE, 0))), "native of Memory is known in a row without"),
        (Memory(seen(history=spoilt(PAST, (0, -1, 0), 0))), "unused rows of the history"),
        (Memory(seen(history=spoilt(PAST, (0, -1, 0), 2))), "neither 0 nor 1"),
        (Memory(replace(GOOD, rooms=spoilt(GOOD.rooms, (0, 0), 5))), r"row 0 \(nothing\) has an id"),
        (Memory(seen(candidates=spoilt(ROOMS, BEHIND, 1))), "candidates behind the last"),
    ],
)  # fmt: skip
def test_the_broken_promise_is_named(reader, promise):
    with pytest.raises(ContractError, match=promise):
        check_logs(reader)
