"""The reader, on small made files of the real form, and on the real ones where they lie."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from livedqn_openbandit import OpenBandit

from livedqn import plugins
from livedqn.check_logs.command import run
from livedqn.config import CheckLogsConfig
from livedqn.logs import faults, join
from livedqn.testing import check_logs
from livedqn.types import LivedqnError

ITEMS = """,item_id,item_feature_0,item_feature_1
0,0,-0.5,aed790
1,1,0.25,67503f
2,2,1.5,aed790
"""
AFFINITIES = ",".join(f"user-item_affinity_{item}" for item in range(3))
ROWS = f""",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,{AFFINITIES}
0,2019-11-24 00:00:34.762830+00:00,2,3,0,0.25,81ce12,03a564,0.0,1.0,2.0
1,2019-11-24 00:00:53+00:00,0,1,1,0.5,cef339,03a564,0.0,0.0,0.0
"""


@pytest.fixture
def made(tmp_path: Path):
    """``made(rows)``: the folder of a campaign."""

    def make(rows: str = ROWS, items: str = ITEMS) -> str:
        folder = tmp_path / "random" / "all"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "all.csv").write_text(rows)
        (folder / "item_context.csv").write_text(items)
        return str(folder)

    return make


def test_contract(made) -> None:
    check_logs(OpenBandit(path=made()))


def test_what_a_row_becomes(made) -> None:
    logs = OpenBandit(path=made())
    (part,) = logs
    assert part.action.tolist() == [3, 1]  # nothing is row 0
    assert part.rooms[0].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(part.propensity, [0.25, 0.5])
    assert part.signals["clicked"].tolist() == [0, 1]
    assert part.time_s.tolist() == [1574553634, 1574553653]
    assert part.policy.tolist() == ["random", "random"]
    assert part.terminated.all()
    assert not logs.spec.has_nothing
    assert part.observation["mask"].tolist() == [[False, True, True, True]] * 2
    assert part.observation["context"][:, 0].tolist() == [3, 1]
    assert [column.name for column in logs.spec.candidates] == ["item", "item_feature_0", "item_feature_1", "affinity"]
    rooms = part.observation["candidates"]
    assert not rooms[:, 0].any()
    assert rooms[0, 1:, 0].tolist() == [1, 2, 3]
    assert rooms[0, 1:, 1].tolist() == [-0.5, 0.25, 1.5]
    assert rooms[0, 1, 2] == rooms[0, 3, 2] != rooms[0, 2, 2]  # the same text is the same number
    assert rooms[0, 1:, 3].tolist() == [0, 1, 2]
    context = part.observation["context"]
    assert context[0, 1] != context[1, 1]
    assert context[0, 2] == context[1, 2]


def test_what_is_wrong_is_set_aside_with_why(made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = ROWS.splitlines()[1]
    bad = {
        good.replace(",2,3,0,", ",9,3,0,"): "item_id is in no row of item_context.csv",
        good.replace("0.25", "much"): "propensity_score is no number",
        good.replace("2019-11-24 ", "yesterday "): "timestamp is missing, or cannot be read",
        good.replace(",2,3,0,", ",2,7,0,"): "context.position is none of kind category",
        good.replace(",2,3,0,", ",2,3,2,"): "signals.clicked is impossible",
        good.replace(",2.0", ",x"): "candidates.affinity is not finite",
        "5,2019-11-24": "it has 2 fields, not 11",
    }
    path = made("\n".join([*ROWS.splitlines(), *bad]) + "\n")
    logs = OpenBandit(path=path)
    whole = join(list(logs))
    found = {fault.what: fault.rows.nonzero()[0].tolist() for fault in faults(whole, logs.spec)}
    for row, what in enumerate(bad.values(), start=2):
        assert row in found[what], what
    assert run(CheckLogsConfig({"plugin": "openbandit", "path": path}), tmp_path / "report")
    assert "set aside: 7 rows, 7 whole sessions" in capsys.readouterr().out


def test_a_missing_propensity_is_unknown(made) -> None:
    (part,) = OpenBandit(path=made(ROWS.replace("0.25", "")))
    assert np.isnan(part.propensity[0])
    assert part.defect is not None
    assert part.defect[0] == ""


@pytest.mark.parametrize(
    ("rows", "items", "what"),
    [
        (ROWS.replace("click", "clicks"), ITEMS, "column click is missing"),
        (ROWS, ITEMS + "3,3,0,aed790\n", "column user-item_affinity_3 is missing"),
        (ROWS, ITEMS + "3,2,0,aed790\n", "or one twice"),
        (ROWS, ITEMS.splitlines()[0] + "\n", "has no item"),
    ],
)
def test_files_that_are_none_are_one_line(made, rows: str, items: str, what: str) -> None:
    with pytest.raises(LivedqnError, match=what):
        OpenBandit(path=made(rows, items))


def test_a_folder_without_files_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LivedqnError, match="holds no CSV; give a folder like random/all"):
        OpenBandit(path=str(tmp_path))


def test_livedqn_finds_and_builds_it(made) -> None:
    assert "openbandit" in plugins.names("logs")
    assert plugins.build("logs", {"plugin": "openbandit", "path": made()}).spec.num_actions == 4


def test_the_real_files() -> None:
    """The inverse propensity estimate of either policy from its own logs is its rate of clicks."""
    folder = os.environ.get("LIVEDQN_OPEN_BANDIT", "")
    if not folder:
        pytest.skip("no real files here: set LIVEDQN_OPEN_BANDIT to the folder with random/ and bts/")
    for name, clicks in (("random/all", 38), ("bts/all", 42), ("random/men", 46), ("bts/men", 69)):
        logs = OpenBandit(path=f"{folder}/{name}")
        whole = join(list(logs))
        assert not list(faults(whole, logs.spec))
        assert (len(whole), whole.signals["clicked"].sum()) == (10_000, clicks)
        if name == "random/men":
            np.testing.assert_allclose(whole.propensity, 1 / 34, rtol=1e-6)
            check_logs(logs)
