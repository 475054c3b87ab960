"""What one call of ``join`` leaves to the next, so that every session comes into the logs once, whatever is killed.

The state is what counts. It names the files of the call that goes on from it, and is replaced, all at once, when they
are whole. A call that was killed before that leaves the state as it was, and maybe files of those names: the call that
is made in its place takes them away, and writes its own. If a call is made again that had come so far, its events are
duplicates, or late.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from livedqn import durable
from livedqn.join.joiner import Joiner
from livedqn.types import LivedqnError


class State:
    """``prefix = state.begin(joiner, out)``, then write files of such names, then ``state.end(joiner)``.

    Args:
        path: of a JSON file, made where there is none.

    Raises:
        LivedqnError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[str, Any] | None = None  # that an earlier call has left
        try:
            if path.exists():
                self._found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise LivedqnError(
                f"state={path} cannot be read: {error}; name the file that livedqn join has left"
            ) from None
        self._join, self._call = uuid4().hex[:8], 0  # whose files these are, and how many calls came to their end

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
                joiner.load_state_dict(self._found)
                self._join, self._call = str(self._found["join"]), int(self._found["call"])
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
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(self._path.name + ".part")
        state = {"join": self._join, "call": self._call, **joiner.state_dict()}
        part.write_text(json.dumps(state), encoding="utf-8")
        durable.replace(part, self._path)
