"""Where the slots of a replay lie: in memory, or in a file that the operating system pages in and out."""

from __future__ import annotations

import mmap
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.types import LivedqnError


def zeros(count: int, dtype: np.dtype[Any], folder: str | None, what: str) -> npt.NDArray[Any]:
    """(count,) of ``dtype``, zeros: in memory, or in a file in ``folder``. ``what`` names the setting behind it.

    The file has no name, so that two runs cannot meet in one and nothing is left behind, however a run ends. Its full
    size is reserved at once: a disk that fills up later cannot end the run.

    Raises:
        LivedqnError: there is not enough memory or disk for it, or the folder cannot be written to.
    """
    size = count * dtype.itemsize
    if folder is None:
        require_memory(size, what, "lower it, or name a replay.folder to keep it on disk")
        return np.zeros(count, dtype)
    what = f"{what} in replay.folder={folder}"
    if not Path(folder).is_dir():
        raise LivedqnError(f"{what}: there is no such folder; create it or name another")
    free = shutil.disk_usage(folder).free
    if size > free:
        raise LivedqnError(f"{what} needs {_gib(size)}, but {_gib(free)} of disk are free; lower it or name another")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:  # as on macOS: the size is promised, and not reserved
                file.truncate(size)
            memory = mmap.mmap(file.fileno(), size)
    except OSError as error:
        raise LivedqnError(f"{what}: {error.strerror}; name another folder") from None
    if hasattr(mmap, "MADV_RANDOM"):
        memory.madvise(mmap.MADV_RANDOM)  # the neighbours of a sampled slot need not be read from the disk
    return np.frombuffer(memory, dtype)


def available_bytes() -> int:
    """Memory that may still be taken, in bytes: what the machine has, or what the container may still take of it."""
    return min(_of_machine(), _of_container())


def _of_machine() -> int:
    """The kernel's estimate, or all there is where it gives none."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


#: Bytes of a control group that the kernel takes back before it refuses more, by their names in ``memory.stat``.
_GIVEN_BACK = ("inactive_file", "active_file", "slab_reclaimable")


def _of_container(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """What its control group (version 2) allows beyond what cannot be given back; no limit where there is none."""
    try:
        most, taken = ((folder / f"memory.{name}").read_text().strip() for name in ("max", "current"))
        lines = [line.partition(" ") for line in (folder / "memory.stat").read_text().splitlines()]
    except OSError:
        return sys.maxsize
    if most == "max":
        return sys.maxsize
    given_back = sum(int(value) for name, _, value in lines if name in _GIVEN_BACK)
    return max(int(most) - int(taken) + given_back, 0)


def require_memory(needed: int, what: str, advice: str) -> None:
    """Raise a LivedqnError unless ``needed`` bytes are at hand; ``what`` names the setting that decides it."""
    available = available_bytes()
    if needed > available:
        raise LivedqnError(f"{what} needs {_gib(needed)}, but {_gib(available)} of memory are available; {advice}")


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
