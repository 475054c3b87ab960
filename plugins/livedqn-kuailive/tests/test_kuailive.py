"""The reader, on made files of KuaiLive's form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livedqn_kuailive import KuaiLive

from livedqn import plugins
from livedqn.check_logs.command import run
from livedqn.config import CheckLogsConfig
from livedqn.logs import ColumnsError, Impressions, faults, join
from livedqn.testing import check_logs
from livedqn.types import LivedqnError

DAY = 86_400_000
START = 20_000 * DAY  # 2024-10-04
IDS = "user_id,live_id,streamer_id,timestamp"
HEADERS = {
    "click": f"{IDS},watch_live_time", "negative": IDS, "like": IDS, "comment": IDS, "gift": f"{IDS},gift_price",
    "room": "p_date,live_id,streamer_id,live_type,start_timestamp,end_timestamp,live_content_category,live_name_id",
    "user": "user_id,age,gender,country,reg_timestamp,first_watch_live_timestamp,fans_num",
    "streamer": "streamer_id,gender,age,country,reg_timestamp,first_live_timestamp,fans_user_num",
}  # fmt: skip
Files = dict[str, list[Any]]


def by_hand() -> Files:
    """Room r is of streamer 10 + r: 0 and 1 are always live, 2 in the first hour, 3 in the second."""

    def event(user: int, room: int, s: float, *more: object) -> tuple[object, ...]:
        return (user, room, 10 + room, START + round(1000 * s), *more)

    hours = [(0, 24), (0, 24), (0, 1), (1, 2)]
    return {
        "click": [event(7, 0, 60, 30_000), event(7, 1, 4000, 0), event(5, 0, 50, 100_000)],
        "negative": [event(7, 2, 100), event(7, 2, 3599.999)],
        "like": [event(7, 0, 70), event(7, 0, 80)],
        "comment": [event(5, 0, 50)],
        "gift": [event(7, 0, 65, 5), event(7, 0, 3000, 2)],
        "room": [
            ("20241004", room, 10 + room, "video", START + a * DAY // 24, START + b * DAY // 24, f"c{room % 2}", 0)
            for room, (a, b) in enumerate(hours)
        ],
        "user": [(5, "18-23", "F", "x", START - DAY, "", 9), (7, "24-30", "M", "y", START - 3 * DAY, START + DAY, 9)],
        "streamer": [(10 + room, "F", "18-23", "x", START - DAY, START - DAY // 2, 9) for room in range(4)],
    }


def random_world(users: int, rooms: int, impressions: int, seed: int = 0) -> Files:
    """Rooms of some hours over three days; viewers in them, who click, like and give by chance."""
    rng = np.random.default_rng(seed)
    start = START + rng.integers(0, 3 * DAY, rooms)
    end = start + (rng.exponential(2 * DAY / 24, rooms)).astype(int) + 60_000
    room = rng.integers(0, rooms, impressions)
    time = start[room] + (rng.random(impressions) * (end - start)[room]).astype(int)
    user = rng.integers(1, users + 1, impressions)
    rows = [tuple(row) for row in np.stack([user, room, 1000 + room, time], axis=1).tolist()]
    n = impressions // 3
    clicks = [(*row, int(rng.exponential(20_000))) for row in rows[:n]]

    def later(share: float) -> list[tuple[int, ...]]:
        return [(*row[:3], row[3] + int(rng.integers(0, 9_000))) for row in rows[:n] if rng.random() < share]

    return {
        "click": clicks, "negative": rows[n:], "like": later(0.1), "comment": later(0.1),
        "gift": [(*row, 3) for row in later(0.05)],
        "room": [("d", i, 1000 + i, i % 2, start[i], end[i], f"c{i % 5}", 0) for i in range(rooms)],
        "user": [(u, "18-23", "MF"[u % 2], "x", START - u * DAY, START - DAY, u) for u in range(1, users + 1)],
        "streamer": [(1000 + i, "F", "a", "x", START - i * DAY, START, i) for i in range(rooms)],
    }  # fmt: skip


def write(folder: Path, files: Files) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        lines = [row if isinstance(row, str) else ",".join(map(str, row)) for row in rows]
        (folder / f"{name}.csv").write_text("\n".join([HEADERS[name], *lines]) + "\n")
    return str(folder)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[KuaiLive, Impressions]]:
    """``read(files)``: the reader of such files, and all that it reads."""

    def make(files: Files, **settings: Any) -> tuple[KuaiLive, Impressions]:
        logs = KuaiLive(path=write(tmp_path / "files", files), **settings)
        return logs, join(list(logs))

    return make


def column(logs: KuaiLive, array: str, name: str) -> int:
    return [one.name for one in getattr(logs.spec, array)].index(name)


def test_contract(read) -> None:
    check_logs(read(by_hand(), candidates=4)[0])
    check_logs(read(random_world(30, 40, 900), history=3)[0])


def test_sessions_and_signals(read) -> None:
    _, whole = read(by_hand())
    assert whole.viewer.tolist() == [5, 7, 7, 7, 7]
    assert whole.row.tolist() == [2, 0, 3, 4, 1]  # of click.csv, then of negative.csv
    assert whole.session.tolist() == [1, 2, 2, 3, 3]  # 3,500 s went by without anything shown
    np.testing.assert_allclose(whole.elapsed_s, [100, 40, 1, 400.001, 1])
    assert whole.terminated.tolist() == [True, False, True, False, False]
    assert whole.truncated.tolist() == [False] * 4 + [True]  # the data end before it was seen whether 7 goes on
    assert np.isnan(whole.propensity).all()
    signals = {name: values.tolist() for name, values in whole.signals.items()}
    assert signals["clicked"] == [1, 1, 0, 0, 1]
    assert signals["watch_s"] == [100, 30, 0, 0, 0]
    assert signals["liked"] == [0, 1, 0, 0, 0]
    assert signals["commented"] == [1, 0, 0, 0, 0]
    assert signals["gift_value"] == [0, 7, 0, 0, 0]


def test_candidates_are_live_and_their_features_as_of_then(read) -> None:
    logs, whole = read(by_hand())
    assert whole.rooms[:, :4].tolist() == [[0, 1, 2, 3]] * 1 + [[0, 1, 2, 3]] * 3 + [[0, 1, 2, 4]]
    assert whole.action.tolist() == [1, 1, 3, 3, 2]
    seen = whole.observation
    assert not seen["mask"][:, 0].any()  # a room was always shown
    assert seen["mask"][:, 1:4].all()
    assert not seen["mask"][:, 4:].any()
    heat, age = (column(logs, "candidates", name) for name in ("heat", "age"))
    assert seen["candidates"][:3, 1, heat].tolist() == [0, 1, 1]  # viewer 5, from 50 s to 150 s; 7 stopped at 90 s
    np.testing.assert_allclose(seen["candidates"][4, 1:4, age], [4000 / 60, 4000 / 60, 400 / 60], rtol=1e-6)
    began = column(logs, "candidates", "streamer_first_live_d")
    np.testing.assert_allclose(seen["candidates"][1, 1, began], 0.5 + 60 / 86_400, rtol=1e-6)
    watched = column(logs, "context", "first_watch_live_d")
    assert seen["context"][1, watched] == 0  # it was a day later
    np.testing.assert_allclose(seen["context"][1, column(logs, "context", "reg_d")], 3 + 60 / 86_400, rtol=1e-6)


def test_the_history_shows_what_had_happened_by_then(read) -> None:
    files = by_hand()
    files["click"][0] = (7, 0, 10, START + 60_000, 50_000)
    logs, whole = read(files, history=2)
    past = whole.observation["history"]
    assert not past[:2].any()
    names = [one.name for one in logs.spec.history]
    assert dict(zip(names, past[2, 1].tolist(), strict=True)) == {
        "real": 1, "streamer": 11, "category": 1, "clicked": 1, "watch_s": 40, "ago_s": 40,  # of 50 s in all
    }  # fmt: skip
    assert past[4, :, names.index("clicked")].tolist() == [0, 0]
    assert past[3, 0, names.index("watch_s")] == 50


def test_no_observation_knows_what_came_later(read) -> None:
    """Without all that came after some moment the requests before it look the same."""
    world = random_world(20, 30, 600)
    cut = START + DAY
    before = world | {name: [row for row in world[name] if row[3] < cut]
                      for name in ("click", "negative", "like", "comment", "gift")}  # fmt: skip
    _, whole = read(world)
    _, part = read(before)
    early = whole.take((whole.time_s < cut // 1000) & (whole.viewer >= 0))
    early = early.take(np.lexsort([early.rooms[np.arange(len(early)), early.action], early.time_s, early.viewer]))
    part = part.take(np.lexsort([part.rooms[np.arange(len(part)), part.action], part.time_s, part.viewer]))
    assert len(part) == len(early) > 100
    for name, array in part.observation.items():
        np.testing.assert_array_equal(array, early.observation[name], err_msg=name)


def test_candidates_are_a_uniform_sample_of_what_is_live(read) -> None:
    """Each of 30 rooms that are always live is among 4 others of 29 equally often; chi-squared, 29 degrees."""
    rooms = [("d", r, 1, 0, START, START + DAY, "c", 0) for r in range(30)]
    rooms += [("d", r, 1, 0, START, START + 60_000 * r, "c", 0) for r in range(30, 40)]  # soon over
    files = by_hand() | {
        "room": rooms, "like": [], "comment": [], "gift": [], "negative": [],
        "click": [(i % 50, i % 30, 1, START + 7_200_000 + 1000 * i, 0) for i in range(6_000)],
    }  # fmt: skip
    _, whole = read(files, candidates=6)
    assert (whole.observation["mask"].sum(axis=1) == 5).all()
    counts = np.bincount(whole.rooms[:, 1:].ravel(), minlength=32)[1:31] - 200  # each is shown 200 times
    expected = 6_000 * 4 / 30
    assert counts.sum() == 24_000
    assert ((counts - expected) ** 2 / expected).sum() < 58  # exceeded once in a thousand
    _, again = read(files, candidates=6, seed=1)
    assert (again.rooms != whole.rooms).any()


def test_where_few_are_live_all_of_them_are_candidates(read) -> None:
    rooms = [("d", r, 1, 0, START, START + (DAY if r < 3 else 1_000 + r), "c", 0) for r in range(2_000)]
    files = by_hand() | {
        "room": rooms, "like": [], "comment": [], "gift": [], "negative": [],
        "click": [(1, 0, 1, START + 60_000, 0)],
    }  # fmt: skip
    _, whole = read(files, candidates=5)
    assert sorted(whole.rooms[0].tolist()) == [0, 0, 1, 2, 3]


def test_what_is_wrong_is_set_aside_with_why(read, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = by_hand()
    bad: dict[str, list[tuple[Any, str]]] = {
        "click": [
            ((100, 9, 19, START, 5), "live_id is in no row of room.csv"),
            ((101, 3, 13, START, 5), "the room was not live at that time"),
            ((102, 0, 99, START, 5), "streamer_id is not that of room.csv"),
            ((103, 0, 10, START, "long"), "the amount is no number from 0 on"),
            (("", 0, 10, START, 5), "user_id or timestamp is missing, or cannot be read"),
            ((105, 0, 10, "noon", 5), "user_id or timestamp is missing, or cannot be read"),
            ((106, 0), "it has too few fields, or too many"),
            ((7, 0, 10, START + 60_000, 5), "the viewer clicked, or was shown, this room twice at one time"),
        ],
        "like": [((7, 1, 11, START + 100_000), "no click of this viewer on this room comes")],
        "gift": [((7, 0, 10, START + 60_001, "-1"), "the amount is no number from 0 on")],
        "room": [(("d", 5, 15, "video", START, START, "c", 0), "it has no live_id, or no start before its end")],
        "user": [((7, "", "", "", "", "", 0), "it has no id, or one that came before")],
        "streamer": [(("x", "", "", "", "", "", 0), "it has no id, or one that came before")],
    }  # fmt: skip
    first = {name: len(files[name]) for name in bad}
    for name, rows in bad.items():
        files[name] = [*files[name], *(row for row, _ in rows)]
    logs, _ = read(files)
    found = {
        (fault.what, part.source, row)
        for part in logs for fault in faults(part, logs.spec) for row in part.row[fault.rows].tolist()
    }  # fmt: skip
    for name, rows in bad.items():
        for at, (_, what) in enumerate(rows, start=first[name]):
            assert any(why.startswith(what) and f"{name}.csv" in of and row == at for why, of, row in found), (
                name,
                what,
            )
    assert run(CheckLogsConfig({"plugin": "kuailive", "path": str(tmp_path / "files")}), tmp_path / "report")
    report = capsys.readouterr().out
    assert "set aside: 15 rows, 13 whole sessions" in report
    assert "like.csv" in report
    check_logs(logs)


def test_a_room_of_two_days_is_one(read) -> None:
    files = by_hand()
    day, end = START + DAY // 24, START + DAY
    files["room"][0] = ("d", 0, 10, "video", START, day, "c0", 0)
    files["room"].append(("e", 0, 10, "video", day, end, "c1", 0))
    _, whole = read(files)
    assert whole.rooms[4, 1:4].tolist() == [1, 2, 4]
    assert not (whole.defect != "").any()


def test_files_that_are_none_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(LivedqnError, match=r"user.csv cannot be read"):
        KuaiLive(path=str(tmp_path))
    path = write(tmp_path, by_hand())
    with pytest.raises(LivedqnError, match=r"candidates=1 logs.history=10: it takes 2 and 1"):
        KuaiLive(path=path, candidates=1)
    (tmp_path / "room.csv").write_text("live_id\n1\n")
    with pytest.raises(ColumnsError, match="column streamer_id is missing; column start_timestamp is missing"):
        KuaiLive(path=path)


def test_livedqn_finds_and_builds_it(tmp_path: Path) -> None:
    assert "kuailive" in plugins.names("logs")
    built = plugins.build("logs", {"plugin": "kuailive", "path": write(tmp_path, by_hand()), "candidates": 7})
    assert built.spec.num_actions == 7
