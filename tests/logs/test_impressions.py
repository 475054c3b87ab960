from dataclasses import replace

import numpy as np

from livedqn.logs import join
from livedqn.testing import example_impressions as sessions


def test_successors_lie_within_a_session_and_end_with_it():
    cut = sessions([2, 1])  # rows 0 1 | 2 without action; row 3 | 4 without action
    assert cut.acted.tolist() == [True, True, False, True, False]
    assert cut.begins.tolist() == [True, False, False, True, False]
    assert cut.successor.tolist() == [1, 2, -1, 4, -1]
    ended = sessions([2, 1], terminated=True)
    assert ended.successor.tolist() == [1, -1, -1]


def test_where_the_last_observation_is_missing_there_is_no_successor():
    cut = sessions([2, 1]).take(np.array([0, 1, 3, 4]))
    assert cut.successor.tolist() == [1, -1, 3, -1]
    assert (cut.acted & ~cut.terminated & (cut.successor < 0)).tolist() == [False, True, False, False]


def test_join_pads_to_the_longest(same):
    one, other = sessions([2]), sessions([3], first=5)
    narrow = replace(
        one, rooms=one.rooms[:, :3], streamers=one.streamers[:, :3],
        observation=one.observation | {name: one.observation[name][:, :3] for name in ("mask", "candidates")},
    )  # fmt: skip
    both = join([narrow, other])
    assert both.rooms.shape == (7, 4)
    assert len(both) == 7
    same(both.take(slice(0, 3)), narrow)
    same(both.take(slice(3, 7)), other)


def test_no_rows_at_all():
    none = sessions([1]).take(slice(0, 0))
    assert len(none) == len(none.begins) == len(none.successor) == 0


def test_row_0_is_a_candidate_even_where_nothing_is_open():
    one = sessions([1], has_nothing=False).take(slice(0, 1))
    closed = replace(one, rooms=0 * one.rooms, observation={**one.observation, "mask": np.zeros((1, 4), np.bool_)})
    assert closed.sizes.tolist() == [1]
