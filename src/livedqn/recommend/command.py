"""Answers observations, one JSON object a line, with what the policy would do.

A request is described in :mod:`livedqn.request`; its answer, on stdout, is::

    {"line": 1, "action": 2, "room": 17, "propensity": 1.0, "ranked": [{"action": 2, "room": 17, "value": 3.1}, ...]}

``ranked`` holds what the mask allows, best first, with values in the reward's unit; *nothing* goes before rooms that
are not better by the policy's margin, and behind all of these stand rooms that are not on its shortlist. ``room`` is
null for *nothing*, and left out where the request names no ``rooms``. ``propensity`` is the probability with which the
action was chosen, to be logged: 1, since the policy is greedy.

A line that cannot be answered is one line on stderr with its number; the others are answered, and the command ends
with exit code 2.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from livedqn import checkpoint
from livedqn.actor import Actor
from livedqn.config import RecommendConfig
from livedqn.request import NOT_FINITE, observe, parse, room_names
from livedqn.types import LivedqnError


def run(config: RecommendConfig) -> None:
    """Answer every line of the input.

    Raises:
        LivedqnError: there is no such checkpoint or input.
        SystemExit: with 2, at the end, if a line could not be answered.
    """
    torch.set_num_threads(config.threads)
    agent = checkpoint.read(config.checkpoint, config.device).agent
    all_answered = True
    with _input(config.input) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                text = json.dumps({"line": number, **answer(agent, parse(line))})
            except LivedqnError as error:
                print(f"livedqn: error: line {number}: {error}", file=sys.stderr)
                all_answered = False
            else:
                _write(text, number)
    if not all_answered:
        raise SystemExit(2)


def _write(text: str, number: int) -> None:
    """Print an answer at once: whoever asks through a pipe waits for it."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk, say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed goes nowhere
        raise LivedqnError(
            f"the answer to line {number} cannot be written: {error.strerror}; those before it are"
        ) from error


def answer(agent: Actor, request: Mapping[str, Any]) -> dict[str, Any]:
    """What ``agent`` would do: ``action``, ``room``, ``propensity`` and ``ranked``, as the module says.

    Raises:
        LivedqnError: the request lacks something, has a wrong shape or value, or allows no action.
    """
    observation = observe(agent.spec, request)
    allowed = observation["mask"][0]
    rooms = room_names(request, len(allowed))
    q = agent.q_values(observation)
    value = q.mean(axis=0)[0]
    allowed = allowed & (value != -np.inf)  # what the policy rules out is as little an answer as what is masked
    if not np.isfinite(value[allowed]).all():
        raise LivedqnError(NOT_FINITE)
    chosen = agent.preferences(agent.listed(q, observation))[0]  # first by that, then by all values
    best_first = [int(action) for action in np.lexsort((-agent.preferences(q)[0], -chosen)) if allowed[action]]
    named = [{"action": action, "room": rooms[action]} if rooms else {"action": action} for action in best_first]
    ranked = [{**one, "value": float(value[one["action"]])} for one in named]
    return {**named[0], "propensity": 1.0, "ranked": ranked}


@contextmanager
def _input(path: str | None) -> Iterator[Iterable[bytes]]:
    """The lines of a file, or of stdin."""
    if path is None:
        if sys.stdin is None:
            raise LivedqnError("there is no standard input to read requests from; input=<file> reads a file")
        if sys.stdin.isatty():
            print(
                "reading observations from the keyboard, one JSON object a line; input=<file> reads a file",
                file=sys.stderr,
            )
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - the last lines close it
    except OSError as error:
        raise LivedqnError(f"input={path} cannot be read: {error.strerror}; name a file of JSON lines") from None
    with file:
        yield file
