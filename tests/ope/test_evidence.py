"""From logs to what estimators take: a world of two states that can be solved by hand."""

from dataclasses import replace

import numpy as np
import pytest

from livedqn.logs import NO_ACTION
from livedqn.ope.estimators import estimates, logged
from livedqn.ope.evidence import gather
from livedqn.ope.features import RequestFeatures
from livedqn.ope.logged import ROWS, one_by_one, pieces, requests
from livedqn.ope.targets import certain, mixed, uniform
from livedqn.rewards import Native
from livedqn.testing import LOGS_SPEC, example_impressions
from livedqn.types import Column, LivedqnError, Spec

#: Two actions; the second pays 1 and goes on with a half, the first pays 0 and goes on for sure up to three requests.
SPEC = Spec(context=(Column("step"),), context_shape=(1,), num_actions=2)


def world(sessions, seed=0):
    """Logs of a uniform policy: at step 0, 1 or 2 action 1 pays 1, and ends the session in half of cases."""
    rng = np.random.default_rng(seed)
    rows = []
    for session in range(sessions):
        for step in range(3):
            action = int(rng.integers(2))
            over = step == 2 or (action == 1 and rng.random() < 0.5)
            rows.append((session, step, action, float(action), over))
            if over:
                break
    session, step, action, native, over = (np.array(column) for column in zip(*rows, strict=True))
    template = example_impressions([len(rows)], terminated=True)
    n, none = len(rows), np.zeros((len(rows), 2), np.int64)
    return replace(
        template.take(slice(0, n)), request=np.arange(n), session=session, viewer=session // 2,
        time_s=60 * np.arange(n),
        observation={"context": step[:, None].astype(np.float32), "mask": np.ones((n, 2), bool)},
        rooms=none, streamers=none, action=action, propensity=np.full(n, 0.5, np.float32), signals={},
        native=native.astype(np.float32), terminated=over, truncated=np.zeros(n, bool),
    )  # fmt: skip


def noted(part):
    return part.propensity[part.acted].astype(np.float64)


ALWAYS = certain(lambda observation: np.ones(len(observation["mask"]), np.int64))


def test_all_estimators_find_the_value_of_a_small_world():
    logs = world(4_000)
    targets = {"always": ALWAYS, "logs": uniform, "between": mixed(ALWAYS, 0.5)}
    evidence = gather([logs], RequestFeatures(SPEC, [logs]), Native(), targets, noted)
    # always: 1 + 1/2 (1 + 1/2) = 1.75; the logs: each request pays 1/2 and goes on with 3/4: 1/2 (1 + 3/4 + 9/16)
    # between: 3/4 a request, which goes on with 1/4 + 3/4 x 1/2 = 5/8: 3/4 (1 + 5/8 + 25/64)
    truth = {"always": 1.75, "logs": 0.5 * (1 + 3 / 4 + 9 / 16), "between": 0.75 * (1 + 5 / 8 + 25 / 64)}
    for name, value in truth.items():
        found = estimates(evidence, name, seed=0, count=300)
        for key, one in found.by_name.items():
            assert one.value == pytest.approx(value, rel=0.06), (name, key)
        for key in ("PDIS", "WPDIS", "DR", "WDR", "DRL"):
            interval = found.by_name[key].interval
            assert interval.low - 0.05 < value < interval.high + 0.05, (name, key)
    assert logged(evidence, seed=0).value == pytest.approx(truth["logs"], rel=0.05)
    difference = estimates(evidence, "always", 0).by_name["DR"].minus(logged(evidence, 0))
    assert 0 < difference.low < 1.75 - truth["logs"] < difference.high


def test_one_by_one_asks_for_the_reward_of_a_request():
    logs = [one_by_one(world(2_000))]
    evidence = gather(logs, RequestFeatures(SPEC, logs), Native(), {"always": ALWAYS}, noted)
    found = estimates(evidence, "always", seed=0, count=100)
    assert list(found.by_name) == ["DM", "IPS", "SNIPS", "clipped IPS", "NCIS", "DR", "Switch-DR"]
    for key, one in found.by_name.items():
        assert one.value == pytest.approx(1, abs=0.05), key
    assert found.overlap.requests_share == pytest.approx(0.5, abs=0.02)


def test_what_follows_a_request():
    cut, ended = example_impressions([3]), example_impressions([2], first=1, terminated=True)
    found = requests(cut, Native())
    np.testing.assert_array_equal(found.successor, [1, 2, 3])  # the last leads to the last observation
    np.testing.assert_array_equal(found.is_cut, [False, False, True])
    np.testing.assert_array_equal(found.reward, [0, 1, 2])
    np.testing.assert_array_equal(requests(ended, Native()).successor, [1, -1])
    # the viewer has left for another day: the visit is over, though the row of the next one is there
    left = replace(cut, truncated=np.zeros(4, bool))
    np.testing.assert_array_equal(requests(left, Native()).successor, [1, 2, -1])
    assert not requests(left, Native()).is_cut.any()
    # what was cut may say so in its last observation
    told = requests(replace(left, truncated=np.array([False, False, False, True])), Native())
    np.testing.assert_array_equal(told.successor, [1, 2, 3])
    np.testing.assert_array_equal(told.is_cut, [False, False, True])
    lost = requests(cut.take(slice(0, 3)), Native())
    np.testing.assert_array_equal(lost.is_unknown, [False, False, True])
    assert not lost.is_cut.any()


def test_behind_what_is_unknown_nothing_counts_for_anybody():
    logs = example_impressions([4] * 60, seed=1)
    known = logs.take(logs.action != NO_ACTION)
    evidence = gather([known], RequestFeatures(LOGS_SPEC, [known]), Native(), {"random": uniform}, noted)
    assert (evidence.cut, evidence.unknown) == (60, 60)
    judged = evidence.policies["random"]
    last = evidence.position == 3
    assert (judged.error[last] == 0).all()
    np.testing.assert_array_equal(judged.paid, evidence.reward)
    np.testing.assert_allclose(evidence.logged, np.bincount(evidence.session, weights=evidence.reward))


def test_pieces_are_whole_sessions():
    logs = example_impressions([ROWS // 2, 7, ROWS, 3])
    parts = list(pieces([logs]))
    assert sum(map(len, parts)) == len(logs)
    assert all(part.begins[0] for part in parts)
    assert len(parts) > 1
    seen = np.concatenate([np.unique(part.session) for part in parts])
    assert len(seen) == len(set(seen.tolist()))


def test_logs_that_can_be_read_once_alone():
    logs = world(10)
    with pytest.raises(LivedqnError, match="starts anew whenever it is iterated"):
        gather(iter([logs]), RequestFeatures(SPEC, [logs]), Native(), {"always": ALWAYS}, noted)
