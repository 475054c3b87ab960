"""The command ``join``: lines of JSON, an event each, become logs."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from io import BufferedReader
from pathlib import Path

from livedqn.config import JoinConfig
from livedqn.join import plain, spec
from livedqn.join.events import Event
from livedqn.join.joiner import Joiner
from livedqn.join.state import StateFile
from livedqn.logs import Impressions
from livedqn.request import parse
from livedqn.types import LivedqnError


def run(config: JoinConfig, folder: Path) -> None:
    """Write the sessions that are over to ``config.out``; what found no place is set aside in ``folder``, with why.

    Raises:
        LivedqnError: something cannot be read, or ``out`` holds logs that no state goes on from.
    """
    try:
        from livedqn.logs.aside import SetAside
        from livedqn.logs.writer import Writer
    except ImportError:
        raise LivedqnError("logs need pyarrow, which is not installed: pip install 'livedqn[logs]'") from None
    if not config.events or not config.spec:
        raise LivedqnError(f"join needs {'spec' if config.events else 'events'}=<file>; docs/joining.md shows one")
    out, seen = Path(config.out), spec.read(Path(config.spec))
    lines, bad, first = 0, 0, ""  # with something on them, no events among these, and why the first of them is none
    with StateFile(Path(config.state)) if config.state else nullcontext() as state:
        if (state is None or state.is_new) and next(out.rglob("*.parquet"), None):
            raise LivedqnError(f"out={out} holds logs already; choose another folder, or go on from their state=<file>")
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as files:
            events = files.enter_context(_opened(config.events))
            unplaced, impossible = _free(folder)
            refused = files.enter_context(unplaced.open("w", encoding="utf-8"))

            def set_aside(event: Event, why: str) -> None:
                refused.write(json.dumps({"why": why, "event": plain.event(event)}) + "\n")

            joiner = Joiner(
                seen, windows=config.windows, allowed_lateness_s=config.allowed_lateness_s,
                session_gap_s=config.session_gap_s, set_aside=set_aside,
            )  # fmt: skip
            prefix = state.begin(joiner, out) if state else ""
            faulty = files.enter_context(SetAside(impossible, seen))
            writer = files.enter_context(Writer(out, seen, {"command": "join"}, prefix=prefix))

            def write(impressions: Impressions | None) -> None:
                if impressions is not None and len(sound := faulty.sound(impressions)):
                    writer.add(sound)

            read = plain.Reader(seen)
            for number, line in enumerate(_lines(events, config.events), start=1):
                if not line.strip():
                    continue
                lines += 1
                try:
                    event = read.event(parse(line))
                    _refuse_ahead(event, config.allowed_lateness_s)
                    joiner.add(event)
                except LivedqnError as error:
                    bad += 1
                    first = first or f"line {number}: {error}"
                    said = {"why": str(error), "line": number, "text": line.decode("utf-8", "replace").rstrip("\n")}
                    refused.write(json.dumps(said) + "\n")
                write(joiner.finished())
            if lines == bad and (bad or state is None):  # an hour in which nothing happened has its place in a state
                raise LivedqnError(f"events={config.events} holds no event; {first or 'it is empty'}")
            if state is None:  # nothing follows that could be late
                joiner.advance(math.nextafter(joiner.newest_s, math.inf))
            impressions, still_open = joiner.finish()
            write(impressions)
        if state is not None:
            state.end(joiner)
    print(f"{out}: {writer.rows:,} impressions of sessions that are over; {still_open:,} sessions are still open" + (
        f", and kept in {config.state}" if config.state else ", and left out"))  # fmt: skip
    since = " so far" if state else ""  # a state keeps what its earlier calls have counted
    for outcome, kinds in joiner.counts.items():
        if kinds:
            print(f"  {outcome}{since}: " + ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())))
    if joiner.counts["late"]:
        more = f"more than {config.allowed_lateness_s:g} s older than one before them"
        print(f"  late are those that came {more}: sort events by time_s, or set a longer allowed_lateness_s")
    if joiner.waiting:
        print(f"  waiting for what may be late: {joiner.waiting:,} events")
    if bad:
        print(f"  no events: {bad:,} lines, the first of them {first}")
    if faulty.rows:
        print(f"  impossible: {faulty.sessions:,} sessions, {faulty.rows:,} rows, with why, in {faulty.path}")
    if unplaced.stat().st_size:
        print(f"what found no place is in {unplaced}, with why")
    else:
        unplaced.unlink()


def _free(folder: Path) -> tuple[Path, Path]:
    """``set_aside.jsonl`` and ``.parquet``, or with a number from 2 on where earlier calls have left such files."""
    for number in itertools.count(1):
        name = "set_aside" if number == 1 else f"set_aside-{number}"
        lines, rows = (folder / f"{name}.{kind}" for kind in ("jsonl", "parquet"))
        if not rows.exists() and not (lines.exists() and lines.stat().st_size):
            break
    return lines, rows


def _refuse_ahead(event: Event, allowed_s: float) -> None:
    """One wrong clock would make all others late."""
    if event.time_s > time.time() + allowed_s:
        raise LivedqnError(
            f"time_s={event.time_s} lies ahead of the clock of this machine; is it in seconds, and that clock right?"
        )


def _opened(path: str) -> BufferedReader:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise LivedqnError(f"events={path} cannot be read: {error.strerror}; name a file of JSON lines") from None


def _lines(file: BufferedReader, path: str) -> Iterator[bytes]:
    """Of a file that may be compressed."""
    try:
        yield from gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file
    except (OSError, EOFError, zlib.error) as error:
        raise LivedqnError(f"events={path} cannot be read: {' '.join(str(error).split())}; copy it anew") from None
