"""What a platform knows of those who come: the more, the more often they have come before."""

import numpy as np
import pytest

from livedqn.envs import Viewers
from livedqn.envs.sessions import TASTE, VISIBLE
from livedqn.envs.sim import sim
from livedqn.types import FloatArray, LivedqnError


def tastes_and_tags(viewers: Viewers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Past sessions (B,), tastes and tags (B, topics) of the first visits to a world."""
    env = sim(4_000, days=1, viewers=viewers)
    env.reset(seed=1)
    of = env.hidden.sessions
    return of.visit["activity"], of.tastes[:, TASTE, 1:], of.tastes[:, VISIBLE, 1:]


@pytest.mark.parametrize(("accuracy", "sessions"), [(1.0, 20.0), (0.8, 5.0), (0.7, 0.0)])
def test_tags_tell_of_tastes_by_past_sessions(accuracy: float, sessions: float) -> None:
    past, tastes, tags = tastes_and_tags(Viewers(population=1_000_000, tag_accuracy=accuracy, tag_sessions=sessions))
    few, many = past < 40, past > 150
    assert few.sum() > 500
    assert many.sum() > 500
    for rows in (few, many):
        # of r = accuracy^2 n / (n + sessions) of the variance
        r = accuracy**2 * (past[rows] / (past[rows] + sessions) if sessions else np.ones(rows.sum()))
        assert np.mean(tags[rows] ** 2) == pytest.approx(r.mean(), rel=0.06)
        assert np.mean(tags[rows] * tastes[rows]) == pytest.approx(r.mean(), rel=0.06)  # the mean of a taste is its tag


def test_nothing_is_known_of_whoever_comes_for_the_first_time() -> None:
    past, tastes, tags = tastes_and_tags(Viewers(sessions_median=0.5, tag_sessions=20.0))
    new = past == 0
    assert new.sum() > 50
    assert not tags[new].any()
    assert tastes[new].std() == pytest.approx(1, abs=0.1)


def test_sessions_that_nobody_can_have() -> None:
    with pytest.raises(LivedqnError, match=r"viewers\.tag_sessions=-1"):
        Viewers(tag_sessions=-1.0)
