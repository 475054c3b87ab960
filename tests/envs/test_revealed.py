"""What is hidden, as columns."""

import numpy as np
import pytest

from livedqn.envs.revealed import OF_ROOM, OF_VIEWER
from livedqn.envs.sessions import TASTE
from livedqn.envs.sim import sim
from livedqn.testing import check_env
from livedqn.types import LivedqnError, Spec

ALL = (*OF_VIEWER, *OF_ROOM)


def test_contract() -> None:
    check_env(sim(3, streamers=20, reveals=ALL))
    check_env(sim(3, streamers=20, reveals=("boredom",)))


def test_it_is_the_state_itself_behind_what_is_seen_anyway() -> None:
    env, plain = sim(40, reveals=ALL), sim(40)
    (seen, _), (usual, _) = env.reset(seed=3), plain.reset(seed=3)
    for _ in range(4):
        actions = np.argmax(seen["mask"][:, 1:], axis=1) + 1
        seen, *_ = env.step(actions)
        usual, *_ = plain.step(actions)
        ended = env.hidden.sessions.ended.copy()
        if ended.any():
            seen, _ = env.reset(options={"reset_mask": ended})
            usual, _ = plain.reset(options={"reset_mask": ended})
    for name, array in usual.items():
        assert np.array_equal(seen[name][..., : array.shape[-1]], array), name
    visit, tastes, quality = env.hidden.sessions.visit, env.hidden.sessions.tastes, env.hidden.quality
    for name, column in zip(OF_VIEWER, seen["context"].T[-3:], strict=True):
        assert np.array_equal(column, visit[name]), name
    assert visit["boredom"].any()
    spec = Spec.of(env)
    topic, streamer = ([c.name for c in spec.candidates].index(name) for name in ("topic", "streamer"))
    taste, good, moment = np.moveaxis(seen["candidates"][..., -3:], -1, 0)
    is_room = seen["mask"].copy()
    is_room[:, 0] = False
    row, k = np.nonzero(is_room)
    assert np.array_equal(taste[is_room], tastes[row, TASTE, seen["candidates"][row, k, topic].astype(int)])
    assert np.array_equal(good[is_room], quality[seen["candidates"][row, k, streamer].astype(int)])
    assert not seen["candidates"][~is_room].any()
    # a twentieth of windows are moments: of some 25 live rooms at 40 hours, give or take 3.5 standard deviations
    assert set(np.unique(moment)) == {0, 1} and 0.02 < moment[is_room].mean() < 0.08


def test_columns_stand_where_they_are_named() -> None:
    spec = Spec.of(sim(1, reveals=("moment", "patience")))
    assert [c.name for c in spec.context[-1:]] == ["patience"]
    assert [c.name for c in spec.candidates[-2:]] == ["surge", "moment"]


def test_what_cannot_be_revealed_is_one_line() -> None:
    with pytest.raises(LivedqnError, match=r"reveals=mood; what it can reveal are boredom, openness, patience, taste"):
        sim(1, reveals=("mood",))
