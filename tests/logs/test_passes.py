"""Logs gone through again and again: what is left out, and is counted."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from livedqn.logs import join
from livedqn.logs.passes import ENOUGH, Passes
from livedqn.logs.split import held_out
from livedqn.testing import LOGS_SPEC, example_impressions
from livedqn.types import LivedqnError

DAY_S = 24 * 3600


class InMemory:
    """Logs of a few parts."""

    spec = LOGS_SPEC
    source: dict = {}  # noqa: RUF012

    def __init__(self, *parts):
        self.parts = parts

    def __iter__(self):
        yield from self.parts


def part(first, lengths=(3, 2), **how):
    return example_impressions(lengths, first=first, **how)


def sessions(impressions):
    return np.unique(impressions.session).tolist()


def passes(*parts, holdout=0.0, before="", tolerated=0.5):
    return Passes(InMemory(*parts), holdout=holdout, before=before, tolerated=tolerated)


def test_whole_sessions_and_no_pass_reaches_into_the_next():
    found = passes(part(0), part(10), part(20))
    assert [sessions(found.take(8)) for _ in range(3)] == [[0, 1, 10, 11], [20, 21], [0, 1, 10, 11]]
    assert found.done == 1
    assert found.counts.impressions == 15
    assert found.counts.sessions == 6
    assert found.counts.without_successor == 0
    found.take(8)
    found.take(8)
    assert found.done == 2
    assert found.counts.impressions == 15  # of the first pass


def test_viewers_that_are_held_out_never_come():
    whole = part(0, [1] * 200)
    found = passes(whole, holdout=0.3)
    taken = found.take(10**6)
    assert not held_out(taken.viewer, 0.3).any()
    assert found.counts.held_out == held_out(whole.viewer, 0.3)[whole.acted].sum() > 0
    assert len(taken) + 2 * found.counts.held_out == len(whole)
    assert "held out: " in "\n".join(found.counts.lines())


def test_sessions_from_a_day_on_never_come():
    midnight = part(10, start_s=DAY_S - 60)  # begins in the day before, and goes on behind it
    found = passes(part(0), midnight, part(20, start_s=DAY_S), part(30, start_s=5 * DAY_S), before="1970-01-02")
    assert [sessions(found.take(12)) for _ in range(2)] == [[0, 1, 10, 11]] * 2
    assert (midnight.time_s >= DAY_S).any()
    assert (found.counts.impressions, found.counts.held_out, found.counts.later) == (10, 0, 10)
    assert "later: 10 impressions of days that training never sees" in list(found.counts.lines())
    with pytest.raises(LivedqnError, match="before=soon is no day; write YYYY-MM-DD"):
        passes(before="soon")
    with pytest.raises(LivedqnError, match="nothing to learn from: they have 7 rows; later: 5 impressions of days"):
        passes(part(0), before="1970-01-01").take(1)


def test_who_is_held_out_and_later_is_counted_once():
    whole = part(0, [1] * 200, start_s=DAY_S)
    found = passes(part(500, [1] * 100), whole, holdout=0.3, before="1970-01-02")
    found.take(10**6)
    counts = found.counts
    assert counts.impressions + counts.held_out + counts.later == 300
    assert counts.later == (~held_out(whole.viewer, 0.3) & whole.acted).sum()


def test_a_session_with_a_fault_is_set_aside_whole_and_said():
    whole = part(0, [3, 2, 4])
    action = whole.action.copy()
    action[1] = 9
    found = passes(replace(whole, action=action))
    assert sessions(found.take(10**6)) == [1, 2]
    found.take(1)
    counts = found.counts
    assert (counts.rows_at_fault, counts.sessions_at_fault) == (4, 1)
    said = list(counts.lines())[-1]
    assert said.startswith(
        "set aside: 4 rows, 1 whole sessions: the action was masked, or is none of the candidates (1 "
    )


@pytest.mark.parametrize("ends", [[], [3], [3, 5], [3, 5, 8]])
def test_a_session_in_two_pieces_is_not_sewn_together(ends):
    """Wherever parts end: of sessions 0, 1, 0, 3 the second piece is set aside, rows 5 to 7."""
    whole = part(0, [2, 1, 2, 3])
    torn = replace(whole, session=np.where(whole.session == 2, 0, whole.session))
    found = passes(*(torn.take(slice(start, end)) for start, end in pairwise([0, *ends, 12])))
    for _ in range(2):
        taken = found.take(10**6)
        assert (sessions(taken), taken.row.tolist()) == ([0, 1, 3], [0, 1, 2, 3, 4, 8, 9, 10, 11])
    assert (found.counts.rows_at_fault, found.counts.sessions_at_fault) == (3, 1)
    assert found.counts.why == {"the rows of a session do not stand together": 3}


def test_it_goes_on_with_the_sessions_that_it_had_seen():
    again = part(0), part(10), part(0)
    found, other = passes(*again), passes(*again)
    found.take(1)
    found.take(1)
    other.load_state_dict(found.state_dict())
    assert [one.take(1).row.tolist() for one in (found, other)] == [part(0).row.tolist()] * 2  # of the next pass
    assert found.counts == other.counts
    assert found.counts.rows_at_fault == 7


def test_logs_that_come_once_alone_are_refused_when_they_are_wanted_again():
    logs = InMemory(part(0))
    found = Passes(logs, holdout=0.0, before="", tolerated=0.5)
    found.take(10**6)
    logs.parts = ()
    with pytest.raises(LivedqnError, match="nothing to learn from any more"):
        found.take(1)


def test_too_many_faults_are_refused_as_soon_as_a_share_is_one():
    whole = part(0, [3, 2, 4])
    bad = replace(whole, elapsed_s=np.zeros(len(whole), np.float32))
    with pytest.raises(LivedqnError, match=r"100.0% of the logs' rows .* more than tolerated=0.5; look: livedqn check"):
        passes(bad).take(100)
    many = join([replace(bad, session=bad.session + 10 * i) for i in range(ENOUGH // len(bad) + 1)])
    with pytest.raises(LivedqnError, match=r"100.0% of the logs' first 10,\d+ rows .* more than tolerated"):
        passes(many, part(0)).take(1)


def test_faults_that_stand_in_front_are_weighed_by_all_rows():
    bad = part(0, [3] * 1000)
    bad = replace(bad, elapsed_s=np.zeros(len(bad), np.float32))
    good = [part(10_000 * i, [3] * 4000) for i in range(1, 5)]
    found = passes(bad, *good, tolerated=0.07)
    assert sum(map(len, found.once())) == sum(map(len, good))
    assert found.counts.rows_at_fault == len(bad)
    with pytest.raises(LivedqnError, match=r"^20.0% of the logs' first 20,000 rows belong"):
        passes(bad, *good, tolerated=0.07).take(10**6)  # who learns meanwhile does not wait
    with pytest.raises(LivedqnError, match=r"^\d.\d% of the logs' rows belong"):
        list(passes(bad, *good, tolerated=0.05).once())


def test_wider_candidates_than_the_metadata_say_are_a_fault():
    whole = part(0, [3])
    wide = np.pad(whole.observation["mask"], [(0, 0), (0, 1)], constant_values=True)
    seen = {
        **whole.observation,
        "mask": wide,
        "candidates": np.pad(whole.observation["candidates"], [(0, 0), (0, 1), (0, 0)]),
    }
    ids = {name: np.pad(getattr(whole, name), [(0, 0), (0, 1)]) for name in ("rooms", "streamers")}
    with pytest.raises(LivedqnError, match="more candidates than the 4 of the most"):
        passes(replace(whole, observation=seen, **ids)).take(1)


def test_nothing_to_learn_from_is_said():
    with pytest.raises(LivedqnError, match="hold nothing to learn from: they have 0 rows"):
        passes().take(1)
    with pytest.raises(LivedqnError, match=r"nothing to learn from.*held out: 5 impressions"):
        passes(part(0), holdout=0.999999).take(1)
    cut = part(0, [1, 1])
    lonely = passes(cut.take(cut.acted))
    lonely.take(1)
    with pytest.raises(LivedqnError, match=r"nothing to learn from.*not bootstrapped from: 2 impressions"):
        lonely.take(1)


def test_it_goes_on_from_where_it_was_left():
    parts = part(0), part(10), part(20)
    found, other = passes(*parts), passes(*parts)
    found.take(1)
    found.take(1)
    other.load_state_dict(found.state_dict())
    assert [sessions(one.take(1)) for one in (found, other)] == [[20, 21]] * 2
    assert [sessions(one.take(1)) for one in (found, other)] == [[0, 1]] * 2
    assert found.counts == other.counts


def test_a_whole_pass_is_counted_once():
    found = passes(part(0), part(10), part(20, [2], terminated=True))
    assert [sessions(one) for one in found.once()] == [[0, 1], [10, 11], [20]]
    assert found.counts.impressions == found.counts.transitions == 12
    assert (found.counts.sessions, found.done, list(found.once())) == (5, 1, [])
    cut = part(0, [3, 2])
    lonely = passes(cut.take(cut.acted))
    assert len(list(lonely.once())) == 1
    assert lonely.counts.transitions == 3  # of two nobody knows what followed
