"""Times several things in one process, in turn, so that what else the machine does hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable

Work = Callable[[], object]


def interleaved(works: dict[str, Work], rounds: int, seconds: float) -> dict[str, list[float]]:
    """CPU seconds a call of every work, one number a round; a turn lasts about ``seconds``, after one unseen."""
    calls = {name: _calls_in(work, seconds) for name, work in works.items()}
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began = time.process_time()
            for _ in range(calls[name]):
                work()
            spent[name].append((time.process_time() - began) / calls[name])
    return spent


def _calls_in(work: Work, seconds: float) -> int:
    for _ in range(3):
        work()  # whatever is compiled, allocated or loaded at first
    calls, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        work()
        calls += 1
    return calls
