"""Write logs: a folder a day, files that are whole or not there.

A session lies in the day of its first request, in one file, in one row group. Arrow encodes in a thread of its own, so
whoever plays goes on playing; what is still to be put together (:meth:`Writer.add_later`) that thread puts together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from livedqn import durable
from livedqn.logs.arrow import to_arrow
from livedqn.logs.impressions import Impressions, join
from livedqn.logs.rules import refuse_faults
from livedqn.logs.schema import schema
from livedqn.logs.seen import SeenSessions
from livedqn.logs.whole import Whole
from livedqn.types import Spec

#: Rows that wait to be encoded together: those of one day become a row group, which is what a reader has in memory.
WAITING = 1 << 15
#: Rows of a file.
FILE = 1 << 20
#: Days whose files are open at once: a process may have 256 of them open, on some systems.
OPEN = 64
DAY_S = 24 * 3600


class Writer:
    """``with Writer(folder, spec) as writer: writer.add(impressions)``.

    Files are ``day=YYYY-MM-DD/NNNNN.parquet``, numbered from the first that is free. One that an error or a crash has
    left unfinished ends in ``.part``, and no reader looks at it.

    Args:
        folder: of all days.
        spec: what the impressions show.
        source: who makes them, and how; plain Python, kept in the metadata.
        compression: Parquet's, of all columns: zstd makes the smallest files (nearly half); None: what is fastest.
        prefix: what the names of the files begin with, numbered apart from others.

    Raises:
        LivedqnError: an impression cannot be: what :func:`livedqn.logs.faults` finds.
    """

    def __init__(
        self, folder: Path, spec: Spec, source: Mapping[str, Any] | None = None, *,
        compression: str | None = None, prefix: str = "",
    ) -> None:  # fmt: skip
        self.rows = 0  # impressions, last observations aside
        self._folder, self._spec, self._compression, self._prefix = folder, spec, compression, prefix
        self._schema, self._seen = schema(spec, source), SeenSessions()
        self._waiting: list[Impressions] = []
        self._files: dict[int, Whole] = {}
        self._thread = ThreadPoolExecutor(1, "livedqn-logs")
        self._encoding: Future[None] | None = None

    def __enter__(self) -> Writer:
        durable.folder(self._folder)  # where it cannot be, that is known before anything is played
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        try:
            if error is None:
                self._flush()
                self.wait()
                for file in self._files.values():
                    file.finish()
        finally:
            self._thread.shutdown()
            for file in self._files.values():
                file.discard()

    def add(self, impressions: Impressions) -> None:
        """Whole sessions, of any days; they are checked when they are encoded, with those that come next."""
        self._waiting.append(impressions)
        if sum(map(len, self._waiting)) >= WAITING:
            self._flush()

    def add_later(self, make: Callable[[], Impressions]) -> None:
        """What ``make`` answers, so much that it needs not wait for more; it is called in the writer's thread."""
        self._flush()
        self.wait()
        self._encoding = self._thread.submit(self._write, make)

    def _flush(self) -> None:
        """Hand what waits to the thread."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self.wait()
            self._encoding = self._thread.submit(self._write, partial(join, waiting))

    def _write(self, make: Callable[[], Impressions]) -> None:
        """A row group a day."""
        whole = make()
        self.rows += int(whole.acted.sum())
        refuse_faults(whole, self._spec, self._seen)
        begins = whole.begins
        days = (whole.time_s[begins] // DAY_S)[np.cumsum(begins) - 1]  # of each row's session
        if (np.diff(days) < 0).any():
            order = np.argsort(days, kind="stable")
            whole, days = whole.take(order), days[order]
        table = to_arrow(whole, self._schema)
        for start, end in pairwise(np.flatnonzero(np.diff(days, prepend=days[0] - 1, append=days[-1] + 1)).tolist()):
            self._file(int(days[start])).write(table.slice(start, end - start))

    def _file(self, day: int) -> Whole:
        """The one that is open; if there has to be another, the full one, or that of the earliest day, is finished."""
        file = self._files.get(day)
        if file is None or file.rows >= FILE:
            if file is not None or len(self._files) >= OPEN:
                self._files.pop(day if file else min(self._files)).finish()
            file = self._files[day] = Whole(self._free_path(day), self._schema, self._compression)
        return file

    def _free_path(self, day: int) -> Path:
        within = self._folder / f"day={datetime.fromtimestamp(day * DAY_S, UTC):%Y-%m-%d}"
        durable.folder(within)
        names = [path.stem.removeprefix(self._prefix) for path in within.glob(f"{self._prefix}*.parquet")]
        taken = [int(name) for name in names if name.isdigit()]
        return within / f"{self._prefix}{max(taken, default=-1) + 1:05d}.parquet"

    def wait(self) -> None:
        """Until what was handed to the thread is encoded; raises its error."""
        encoding, self._encoding = self._encoding, None
        if encoding is not None:
            encoding.result()
