"""Which part of the logs may judge."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from livedqn.evaluate_logs.reading import Judging, holdout
from livedqn.logs.files import digests
from livedqn.logs.split import held_out
from livedqn.rewards import Native
from livedqn.scoring import require_native
from livedqn.testing import LOGS_SPEC, example_impressions
from livedqn.types import LivedqnError

DAY_S = 24 * 3600


class Logs:
    spec = LOGS_SPEC

    def __init__(self, *parts):
        self.parts = parts

    def __iter__(self):
        return iter(self.parts)


def judging(*parts, share=1.0, since="", by_request=False):
    return Judging(Logs(*parts), holdout=share, since=since, by_request=by_request)


def test_viewers_that_training_held_out():
    parts = judging(example_impressions([2] * 300), share=0.3)
    viewers = np.concatenate([part.viewer for part in parts])
    assert held_out(viewers, 0.3).all()
    assert 0.2 * 600 < parts.impressions < 0.4 * 600


def test_sessions_from_a_day_on():
    parts = judging(example_impressions([2, 2]), example_impressions([3], start_s=DAY_S, first=7), since="1970-01-02")
    assert [part.viewer[0] for part in parts] == [1_007]
    with pytest.raises(LivedqnError, match=r"ope\.since=soon is no day"):
        judging(since="soon")


def test_faults_are_set_aside_and_missing_propensities_counted():
    made = example_impressions([2, 3])
    propensity = made.propensity.copy()
    propensity[0], propensity[4] = 2.0, np.nan
    parts = judging(replace(made, propensity=propensity))
    (part,) = parts
    assert set(part.session) == {1}
    assert (parts.at_fault, parts.missing, parts.impressions) == (1, 1, 3)
    assert parts.rows_at_fault == pytest.approx(3 / 7)  # with the last observations of both
    assert parts.has_native
    bare = judging(replace(made, native=np.zeros(len(made), np.float32)))
    assert list(bare) and (bare.rows_at_fault, bare.has_native) == (0, False)
    require_native(Native(), parts.has_native)
    with pytest.raises(LivedqnError, match="reward Native reads native, which is 0 in all of the logs"):
        require_native(Native(), bare.has_native)


@pytest.mark.parametrize("ends", [[], [5], [3, 5, 8]])
def test_a_session_in_two_pieces_judges_as_much_as_it_teaches(ends):
    made = example_impressions([2, 1, 2, 3])
    torn = replace(made, session=np.where(made.session == 2, 0, made.session))
    parts = judging(*(torn.take(slice(start, end)) for start, end in pairwise([0, *ends, 12])))
    for _ in range(2):  # every reading begins anew
        assert [row for part in parts for row in part.row] == [0, 1, 2, 3, 4, 8, 9, 10, 11]
        assert parts.at_fault == 1  # the second piece


def test_every_request_alone():
    (part,) = judging(example_impressions([2, 3]), by_request=True)
    assert part.begins.all() and part.terminated.all() and len(part) == 5


def trained(path="logs", share=0.2, **how):
    logs = {"plugin": "parquet", "path": path}
    return SimpleNamespace(path="a.ckpt", config={"logs": logs, "holdout": share, **how})


@pytest.mark.parametrize(
    ("found", "asked", "share"),
    [
        ([SimpleNamespace(path="a", config={})], None, 1.0),
        ([trained()], None, 0.2),
        ([trained(share=0.2), trained(share=0.1)], None, 0.1),
        ([trained("other", 0.0)], None, 1.0),
        ([trained()], 0.1, 0.1),
    ],
)
def test_whom_nobody_learned_from(found, asked, share):
    assert holdout(found, {"path": "logs"}, asked, since="", allow_overlap=False) == share


def test_overlap_is_refused_unless_it_is_said():
    for found, asked in ((trained(share=0.0), None), (trained(), 0.5), (trained(f"{Path.cwd()}/logs", 0.0), None)):
        with pytest.raises(LivedqnError, match="was trained on these logs"):
            holdout([found], {"path": "logs"}, asked, since="", allow_overlap=False)
        assert holdout([found], {"path": "logs"}, asked, since="", allow_overlap=True) == (asked or 1.0)


def test_a_copy_of_logs_is_known_again(tmp_path):
    for name, text in (("logs", "the same"), ("copy", "the same"), ("other", "others")):
        (tmp_path / name / "day").mkdir(parents=True)
        (tmp_path / name / "day" / "0.parquet").write_text(text)
    policy = trained(str(tmp_path / "logs"), 0.0)
    policy.config["logs_files"] = digests({"path": str(tmp_path / "logs")})
    for name in ("copy", "copy/day/0.parquet"):
        with pytest.raises(LivedqnError, match="was trained on these logs"):
            holdout([policy], {"path": str(tmp_path / name)}, None, since="", allow_overlap=False)
    assert holdout([policy], {"path": str(tmp_path / "other")}, None, since="", allow_overlap=False) == 1.0
    assert digests({"path": str(tmp_path / "nosuch")}) == digests({}) == []
    (tmp_path / "folder" / "table.parquet").mkdir(parents=True)
    assert digests({"path": str(tmp_path / "folder")}) == []


def test_readers_without_a_path_read_the_same_if_all_they_are_told_is():
    policy = SimpleNamespace(path="a.ckpt", config={"logs": {"plugin": "warehouse", "table": "a"}, "holdout": 0.0})
    with pytest.raises(LivedqnError, match="was trained on these logs"):
        holdout([policy], {"plugin": "warehouse", "table": "a"}, None, since="", allow_overlap=False)
    for others in ({"plugin": "warehouse", "table": "b"}, {"plugin": "parquet", "path": "logs"}):
        assert holdout([policy], others, None, since="", allow_overlap=False) == 1.0


def test_what_weights_began_from_counts_too():
    policy = trained("elsewhere", 0.2)
    policy.config["learned_from"] = [{"logs": {"path": "logs"}, "holdout": 0.0}]
    with pytest.raises(LivedqnError, match="was trained on these logs"):
        holdout([policy], {"path": "logs"}, None, since="", allow_overlap=False)


def test_days_that_nobody_learned_from_judge_whoever_the_viewers_are():
    def share(*policies, since, asked=None):
        return holdout([*policies], {"path": "logs"}, asked, since=since, allow_overlap=False)

    before = "1970-01-05"
    policy = trained(share=0.0, before=before)
    assert share(policy, since=before) == share(policy, since="1970-01-06") == 1.0
    assert share(trained(before=before), since=before, asked=0.9) == 0.9
    assert share(trained(before=before), since="") == 0.2  # the viewers that were held out, of all days
    for since in ("", "1970-01-04"):
        with pytest.raises(LivedqnError, match=r"on these logs before 1970-01-05, on all .*\(ope.since=1970-01-05\)"):
            share(policy, since=since)
    with pytest.raises(LivedqnError, match="on all viewers; evaluate"):
        share(trained(share=0.0), since=before)
    began = trained("elsewhere", learned_from=[{"logs": {"path": "logs"}, "holdout": 0.0, "before": "1970-01-07"}])
    assert share(began, since="1970-01-07") == 1.0
    with pytest.raises(LivedqnError, match="before 1970-01-07"):
        share(policy, began, since=before)
