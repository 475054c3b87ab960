"""By which files are known again, wherever they were copied or moved to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Bytes from the end that are looked at: of Parquet the footer, with statistics of every column.
TAIL = 2**16
#: Digests that a run notes, the least ones: of many files a few tell whether others are the same.
NOTED = 64


def digests(logs: Mapping[str, Any]) -> list[str]:
    """Of the Parquet files in the folder ``logs["path"]``, or of the file that it is, in order of the digests.

    Of each file its size and its end. A folder without Parquet files has none: readers of other systems keep tables
    there which several logs share. Written anew, the same rows make other files.
    """
    path = Path(str(logs.get("path") or ""))
    files = [path] if path.is_file() else path.rglob("*.parquet") if path.is_dir() and logs.get("path") else []
    return sorted({_digest(file) for file in files if file.is_file()})  # some systems call a folder so


def _digest(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(-min(size, TAIL), os.SEEK_END)
        return hashlib.blake2b(str(size).encode() + file.read(), digest_size=8).hexdigest()
