"""What a platform knows of those who come: the more, the more often they have come before."""

import numpy as np
import pytest

from livedqn.envs import Viewers
from livedqn.envs.sessions import PULL, TASTE, VISIBLE
from livedqn.envs.sim import sim
from livedqn.types import FloatArray, LivedqnError


def tastes_and_tags(viewers: Viewers) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Past sessions (B,), tastes and tags (B, topics) of the first visits to a world."""
    env = sim(4_000, days=1, viewers=viewers)
    env.reset(seed=1)
    of = env.hidden.sessions
    return of.visit["activity"], of.tastes[:, TASTE, 1:], of.tastes[:, VISIBLE, 1:]


def told_of(past: FloatArray, sessions: float) -> FloatArray:
    """r = n / (n + sessions)."""
    return past / (past + sessions) if sessions else np.ones(len(past))


def require_as_much_as_was_told(tastes: FloatArray, tags: FloatArray, r: FloatArray) -> None:
    """Tags have a variance of r, and so has what they share with tastes: the mean of a taste is its tag."""
    assert np.mean(tags**2) == pytest.approx(r.mean(), rel=0.06)
    assert np.mean(tags * tastes) == pytest.approx(r.mean(), rel=0.06)


@pytest.mark.parametrize("sessions", [20.0, 5.0, 0.0])
def test_tags_tell_of_tastes_by_past_sessions(sessions: float) -> None:
    past, tastes, tags = tastes_and_tags(Viewers(population=1_000_000, tag_sessions=sessions))
    for rows in (past < 40, past > 150):
        assert rows.sum() > 500
        require_as_much_as_was_told(tastes[rows], tags[rows], told_of(past[rows], sessions))


def test_who_comes_back_is_known_better() -> None:
    viewers = Viewers(population=1_000_000, sessions_median=1.0, tag_sessions=3.0, leave_bias=0.0)
    env = sim(4_000, days=30, episode="viewer", viewers=viewers)
    env.reset(seed=1)
    came_back = 0
    for _ in range(20):
        _, _, terminated, truncated, infos = env.step(np.zeros(4_000, np.int64))
        ended = terminated | truncated
        came_back += ((infos["signals"]["left"] > 0) & ~ended).sum()
        env.reset(options={"reset_mask": ended})
    assert came_back > 20_000
    visit, tastes = env.hidden.sessions.visit, env.hidden.sessions.tastes
    past = visit["activity"]
    for rows in (past < 10, past > 20):
        assert rows.sum() > 500
        require_as_much_as_was_told(tastes[rows, TASTE, 1:], tastes[rows, VISIBLE, 1:], told_of(past[rows], 3.0))
    pull = np.exp(viewers.retrieval_tag * tastes[:, VISIBLE, 1:])
    assert tastes[:, PULL, 1:] == pytest.approx(pull, rel=1e-5)


def test_nothing_is_known_of_whoever_comes_for_the_first_time() -> None:
    past, tastes, tags = tastes_and_tags(Viewers(sessions_median=0.5, tag_sessions=20.0))
    new = past == 0
    assert new.sum() > 50
    assert not tags[new].any()
    assert tastes[new].std() == pytest.approx(1, abs=0.1)


def test_sessions_that_nobody_can_have() -> None:
    with pytest.raises(LivedqnError, match=r"viewers\.tag_sessions=-1"):
        Viewers(tag_sessions=-1.0)
