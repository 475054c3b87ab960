"""What one call of ``join`` leaves to the next, so that every session comes into the logs once, whatever is killed.

The state is what counts. It names the files of the call that goes on from it, and is replaced, all at once, when they
are whole. A call that was killed before that leaves the state as it was, and maybe files of those names: the call that
is made in its place takes them away, and writes its own. If a call is made again that had come so far, its events are
duplicates, or late. Calls come one after another: while one goes on from a state, no other does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from uuid import uuid4

from livedqn import durable
from livedqn.join.joiner import Joiner
from livedqn.types import LivedqnError


class StateFile:
    """``with StateFile(path) as state: prefix = state.begin(joiner, out)``, then write files of such names, then
    ``state.end(joiner)``. The lock, a file beside it, falls with whoever holds it.

    Args:
        path: of a JSON file, made where there is none.

    Raises:
        LivedqnError: it cannot be read, or another call goes on from it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[str, Any] | None = None  # that an earlier call has left
        self._join, self._call = uuid4().hex[:8], 0  # whose files these are, and how many calls came to their end

    def __enter__(self) -> StateFile:
        durable.folder(self._path.parent)
        self._lock = _locked(self._path)
        try:
            if self._path.exists():
                self._found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self._lock.close()
            raise LivedqnError(
                f"state={self._path} cannot be read: {error}; name the file that livedqn join has left"
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self._lock.close()

    @property
    def is_new(self) -> bool:
        """No call has left one."""
        return self._found is None

    def begin(self, joiner: Joiner, out: Path) -> str:
        """Go on where the last call stopped; answers what the names of this call's files in ``out`` begin with.

        Raises:
            LivedqnError: it is no state, or one of other settings than the joiner's.
        """
        if self._found is None:
            self._write(joiner)  # so that there is no file without a state that knows it
        else:
            try:
                self._join, self._call = str(self._found["join"]), int(self._found["call"])
                if self._call:  # before the first came to its end there is nothing to go on from, whatever it was told
                    joiner.load_state_dict(self._found)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise LivedqnError(f"state={self._path} is none that livedqn join has left: {error!r}") from None
        prefix = f"{self._join}-{self._call:05d}-"
        for left in out.glob(f"day=*/{prefix}*"):
            left.unlink()
        return prefix

    def end(self, joiner: Joiner) -> None:
        """The files are whole."""
        self._call += 1
        self._write(joiner)

    def _write(self, joiner: Joiner) -> None:
        part = self._path.with_name(self._path.name + ".part")
        state = {"join": self._join, "call": self._call, **joiner.state_dict()}
        part.write_text(json.dumps(state), encoding="utf-8")
        durable.replace(part, self._path)


def _locked(path: Path) -> IO[bytes]:
    """A file beside ``path`` that is locked until it is closed."""
    lock = path.with_name(path.name + ".lock").open("ab")
    try:
        _lock(lock)
    except (BlockingIOError, PermissionError):  # the latter on Windows
        lock.close()
        raise LivedqnError(
            f"another call of livedqn join goes on from state={path}; make this one when that is through"
        ) from None
    except OSError:  # a file system without locks
        pass
    return lock


def _lock(file: IO[bytes]) -> None:
    """At once, or an OSError."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
