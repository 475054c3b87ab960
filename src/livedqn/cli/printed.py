"""What a run printed lies in its folder too."""

from __future__ import annotations

import os
import re
import select
import sys
from pathlib import Path
from typing import Any, TextIO

#: What a terminal takes for colours and weights.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def leave_if_unread() -> None:
    """Leave where nobody reads stdout to its end; any other pipe that broke is an error of whoever wrote to it."""
    if not hasattr(select, "poll"):  # on Windows, where stdout would have been another error
        return
    asked = select.poll()
    asked.register(sys.stdout.fileno(), 0)
    if any(event & (select.POLLERR | select.POLLHUP) for _, event in asked.poll(0)):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed goes nowhere
        sys.exit(141)


class Printed:
    """Stands in for stdout and writes all of it to ``printed.txt`` as well, once there is something to write."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "printed.txt"
        self._stdout = sys.stdout
        self._file: TextIO | None = None

    def __enter__(self) -> Printed:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def write(self, text: str) -> int:
        """To both, at once: a killed run has printed what stands in the file."""
        if self._file is None:
            self._file = self._path.open("a", encoding="utf-8")
        self._file.write(COLOURS.sub("", text))
        self._file.flush()
        return self._stdout.write(text)

    def flush(self) -> None:
        """Pass it on."""
        self._stdout.flush()

    def __getattr__(self, name: str) -> Any:
        """Whether it is a terminal, its encoding ...: as stdout has it."""
        return getattr(self._stdout, name)
