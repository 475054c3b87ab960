"""The command ``join``: lines of JSON, an event each, become logs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from livedqn.config import JoinConfig
from livedqn.join import plain, spec
from livedqn.join.events import Event
from livedqn.join.joiner import Joiner
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
    state = _state(config.state)
    if state is None and next(out.rglob("*.parquet"), None):
        raise LivedqnError(f"out={out} holds logs already; choose another folder, or go on from their state=<file>")
    folder.mkdir(parents=True, exist_ok=True)
    if config.state:
        Path(config.state).parent.mkdir(parents=True, exist_ok=True)
    bad: Counter[str] = Counter()
    with (
        _opened(config.events) as lines, (folder / "set_aside.jsonl").open("w", encoding="utf-8") as refused,
        SetAside(folder / "set_aside.parquet", seen) as faulty, Writer(out, seen, {"command": "join"}) as writer,
    ):  # fmt: skip

        def set_aside(event: Event, why: str) -> None:
            refused.write(json.dumps({"why": why, "event": plain.event(event)}) + "\n")

        def write(impressions: Impressions | None) -> None:
            if impressions is not None and len(sound := faulty.sound(impressions)):
                writer.add(sound)

        joiner = Joiner(
            seen, windows=config.windows, allowed_lateness_s=config.allowed_lateness_s,
            session_gap_s=config.session_gap_s, set_aside=set_aside,
        )  # fmt: skip
        if state is not None:
            try:
                joiner.load_state_dict(state)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise LivedqnError(f"state={config.state} is none that livedqn join has left: {error!r}") from None
        read = plain.Reader(seen)
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                joiner.add(read.event(parse(line)))
            except LivedqnError as error:
                bad["lines"] += 1
                said = {"why": str(error), "line": number, "text": line.decode("utf-8", "replace").rstrip("\n")}
                refused.write(json.dumps(said) + "\n")
            write(joiner.finished())
        if not config.state:  # nothing follows that could be late
            joiner.advance(joiner.newest_s)
        impressions, still_open = joiner.finish()
        write(impressions)
    if config.state:
        _save(Path(config.state), joiner.state_dict())
    print(f"{out}: {writer.rows:,} impressions of sessions that are over; {still_open:,} sessions are still open" + (
        f", and kept in {config.state}" if config.state else ", and left out"))  # fmt: skip
    for outcome, kinds in joiner.counts.items():
        if kinds:
            print(f"  {outcome}: " + ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())))
    if bad["lines"]:
        print(f"  no events: {bad['lines']:,} lines")
    if faulty.rows:
        print(f"  impossible: {faulty.sessions:,} sessions, {faulty.rows:,} rows, with why, in {faulty.path}")
    if (folder / "set_aside.jsonl").stat().st_size:
        print(f"what found no place is in {folder / 'set_aside.jsonl'}, with why")
    else:
        (folder / "set_aside.jsonl").unlink()


def _opened(path: str) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise LivedqnError(f"events={path} cannot be read: {error.strerror}; name a file of JSON lines") from None


def _state(path: str | None) -> dict[str, Any] | None:
    """That an earlier call has left, if it has."""
    if path is None or not Path(path).exists():
        return None
    try:
        found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LivedqnError(f"state={path} cannot be read: {error}; name the file that livedqn join has left") from None
    return found


def _save(path: Path, state: Mapping[str, Any]) -> None:
    """Whole, or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(state), encoding="utf-8")
    part.replace(path)
