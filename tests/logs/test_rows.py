import pytest

from livedqn.logs import join
from livedqn.logs.table import Table

MAPPING = """
viewer: user
time: ts
context: {region: {from: region, values: [EU, NA]}}
candidates: {heat: {from: heat, kind: count}}
action: action
propensity: p
signals: {watch_s: watch_s}
terminated: left
"""
#: Who watches for an hour asks again behind it; who leaves is back after a minute; who pauses is not there.
CSV = """user,ts,region,heat,action,p,watch_s,left
ann,0,NA,9,1,0.5,3600,0
ann,3700,EU,9,1,0.5,50,1
ann,3800,NaN,9,0,0.5,0,0
ann,5700,,9,1,0.5,900,0
"""


@pytest.fixture(params=[False, True], ids=["whole", "row by row"])
def made(request, tmp_path, monkeypatch):
    if request.param:
        whole = Table._tables
        monkeypatch.setattr(
            Table, "_tables", lambda self, wanted: (t.slice(i, 1) for t in whole(self, wanted) for i in range(len(t)))
        )
    (tmp_path / "table.csv").write_text(CSV)
    (tmp_path / "columns.yaml").write_text(MAPPING)
    return join(list(Table(path=str(tmp_path / "table.csv"), columns=str(tmp_path / "columns.yaml"), is_sorted=True)))


def test_watching_is_no_pause_and_behind_an_end_comes_another_visit(made):
    assert made.begins.tolist() == [True, False, True, True]
    assert made.terminated.tolist() == [False, True, False, False]


def test_who_watched_for_longer_did_not_leave_before(made):
    assert made.elapsed_s.tolist() == [3700, 60, 60, 900]


def test_a_value_that_elsewhere_means_missing_is_one_where_it_is_named(made):
    assert made.observation["context"][:, 0].tolist() == [2, 1, 0, 0]
