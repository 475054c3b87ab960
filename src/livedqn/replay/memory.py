"""How much memory there is, so that a replay that cannot fit is refused before it is filled for an hour."""

from __future__ import annotations

import os
from pathlib import Path

from livedqn.types import LivedqnError


def available_bytes() -> int:
    """Memory that may still be taken, in bytes: the kernel's estimate, or all there is where it gives none."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def require_memory(needed: int, what: str) -> None:
    """Raise a LivedqnError unless ``needed`` bytes are at hand; ``what`` names the setting that decides it."""
    available = available_bytes()
    if needed > available:
        raise LivedqnError(
            f"{what} needs {needed / 2**30:.1f} GiB, but {available / 2**30:.1f} GiB of memory are available; lower it"
        )
