"""The timetable as kernels read it: nothing is lost, and a room stands once."""

import numpy as np
import pytest

from livedqn.envs.columns import BROADCASTS, STREAMER, TOPIC
from livedqn.envs.listing import MOST_ROOMS, TOLD, Listing, _free_slots, slot_of
from livedqn.envs.rooms import SimulatedRooms
from livedqn.envs.timetable import Timetable
from livedqn.envs.viewers import TYPICAL
from livedqn.types import LivedqnError


def entries(**changed: list[int]) -> dict[str, np.ndarray]:
    """Room 7 in bins 0 to 2, and room 8, which is hotter, in bin 1."""
    columns = {
        "bin": [0, 1, 2, 1], "room": [7, 7, 7, 8], "streamer_id": [70, 70, 70, 80], "streamer": [1, 1, 1, 2],
        "topic": [3, 3, 3, 4], "heat": [5, 6, 7, 9], "started_s": [0, 0, 0, 10], "ends_s": [30, 30, 30, 20],
        "broadcasts": [2, 2, 2, 0],
    }  # fmt: skip
    return {name: np.array(column) for name, column in (columns | changed).items()}


def listed(**changed: list[int]) -> Listing:
    return Listing.of(Timetable.of(np.array([0.0, 10.0, 20.0]), 30.0, entries(**changed)), TYPICAL, 0)


def test_a_room_stands_once_and_its_heat_in_every_bin() -> None:
    listing = listed()
    rooms = listing.rooms["room"][listing.rooms_live["room"]]
    assert rooms.tolist() == [[7, 0], [8, 7], [7, 0]]
    assert len(listing.rooms) == 3  # these, and none
    assert listing.rooms_live["heat"].tolist() == [[5, 0], [9, 6], [7, 0]]


def test_a_room_whose_topic_changes_is_two() -> None:
    listing = listed(topic=[3, 3, 5, 4])
    assert len(listing.rooms) == 4
    assert listing.seen[listing.rooms_live["room"], TOPIC].tolist() == [[3, 0], [4, 3], [5, 0]]


def test_nothing_of_a_world_is_lost() -> None:
    table = SimulatedRooms(streamers=60, topics=3, days=2).timetable(4, "")
    listing = Listing.of(table, TYPICAL, 4)
    index = listing.rooms_live["room"]
    for name in TOLD.names or ():
        assert np.array_equal(listing.rooms[name][index], getattr(table, name))
    for name, column in (("streamer", STREAMER), ("topic", TOPIC), ("broadcasts", BROADCASTS)):
        assert np.array_equal(listing.seen[index, column], getattr(table, name))


def places(listing: Listing, now: int, streamer: int) -> list[int]:
    """Where the rooms of a streamer stand in a bin, by the hash table."""
    slots, found = listing.slots[now], []
    slot = slot_of(streamer, len(slots))
    while slots[slot]:
        place = int(slots[slot]) - 1
        if listing.rooms_live[now, place]["streamer"] == streamer:
            found.append(place)
        slot = (slot + 1) % len(slots)
    return found


@pytest.mark.parametrize("streamers", [60, 3_000])
def test_rooms_are_found_by_their_streamers(streamers: int) -> None:
    table = SimulatedRooms(streamers=streamers, topics=3, days=2).timetable(4, "")
    listing = Listing.of(table, TYPICAL, 4)
    for now in range(0, len(table.count), 24):
        live = table.streamer[now, : table.count[now]].tolist()
        for streamer in range(1, streamers + 1, streamers // 10):
            assert places(listing, now, streamer) == [i for i, other in enumerate(live) if other == streamer]


def test_who_is_live_in_two_rooms_is_found_in_both() -> None:
    listing = listed(streamer=[1, 1, 1, 1])
    assert places(listing, 1, 1) == [0, 1]
    assert places(listing, 0, 2) == []


def test_more_rooms_than_can_be_counted_are_refused() -> None:
    assert _free_slots(1, MOST_ROOMS).shape == (1, 2**17)
    with pytest.raises(LivedqnError, match="65,536 rooms are live at once"):
        _free_slots(1, MOST_ROOMS + 1)
