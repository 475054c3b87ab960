"""A Parquet file that bears its name once it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from livedqn import durable

#: What the name of an unfinished file ends in.
PART = ".part"
#: Zstd's for candidates, most of a log: a fifth less time than lz4 takes for them, and a fifth more bytes.
_LEVEL = -8


class Whole:
    """``write`` tables of ``layout``, then ``finish``, or ``discard`` what was not finished."""

    def __init__(self, path: Path, layout: pa.Schema, compression: str | None = None) -> None:
        self.rows = 0
        self._path, self._part = path, path.with_name(path.name + PART)
        # Arrow's own: a file of Python's would want the GIL for each page
        self._sink = pa.OSFile(str(self._part), "wb")
        codecs = {leaf: "zstd" if leaf == "candidates" else "lz4" for leaf in _leaves(layout)}
        level = {"candidates": _LEVEL} if compression is None and "candidates" in codecs else None
        # floats hardly repeat: dictionaries of them take half as long again and save nothing
        self._writer = pq.ParquetWriter(
            self._sink, layout, compression=compression or codecs, compression_level=level,
            use_dictionary=[field.name for field in layout if pa.types.is_dictionary(field.type)],
            write_statistics=["time_s", "session", "viewer", "request"],
        )  # fmt: skip

    def write(self, table: Any) -> None:
        """As one row group."""
        self._writer.write_table(table, row_group_size=len(table))
        self.rows += len(table)

    def finish(self) -> None:
        """Give it its name, once all of it lies on the disk."""
        self._writer.close()
        self._sink.close()
        durable.replace(self._part, self._path)

    def discard(self) -> None:
        """Leave nothing of a file that was not finished."""
        if not self._sink.closed:
            with suppress(OSError):  # as on a full disk
                self._writer.close()
            self._sink.close()
            self._part.unlink()


def _leaves(layout: pa.Schema) -> Iterator[str]:
    """The columns of ``layout`` as Parquet calls them."""
    for field in layout:
        if pa.types.is_struct(field.type):
            yield from (f"{field.name}.{inner.name}" for inner in field.type)
        else:
            yield f"{field.name}.list.{field.type.value_field.name}" if pa.types.is_list(field.type) else field.name
