"""Every reward on numbers that a pencil can check."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.rewards import Engagement, Native, WatchTime, Weighted
from livedqn.types import LivedqnError

SIGNALS = {
    "clicked": np.array([0, 1, 1, 1], np.float32),
    "watch_s": np.array([0, 90, 300, 301], np.float32),
    "liked": np.array([0, 0, 0, 1], np.float32),
    "native": np.array([-1, 0, 2, 5], np.float32),
    "shown": np.array([0, 1, 1, 1], np.float32),
}


@pytest.mark.parametrize(
    ("reward", "expected"),
    [
        (Native(), [-1, 0, 2, 5]),
        (Engagement(), [0, 1, 1, 1 + 2 + 3]),  # 300 s is not over 300 s
        (Engagement(click=0.5, watch=4, watch_threshold_s=60, like=-1), [0, 4.5, 4.5, 0.5 + 4 - 1]),
        (WatchTime(), [0, 1.5, 5, 301 / 60]),
        (Weighted({"clicked": 1, "shown": -0.1}), [0, 0.9, 0.9, 0.9]),
        (Weighted({"native": 2.0}), [-2, 0, 4, 10]),
    ],
)
def test_reward(reward, expected):
    read = {name: SIGNALS[name] for name in reward.signals}
    answer = reward(read)
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected, rtol=1e-6)


def test_weighted_reads_what_it_weighs():
    assert Weighted({"gift_value": 1.0, "shown": -0.1}).signals == ("gift_value", "shown")


def test_weighted_without_weights_says_how_to_give_one():
    with pytest.raises(LivedqnError, match=r"reward\.weights\.clicked=1"):
        Weighted({})


def test_weighted_wants_finite_weights():
    with pytest.raises(LivedqnError, match=r"weights\.liked=nan"):
        Weighted({"liked": float("nan")})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e5, width=32), st.booleans()), min_size=1, max_size=20))
def test_engagement_of_any_signals_is_the_sum_a_pencil_makes(rows):
    clicked, watch_s, liked = (np.array(column, np.float32) for column in zip(*rows, strict=True))
    expected = [1 * c + (2 if w > 300 else 0) + 3 * like for c, w, like in rows]
    answer = Engagement()({"clicked": clicked, "watch_s": watch_s, "liked": liked})
    assert answer.tolist() == expected
