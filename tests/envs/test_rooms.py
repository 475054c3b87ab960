"""Timetables by hand, and what always holds of simulated rooms."""

import numpy as np
import pytest

from livedqn.envs import TYPICAL, rooms
from livedqn.envs.behaviour import quality
from livedqn.envs.rooms import SimulatedRooms, _among_the_most_popular
from livedqn.envs.timetable import Timetable
from livedqn.types import LivedqnError


def test_timetable_by_hand() -> None:
    # room 7 (heat 5) is live in bins 0 and 2, room 8 (heat 9) in bin 2; nothing in bin 1
    entries = {
        "bin": np.array([2, 0, 2]), "room": np.array([7, 7, 8]), "streamer_id": np.array([70, 70, 80]),
        "streamer": np.array([1, 1, 2], np.int32), "topic": np.array([1, 1, 2], np.int32),
        "heat": np.array([5, 4, 9], np.float32), "started_s": np.array([0.0, 0.0, 20.0]),
        "ends_s": np.array([35.0, 35.0, 35.0]), "broadcasts": np.zeros(3, np.float32),
    }  # fmt: skip
    table = Timetable.of(np.array([0.0, 10.0, 20.0]), 35.0, entries)
    assert table.count.tolist() == [1, 0, 2]
    assert table.room.tolist() == [[7, 0], [0, 0], [8, 7]]  # hottest first, padded with zeros
    assert table.bin_at(np.array([0.0, 9.9, 10.0, 34.0, 99.0])).tolist() == [0, 0, 1, 2, 2]
    assert table.heat[2].tolist() == [9, 5]


def test_a_room_is_live_while_it_lasts() -> None:
    week = SimulatedRooms(streamers=600, topics=8, days=14).timetable(3, "")
    live = week.room > 0
    assert np.array_equal(live.sum(axis=1), week.count)
    assert (week.started_s <= week.starts_s[:, None])[live].all()
    assert (week.ends_s > week.starts_s[:, None])[live].all()
    assert all(len(set(row[row > 0].tolist())) == (row > 0).sum() for row in week.streamer)  # one room a streamer


def test_a_platform_that_grows_leaves_the_others_who_they_were() -> None:
    before, after = (SimulatedRooms(streamers=n, topics=5, days=2).timetable(3, "") for n in (50, 60))
    for field in ("room", "streamer", "topic", "heat", "started_s", "ends_s", "broadcasts"):
        for old, new, streamer in zip(getattr(before, field), getattr(after, field), after.streamer, strict=True):
            known = new[(streamer > 0) & (streamer <= 50)]
            assert np.array_equal(old[: len(known)], known), field
            assert not old[len(known) :].any(), field
    assert np.array_equal(quality(50, TYPICAL), quality(60, TYPICAL)[:51])


def test_streamers_are_the_same_in_every_world() -> None:
    rooms = SimulatedRooms(streamers=80, topics=5, days=2, topic_changes=0)
    topics = []
    for seed in (1, 2):
        table = rooms.timetable(seed, "")
        topics.append(dict(zip(table.streamer.ravel().tolist(), table.topic.ravel().tolist(), strict=True)))
    common = topics[0].keys() & topics[1].keys()
    assert len(common) > 20
    assert all(topics[0][streamer] == topics[1][streamer] for streamer in common)
    assert not np.array_equal(rooms.timetable(1, "").count, rooms.timetable(2, "").count)


def test_topics_change_in_mid_room() -> None:
    """A room begins with its streamer's own topic; a change brings another, or none where there is one topic."""
    still, moving, one = (
        SimulatedRooms(streamers=300, topics=topics, days=3, topic_changes=changes).timetable(3, "")
        for topics, changes in ((4, 0.0), (4, 12.5), (1, 12.5))
    )
    assert np.array_equal(still.room, moving.room)  # all else is the same
    assert (one.topic[one.room > 0] == 1).all()
    assert set(np.unique(moving.topic[moving.room > 0])) == {1, 2, 3, 4}
    several = 0
    for room in np.unique(moving.room[moving.room > 0]):
        live = moving.room == room
        assert len(set(still.topic[live])) == 1
        topics = moving.topic[live]  # in the order of bins
        began = moving.started_s[live][0]
        if began >= 0:
            assert topics[0] == still.topic[live][0]
        if len(set(topics)) > 1:  # a room that changes does so in every bin, 12.5 times as often as was measured
            several += 1
            assert (np.diff(topics) != 0).all()
    assert 50 < several < len(np.unique(moving.room)) / 2


def test_settings_out_of_range() -> None:
    with pytest.raises(LivedqnError, match="topic_changes=13"):
        SimulatedRooms(streamers=1, topics=1, days=1, topic_changes=13)
    with pytest.raises(LivedqnError, match="days=0"):
        SimulatedRooms(streamers=1, topics=1, days=0)


def test_the_most_popular_are_as_popular_as_they_are_among_all() -> None:
    """Half of all streamers: whoever stands at a quarter of the half stands at an eighth from the top of all."""
    scores = np.array([-1.0, 0.0, 0.6744898, 2.0])
    upper = _among_the_most_popular(scores, 0.5)
    assert upper[2] == pytest.approx(1.1503494)  # 1 - 1/8 of a normal distribution is below
    assert (upper > 0).all() and (np.diff(upper) > 0).all()
    assert np.array_equal(_among_the_most_popular(scores, 1.0), scores)
    everybody, few = (
        SimulatedRooms(streamers=200, topics=3, days=3, popular=share).timetable(1, "") for share in (1.0, 0.02)
    )
    assert few.heat[few.room > 0].mean() > 10 * everybody.heat[everybody.room > 0].mean()


def test_new_streamers_have_broadcast_little() -> None:
    old, new = (
        SimulatedRooms(streamers=200, topics=3, days=3, past_broadcasts=past).timetable(1, "") for past in (60.0, 3.0)
    )
    live = old.room > 0
    assert np.median(new.broadcasts[live]) < 0.2 * np.median(old.broadcasts[live])


@pytest.mark.parametrize("setting", [{"popular": 0.0}, {"popular": 1.5}, {"past_broadcasts": -1.0}])
def test_settings_of_streamers_out_of_range_are_one_line(setting: dict[str, float]) -> None:
    with pytest.raises(LivedqnError, match=next(iter(setting))) as error:
        SimulatedRooms(streamers=3, topics=2, days=1, **setting)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_as_many_worlds_are_kept_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    of = SimulatedRooms(streamers=40, topics=3, days=1)
    monkeypatch.setattr(rooms, "KEPT_BYTES", int(2.5 * of.timetable(1, "").nbytes))
    kept = [of.timetable(seed, "") for seed in (1, 2, 1, 3)]
    assert kept[0] is kept[2] is of.timetable(1, "")  # asked for since, so it is not the oldest
    assert of.timetable(2, "") is not kept[1]
