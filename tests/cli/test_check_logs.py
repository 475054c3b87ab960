"""``livedqn check-logs``: the report, what it leaves, and its exit code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from livedqn.logs.arrow import to_arrow
from livedqn.logs.schema import schema
from livedqn.logs.writer import Writer
from livedqn.testing import LOGS_SPEC, example_impressions


def written(impressions, path="logs.parquet"):
    pq.write_table(to_arrow(impressions, schema(LOGS_SPEC)), path)
    return f"logs.path={path}"


def test_logs_in_which_nothing_is_wrong(livedqn):
    with Writer(Path("logs"), LOGS_SPEC) as writer:
        writer.add(example_impressions([4, 2]))
    outcome = livedqn("check-logs", "logs.path=logs", "hydra.run.dir=run")
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == "rows: 6 impressions and 2 last observations of 2 viewers, 1970-01-01 to 1970-01-01"
    assert lines[-1] == "nothing keeps anybody from learning from these logs"
    assert [path.name for path in Path("run").iterdir()] == ["printed.txt"]


def test_what_is_wrong_is_said_with_rows_example_and_cure(livedqn):
    made = example_impressions([3, 1])
    propensity = made.propensity.copy()
    propensity[1] = 0
    outcome = livedqn("check-logs", "logs=parquet", written(replace(made, propensity=propensity)), "hydra.run.dir=run")
    assert outcome.code == 1
    out = outcome.out
    assert "set aside: 4 rows, 1 whole sessions, with why, in run/set_aside.parquet" in out
    assert (
        "WRONG, to be mended before anything is learned:\n- the propensity is 0 or less, or above 1 (1 rows)\n" in out
    )
    assert "    for example request 1, row 1 of logs.parquet\n    log the probability with which" in out
    assert out.splitlines()[-1] == "1 wrong"
    assert pq.ParquetFile("run/set_aside.parquet").read().num_rows == 4


def test_missing_columns_are_findings_too(livedqn):
    written(example_impressions([2]))
    table = pq.read_table("logs.parquet")
    pq.write_table(table.drop_columns(["mask", "native"]), "logs.parquet")
    outcome = livedqn("check-logs", "logs.path=logs.parquet", "hydra.run.dir=run")
    assert outcome.code == 1
    assert "- mask is missing\n    docs/logs.md has the types\n- native is missing" in outcome.out
    assert outcome.out.splitlines()[-1] == "2 wrong"


def test_what_is_only_to_know(livedqn):
    made = example_impressions([3])
    unknown = replace(made, propensity=np.full(4, np.nan, np.float32))
    outcome = livedqn("check-logs", written(unknown.take(slice(0, 3))))
    assert outcome.code == 0
    assert "TO KNOW, though nothing is learned wrongly:\n- the propensity is missing (3 rows)" in outcome.out
    assert "- a session did not terminate, and its last observation is missing (1 sessions)" in outcome.out


def test_a_table_without_propensities(livedqn):
    Path("table.csv").write_text(
        "user,ts,hour,heat,place,click\nann,60,20,10|20,2,1\nann,90,20,5,0,0\nbob,70,8,7,1,0\n"
    )
    Path("columns.yaml").write_text(
        "{viewer: user, time: ts, context: {hour: hour}, candidates: {heat: {from: heat, kind: count}}, action: place, "
        "signals: {clicked: click}}"
    )
    outcome = livedqn("check-logs", "logs=table", "logs.path=table.csv", "logs.columns=columns.yaml")
    assert outcome.code == 0, outcome.err
    assert "overlap: no propensity is known, so there is none to judge another policy by" in outcome.out
    assert "- the propensity is missing (3 rows)" in outcome.out
    assert "training does without; off-policy evaluation refuses such logs, or guesses" in outcome.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "logs=parquet needs a value: logs.path=<value>"),
        (["logs.path=nosuch"], "logs.path=nosuch does not exist"),
        (["logs=parqet"], "there is no logs=parqet; did you mean 'parquet'"),
        (["env=sim"], "check-logs reads logs alone, so env cannot be set; only logs can be chosen"),
    ],
)
def test_refusals(livedqn, words, why):
    assert why in livedqn("check-logs", *words).error
    assert not Path("runs").exists()
