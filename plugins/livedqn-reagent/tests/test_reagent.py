"""The reader, on small made files of the real form, and on the real one where it lies."""

from __future__ import annotations

import bz2
import gzip
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livedqn_reagent import ReAgent

from livedqn import plugins
from livedqn.check_logs.command import run
from livedqn.config import CheckLogsConfig
from livedqn.logs import NO_ACTION, faults, join
from livedqn.testing import check_logs
from livedqn.types import LivedqnError

LEFT, RIGHT = {"4": 1.0}, {"5": 1.0}


def row(mdp: str, sequence: int, **changes: Any) -> dict[str, Any]:
    """A decision behind the timeline operator."""
    return {
        "mdp_id": mdp, "sequence_number": sequence, "state_features": {"0": 0.5 * sequence, "10": 1.0, "2": -1.0},
        "action": RIGHT, "propensity": 0.9, "reward": 1.5, "time_diff": 1, "possible_actions": [LEFT, RIGHT],
        "metrics": {"likes": 2.0, "reward": 1.5},
    } | changes  # fmt: skip


MADE = [
    row("b", 1, action=LEFT, propensity=0.1),
    row("a", 0),
    row("b", 0, time_diff=1),
    row("b", 2, possible_actions=[]),
    row("a", 3, time_diff=2, next_state_features={"0": 9.0}, possible_next_actions=[LEFT]),
]
MADE[1]["time_diff"] = 3


@pytest.fixture
def made(tmp_path: Path):
    """``made(rows)``: the path of a file."""

    def make(rows: list[Any] = MADE) -> str:
        path = tmp_path / "made.json"
        path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in rows) + "\n")
        return str(path)

    return make


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"metrics": [1]}, "metrics are no names with numbers"),
        ({"time_diff": math.inf, "next_state_features": {"0": 9.0}, "possible_next_actions": [LEFT]}, "is infinite"),
        ({"reward": 10**400}, "native is not finite"),
    ],
)
def test_values_that_are_none_are_faults_of_their_row(made, changes, what) -> None:
    logs = ReAgent(path=made([*MADE, row("c", 0, **changes)]))
    assert any(what in fault.what and fault.rows.sum() == 1 for fault in faults(join(list(logs)), logs.spec))


def test_a_line_of_brackets_is_no_json(made) -> None:
    logs = ReAgent(path=made([*MADE, "[" * 100_000]))
    assert any("the row is no JSON" in fault.what for fault in faults(join(list(logs)), logs.spec))


def test_contract(made) -> None:
    check_logs(ReAgent(path=made()))
    check_logs(ReAgent(path=made(), step_s=60, signals=("likes",), last_possible="before"))
    check_logs(ReAgent(path=made(DISCRETE)))


def test_what_rows_become(made) -> None:
    logs = ReAgent(path=made(), step_s=10, signals=("likes",))
    (whole,) = logs
    assert [column.name for column in logs.spec.context] == ["state_0", "state_2", "state_10"]
    assert logs.spec.num_actions == 3
    assert whole.row.tolist() == [2, 0, 3, 1, 4, 4]  # sorted by sequence_number, and a last observation
    assert whole.action.tolist() == [2, 1, 1, 2, 2, NO_ACTION]
    assert whole.time_s.tolist() == [0, 10, 20, 0, 30, 50]
    np.testing.assert_array_equal(whole.elapsed_s, [10, 10, 10, 30, 20, np.nan])
    np.testing.assert_allclose(whole.propensity, [0.9, 0.1, np.nan, 0.9, 0.9, np.nan])
    assert whole.terminated.tolist() == [False, False, True, False, False, False]
    assert whole.truncated.tolist() == [False, False, False, False, True, False]
    assert whole.native[0] == 1.5
    assert whole.signals["likes"][0] == 2
    seen = whole.observation
    assert seen["context"][1].tolist() == [0.5, -1, 1]
    assert seen["context"][5].tolist() == [9, 0, 0]  # a feature that is not there is 0
    assert seen["candidates"][0].tolist() == [[0, 0], [1, 0], [0, 1]]
    one, both = [False, True, False], [False, True, True]  # nobody could do nothing
    assert seen["mask"].tolist()[2:] == [one, both, both, one]
    assert whole.rooms[0, 1] == whole.rooms[5, 1] != whole.rooms[0, 2]


def test_what_the_last_was_chosen_from_may_be_what_was_possible_before(made) -> None:
    (whole,) = ReAgent(path=made(), last_possible="before")
    assert whole.observation["mask"][2].tolist() == [False, True, True]
    assert (whole.action[2], whole.propensity[2]) == (2, np.float32(0.9))


DISCRETE = [
    row("7", i, action=name, possible_actions=["stay", "go"][: 2 - i % 2], action_probability=None)
    for i, name in enumerate(["go", "stay", "stay"])
]
for one in DISCRETE:
    del one["time_diff"], one["propensity"]


def test_actions_that_are_names_are_those_of_a_game(made) -> None:
    logs = ReAgent(path=made(DISCRETE))
    (whole,) = logs
    assert not logs.spec.has_rooms
    assert logs.spec.num_actions == 2
    assert whole.action.tolist() == [0, 1, 1]  # go, stay
    assert whole.observation["mask"].tolist() == [[True, True], [False, True], [True, True]]
    assert whole.elapsed_s.tolist() == [1, 1, 1]
    assert whole.session.tolist() == [7, 7, 7]
    assert np.isnan(whole.propensity).all()


def test_what_is_wrong_is_set_aside_with_why(made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad: list[tuple[Any, str]] = [
        ("{", "the row is no JSON"),
        ("[]", "the row has no state_features"),
        (row("", 0), "the row has no mdp_id"),
        (row("c", 0) | {"sequence_number": "1"}, "sequence_number is no whole number"),
        (row("d", 0, action="left"), "the action, or its probability, is of another kind than elsewhere"),
        (row("e", 0, propensity="high"), "the action, or its probability, is of another kind than elsewhere"),
        (row("f", 0, action={"4": 2.0}), "the action was masked, or is none of the candidates"),
        (row("g", 0, state_features={"0": None}), "context.state_0 is not finite"),
        (row("h", 0, reward=None), "native is not finite"),
        (row("i", 0, propensity=1.5), "the propensity is 0 or less, or above 1"),
        (row("j", 0), "sequence_number comes twice in its mdp_id"),
        (row("j", 0), ""),
        (row("k", 0), "time_diff does not lead to the next row"),
        (row("k", 2), ""),
    ]
    path = made([*MADE, *(one for one, _ in bad)])
    logs = ReAgent(path=path)
    whole = join(list(logs))
    found = {fault.what: whole.row[fault.rows].tolist() for fault in faults(whole, logs.spec)}
    for at, (_, what) in enumerate(bad, start=len(MADE)):
        assert not what or at in found[what], what
    assert run(CheckLogsConfig({"plugin": "reagent", "path": path}), tmp_path / "report")
    assert f"set aside: {len(bad)} rows, {len(bad) - 2} whole sessions" in capsys.readouterr().out


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(tmp_path_factory, lengths: list[int], random: Any) -> None:
    rows = [row(f"m{i}", j) for i, length in enumerate(lengths) for j in range(length)]
    folder = tmp_path_factory.mktemp("parts")

    def read() -> list[tuple[int, float]]:
        (folder / "part-0.json").write_text("\n".join(map(json.dumps, rows)))
        whole = join(list(ReAgent(path=str(folder))))
        return sorted(zip(whole.session.tolist(), whole.observation["context"][:, 0].tolist(), strict=True))

    before = read()
    random.shuffle(rows)
    assert read() == before


def test_compressed_files_and_folders_of_parts_are_read(tmp_path: Path) -> None:
    text = "\n".join(map(json.dumps, MADE)).encode()
    (tmp_path / "part-0.json.gz").write_bytes(gzip.compress(text))
    (tmp_path / "part-1.json.bz2").write_bytes(bz2.compress(json.dumps(row("z", 0)).encode()))
    (tmp_path / "_SUCCESS").write_bytes(b"")
    assert len(join(list(ReAgent(path=str(tmp_path))))) == 7


def test_files_that_are_none_are_one_line(tmp_path: Path, made) -> None:
    with pytest.raises(LivedqnError, match="no file, nor a folder of files"):
        ReAgent(path=str(tmp_path / "none"))
    with pytest.raises(LivedqnError, match="no row with state_features"):
        ReAgent(path=made(["{}"]))
    (tmp_path / "broken.gz").write_bytes(b"no archive")
    with pytest.raises(LivedqnError, match=r"broken.gz cannot be read"):
        ReAgent(path=str(tmp_path / "broken.gz"))
    for wrong in ({"step_s": 0}, {"last_possible": "never"}):
        with pytest.raises(LivedqnError, match=f"logs.{next(iter(wrong))}="):
            ReAgent(path=made(), **wrong)


def test_livedqn_finds_and_builds_it(made) -> None:
    assert "reagent" in plugins.names("logs")
    built = plugins.build("logs", {"plugin": "reagent", "path": made(), "signals": ["likes"]})
    assert built.spec.signals == ("likes",)


def test_the_real_file() -> None:
    path = os.environ.get("LIVEDQN_REAGENT", "")
    if not path:
        pytest.skip("no real file here: set LIVEDQN_REAGENT to parametric_cartpole.json.bz2")
    logs = ReAgent(path=path)
    check_logs(logs)
    whole = join(list(logs))
    assert (len(whole), whole.begins.sum(), whole.terminated.sum()) == (3_925, 26, 26)
    assert np.isnan(whole.propensity).sum() == 26  # of the last steps, whose list of possible actions is empty
    seen = whole.observation["context"]
    assert not np.isnan(join(list(ReAgent(path=path, last_possible="before"))).propensity).any()
    assert np.abs(seen).max() < 4  # a cart and a pole
