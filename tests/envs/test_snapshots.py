"""Snapshots in a file: what is refused, and with which words; what is read."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from livedqn.envs.snapshots import FORM, Snapshots
from livedqn.types import LivedqnError

HEADER = ",".join((*FORM.needed, "language"))

NOON = "2020-01-01T12:00:00"
GOOD = f"{NOON},1000,900,chat,2020-01-01T06:00:00Z,7,fr"


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (GOOD.replace("1000", "x"), "stream_id='x' is no whole number"),
        (GOOD.replace("1000", "0"), "stream_id='0' is no whole number from 1"),
        (GOOD.replace("1000", "-5"), "stream_id='-5' is no whole number from 1"),
        (GOOD.replace("1000", "9" * 26), f"stream_id='{'9' * 26}' is no whole number"),
        (GOOD.replace("900", "0"), "streamer_id='0' is no whole number"),
        (GOOD.replace(",7,", ",nan,"), "viewer_count='nan' is no number that is finite"),
        (GOOD.replace(",7,", ",inf,"), "viewer_count='inf' is no number that is finite"),
        (GOOD.replace(",7,", ",-1,"), "viewer_count='-1' is no number that is finite"),
        (GOOD.replace(",7,", ",,"), "viewer_count='' is no number that is finite"),
        (GOOD.replace("2020-01-01T06:00:00Z", ""), "started_at_utc='' is no time"),
        (GOOD.replace("T06:00:00Z", "T06:00:00+01:00"), r"started_at_utc='2020-01-01T06:00:00\+01:00' is not in UTC"),
        (GOOD.replace("T06:00", "T12:01"), "started_at_utc='2020-01-01T12:01:00Z' lies after snapshot_time_utc='2020-"),
        (NOON + ",1000,900", "game_id is missing, for the row ends before it"),
        (NOON + ",1000,900,chat", "started_at_utc is missing"),
        (GOOD.removesuffix(",7,fr"), "viewer_count is missing"),
        (GOOD + ",more", "'more' stands behind the last column"),
        (GOOD.replace(",7,", ",8,").replace("1000", "1001"), f"stream_id='1001' is in .*'{NOON}' already, in line 2"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, broken: str, what: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("\n".join([HEADER, GOOD.replace("1000", "1001"), broken]))
    with pytest.raises(LivedqnError, match=rf"^rooms={file}, line 3: {what}.*; correct or remove this row$"):
        Snapshots.read(str(file), "rooms")


def test_a_byte_order_mark_and_an_empty_category_are_read(tmp_path: Path) -> None:
    file = tmp_path / "marked.csv"
    file.write_text("\n".join([HEADER, GOOD.replace("chat", "")]), encoding="utf-8-sig")
    rows = Snapshots.read(str(file), "rooms").columns
    assert rows["stream_id"].tolist() == [1000]
    assert rows["game_id"].tolist() == [""]
    assert rows["snapshot_time_utc"].tolist() == [1577880000]  # date --utc --date 2020-01-01T12:00 +%s
    assert rows["snapshot_time_utc"] - rows["started_at_utc"] == 6 * 3600


@pytest.mark.parametrize("fault", ["block", "flipped", "cut", "text"])
def test_a_broken_archive_is_one_line(tmp_path: Path, fault: str) -> None:
    file = tmp_path / "bad.csv.gz"
    whole = gzip.compress("\n".join([HEADER, *(GOOD.replace("1000", str(room)) for room in range(1, 2_000))]).encode())
    half = len(whole) // 2
    broken = {
        "block": whole[:10] + b"\xff" + whole[11:],  # a kind of block that does not exist: zlib's own error
        "flipped": whole[:half] + bytes(99 * [255]) + whole[half + 99 :],
        "cut": whole[:half],
        "text": b"a,b",
    }
    file.write_bytes(broken[fault])
    with pytest.raises(LivedqnError, match=r"cannot be read \(.*\); name a CSV") as error:
        Snapshots.read(str(file), "rooms")
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    for name in ("none.csv", "none.csv.gz", ""):
        with pytest.raises(LivedqnError, match="cannot be read"):
            Snapshots.read(str(tmp_path / name), "rooms")


def test_a_few_wrong_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    good = [GOOD.replace("1000", str(room)) for room in range(1, 100)]
    file.write_text("\n".join([HEADER, *good, GOOD.replace(",7,", ",x,")]))
    found = Snapshots.read(str(file), "rooms", tolerated=0.01)
    assert found.bad == ("line 101: viewer_count='x' is no number that is finite and not below 0",)
    assert len(found.snapshot) == 99
    file.write_text("\n".join([HEADER, *good, *2 * [GOOD.replace(",7,", ",x,")]]))
    with pytest.raises(
        LivedqnError, match=r"line 101: .*; correct or remove this row \(1 more of 101 rows are wrong\)"
    ):
        Snapshots.read(str(file), "rooms", tolerated=0.01)


def test_every_quarter_of_an_hour(tmp_path: Path) -> None:
    """Snapshots each 5 minutes; a room that is gone between two that are kept is not seen at all."""
    file = tmp_path / "often.csv"
    times = [f"2020-01-01T12:{minute:02}:00" for minute in range(0, 60, 5)]
    start = "2020-01-01T12:00:00"
    rows = [f"{time},1,10,chat,{start},7,fr" for time in times] + [f"{times[1]},2,20,chat,{start},7,fr"]
    file.write_text("\n".join([HEADER, *rows]))
    found = Snapshots.read(str(file), "rooms").every(900)
    assert np.diff(found.times_s).tolist() == [900, 900, 900]
    assert found.streamers == 1
    table = found.timetable(found.topics(2))
    assert table.count.tolist() == [1, 1, 1, 1]
    assert table.ends_s[0, 0] == table.starts_s[-1] + 1
