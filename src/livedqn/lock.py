"""A folder that one process at a time writes into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from livedqn.types import LivedqnError


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold ``folder``, which is there, by a file ``.lock`` in it; the system frees it, however the process ends.

    Raises:
        LivedqnError: another process holds it, or another run of this one.
    """
    lock = FileLock(folder / ".lock", timeout=0)
    with suppress(NotImplementedError):  # a file system without locks
        try:
            lock.acquire()
        except Timeout:
            raise LivedqnError(
                f"another run is writing into {folder}; wait until it has ended, or choose another: hydra.run.dir=…"
            ) from None
    try:
        yield
    finally:
        lock.release()
