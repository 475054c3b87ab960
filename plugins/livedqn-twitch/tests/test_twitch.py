"""The replay, on a small made file of the real form, and on the real file where it lies."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from livedqn_twitch import TwitchRooms, twitch

from livedqn.calibrate import FIGURES
from livedqn.calibrate.rooms import statistics
from livedqn.envs.snapshots import FORM
from livedqn.testing import check_env
from livedqn.types import LivedqnError

START = datetime(2020, 1, 1)
HEADER = ",".join((*FORM.needed, "language"))


def row(snapshot: datetime, room: int, streamer: int, game: str, started: datetime, heat: int) -> str:
    return f"{snapshot.isoformat()},{room},{streamer},{game},{started.isoformat()}Z,{heat},fr"


def made(days: int = 36) -> list[str]:
    """Three streamers: 900 always, with a new room every day; 901 from 6 to 18 h; 902 in the last hour of a day."""
    lines = []
    for hour in range(24 * days):
        now, day = START + timedelta(hours=hour), START + timedelta(days=hour // 24)
        number = hour // 24 + 1
        lines.append(row(now, 1000 + number, 900, "chat", day, 50 + hour % 24))
        if 6 <= hour % 24 < 18:
            lines.append(row(now, 2000 + number, 901, "chess" if hour % 2 else "chat", day + timedelta(hours=6), 500))
        if hour % 24 == 23:
            lines.append(row(now, 3000 + number, 902, "rare", now, 5))
    return lines


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "rooms.csv"
    file.write_text("\n".join([HEADER, *reversed(made())]))
    return str(file)


def test_contract(path: str) -> None:
    check_env(twitch(6, rooms=path, candidates=4))


def test_a_snapshot_holds_until_the_next(path: str) -> None:
    table = TwitchRooms.read(path, topics=3).timetable(0, "train")
    first = datetime(2020, 1, 1).timestamp() - datetime(1970, 1, 1).timestamp()
    bins = table.bin_at(np.array([first, first + 3599.9, first + 3600]))
    assert bins.tolist() == [0, 0, 1]
    assert table.heat[bins, 0].tolist() == [50, 50, 51]  # the last one, not one on the way to the next


def test_rooms_end_where_they_are_missing(path: str) -> None:
    table = TwitchRooms.read(path, topics=3).timetable(0, "train")
    assert table.count[5:7].tolist() == [1, 2]
    assert table.streamer_id[6].tolist() == [901, 900]  # hottest first
    assert table.ends_s[6, 0] == table.starts_s[18]
    assert table.count[18] == 1
    assert table.started_s[10, 0] == table.starts_s[6]


def test_topics_and_earlier_broadcasts(path: str) -> None:
    rooms = TwitchRooms.read(path, topics=3)
    table = rooms.timetable(0, "train")
    assert rooms.streamers == 3
    assert table.topic[7, 0] == 2  # chess; chat is commoner, rare is one of the others
    assert table.topic[8, 0] == 1  # the category has changed in mid-room
    assert table.topic[23, 1] == 3
    assert table.broadcasts[[0, 24, 48], 0].tolist() == [0, 1, 2]


def test_splits_follow_one_another(path: str) -> None:
    rooms = TwitchRooms.read(path, topics=3)
    days = {split: (t.starts_s[[0, -1]] - rooms.timetables["train"].starts_s[0]) / 86_400
            for split, t in rooms.timetables.items()}  # fmt: skip
    assert days["train"].tolist() == pytest.approx([0, 28 - 1 / 24])
    assert days["validation"].tolist() == pytest.approx([28, 34 - 1 / 24])
    assert days["test"].tolist() == pytest.approx([34, 36 - 1 / 24])
    assert rooms.timetable(7, "test") is rooms.timetable(8, "test")
    whole = rooms.timetable(0, "")
    assert np.array_equal(whole.starts_s, np.concatenate([t.starts_s for t in rooms.timetables.values()]))


def test_only_viewers_depend_on_the_seed(path: str) -> None:
    env = twitch(64, rooms=path)
    streamers, viewers = [], []
    for seed in (1, 2):
        ids = env.reset(seed=seed, options={"split": "test"})[1]["ids"]
        streamers.append(set(ids["streamers"].ravel().tolist()))
        viewers.append(ids["viewer"])
        assert ids["time_s"].min() >= (START + timedelta(days=34) - datetime(1970, 1, 1)).total_seconds()
    assert streamers[0] <= {0, 900, 901, 902}
    assert not np.array_equal(*viewers)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([HEADER], "no rows"),
        ([HEADER.replace("viewer_count", "viewers"), *made(1)], "lacks the columns viewer_count"),
        ([HEADER, *made(20)], "spans 20.0 days"),
    ],
)
def test_bad_files_are_one_line(tmp_path: Path, lines: list[str], what: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("\n".join(lines))
    with pytest.raises(LivedqnError, match=what) as error:
        twitch(2, rooms=str(file))
    assert "\n" not in str(error.value)


def test_the_real_file() -> None:
    path = os.environ.get("LIVEDQN_TWITCH_CSV", "")
    if not path:
        pytest.skip("no real rooms here: set LIVEDQN_TWITCH_CSV to the file")
    env = twitch(32, rooms=path)
    check_env(env)
    rooms = TwitchRooms.read(path, topics=12)
    assert rooms.streamers == 76
    counts = np.concatenate([table.count for table in rooms.timetables.values()])
    assert counts.mean() == pytest.approx(11.9, abs=0.1)  # live rooms, as measured


def test_what_was_published_comes_out_of_the_real_file() -> None:
    """All 41 days and 100 channels, of which 24 were never live: the very rooms from which ``top`` was measured."""
    path = os.environ.get("LIVEDQN_TWITCH_CSV", "")
    if not path:
        pytest.skip("no real rooms here: set LIVEDQN_TWITCH_CSV to the file")
    found = statistics(TwitchRooms.read(path, topics=500).timetable(0, ""), streamers=100, popular=1.0)
    for figure in FIGURES:
        if figure.source == "top":
            assert found[figure.name] == pytest.approx(figure.value, rel=0.04, abs=0.006), figure.about
