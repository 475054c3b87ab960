"""A folder that one process at a time writes into."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from livedqn.types import LivedqnError

#: What a file system without locks says; there nobody is kept out.
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold ``folder``, which is there, by a file ``.lock`` in it; the system frees it, however the process ends.

    Raises:
        LivedqnError: another process holds it, or another run of this one.
    """
    lock = FileLock(folder / ".lock", timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise LivedqnError(
            f"another run is writing into {folder}; wait until it has ended, or choose another folder "
            "(hydra.run.dir=…, from Python folder=)"
        ) from None
    except NotImplementedError:
        pass
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        yield
    finally:
        lock.release()
