"""Files and folders that still bear their names after the power has failed; a file does once it is whole."""

from __future__ import annotations

import os
from pathlib import Path


def replace(part: Path, path: Path) -> None:
    """Give ``part``, which nobody writes any more, the name ``path``, in the same folder; both are on the disk then."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    _sync(path.parent)


def folder(path: Path) -> None:
    """Make it, where it is missing, and those above it; they are on the disk then."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for one in missing:
        _sync(one.parent)


def _sync(path: Path) -> None:
    """A name is durable once the folder that holds it is."""
    if hasattr(os, "O_DIRECTORY"):
        opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(opened)
        os.close(opened)
