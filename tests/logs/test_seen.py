"""Which rows stand apart from the first ones of their session, wherever parts end."""

from dataclasses import replace

import numpy as np
import pytest

from livedqn.logs.seen import SeenSessions
from livedqn.testing import example_impressions


def rows(*names):
    """A row for each name of a session."""
    whole = example_impressions([len(names)], terminated=True)
    return replace(whole, session=np.array(names, np.int64))


def test_within_a_part():
    assert SeenSessions().again(rows(7, 7, 3, 7, 3, 3, 5)).tolist() == [False, False, False, True, True, True, False]
    assert SeenSessions().again(rows(7, 7, 3)).tolist() == [False] * 3


def test_over_parts():
    seen = SeenSessions()
    assert not seen.again(rows(7, 7, 3)).any()
    assert seen.again(rows(5, 3, 3, 9)).tolist() == [False, True, True, False]
    assert seen.again(rows(9, 5, 1, 7)).tolist() == [True, True, False, True]
    assert seen.again(rows(9)).tolist() == [True]


@pytest.mark.parametrize("size", [1, 7, 64, 1_000])
def test_it_does_not_matter_where_parts_end(size):
    rng = np.random.default_rng(size)
    whole = rows(*rng.integers(-40, 400, 1_000).tolist())
    before, expected = set(), []
    for i, name in enumerate(whole.session):
        if i and name == whole.session[i - 1]:
            expected.append(expected[-1])
        else:
            expected.append(name in before)
        before.add(name)
    begins = np.flatnonzero(whole.begins)  # parts are of whole sessions
    seen, found = SeenSessions(), []
    for start in range(0, len(begins), size):
        end = begins[start + size] if start + size < len(begins) else None
        found += seen.again(whole.take(slice(begins[start], end))).tolist()
    assert found == expected


def test_names_are_kept_in_a_few_arrays():
    seen = SeenSessions()
    for i in range(300):
        seen.again(rows(i))
    assert sum(map(len, seen._names)) == 300
    assert len(seen._names) < 10
