"""A file that bears its name once it is whole, and still does after the power has failed."""

from __future__ import annotations

import os
from pathlib import Path


def replace(part: Path, path: Path) -> None:
    """Give ``part``, which nobody writes any more, the name ``path``, in the same folder; both are on the disk then."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # the rename is durable once the folder is
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
