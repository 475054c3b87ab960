"""Plugins for tests: a folder on the path with metadata is all that an installed distribution is."""

from __future__ import annotations

import csv
import gzip
import itertools
import os
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

# networks this small are slower on several threads, and tests run side by side; torch reads it as it is imported
os.environ["OMP_NUM_THREADS"] = "1"

Install = Callable[..., Path]
_NUMBERS = itertools.count()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``install("gift", "reward", "Gift", source)`` puts a distribution with one plugin on the path."""

    def put(name: str, kind: str, attribute: str, source: str, *, distribution: str = "", version: str = "1.0") -> Path:
        distribution = distribution or f"livedqn-{name}"
        module = f"made_plugin_{next(_NUMBERS)}"  # modules stay imported from one test to the next
        folder = tmp_path / "site" / distribution
        info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[livedqn.{kind}]\n{name} = {module}:{attribute}\n")
        (folder / f"{module}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(folder))
        return folder

    return put


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs end without a report: to draw one takes longer than a small run; ``tests/report`` tests what it holds."""
    from livedqn import report

    monkeypatch.setattr(report, "write", lambda *_, **__: None)


@pytest.fixture(scope="session")
def own_data() -> Callable[[Path], None]:
    """``own_data(folder)`` puts files there as a platform might have: rooms.csv.gz and log.csv.gz, both simulated."""
    from livedqn.calibrate.impressions import RequestLog
    from livedqn.envs import SimulatedRooms, Viewers
    from livedqn.envs.sim import sim

    def write(folder: Path) -> None:
        table = SimulatedRooms(streamers=150, topics=3, days=8, popular=0.1).timetable(7, "")
        fields = ["snapshot_time_utc", "stream_id", "streamer_id", "game_id", "started_at_utc", "viewer_count"]
        with gzip.open(folder / "rooms.csv.gz", "wt", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(fields)
            for now, live in enumerate(table.count):
                for place in range(live):
                    times = (table.starts_s[now], table.started_s[now, place])
                    time, started = (datetime.fromtimestamp(864_000 + s, UTC).isoformat() for s in times)
                    ids = table.room[now, place], table.streamer_id[now, place], table.topic[now, place]
                    rows.writerow([time, *ids, started, table.heat[now, place]])
        viewers = Viewers(click_bias=-1.0, feed_median_s=20.0)
        log = RequestLog.played(sim(50, streamers=60, days=1, viewers=viewers), 20_000, seed=5)
        with gzip.open(folder / "log.csv.gz", "wt", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["viewer", "session", "time_s", "room", "clicked", "watch_s", "liked"])
            signals = (log.signals[name] for name in ("clicked", "watch_s", "liked"))
            rooms = ("7" if shown else "" for shown in log.shown)
            rows.writerows(zip(log.viewer, log.visit, log.time_s, rooms, *signals, strict=True))

    return write
