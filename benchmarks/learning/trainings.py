"""Trainings on games in processes of their own; those that are finished are kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.learning.games import GAMES
from benchmarks.processes import environment


@dataclass(frozen=True)
class Trainings:
    """Of one contestant on one game, a seed each.

    Args:
        folder: of <seed>.json.
        more: overrides of livedqn's training.
    """

    contestant: str
    game: str
    steps: int
    folder: Path
    more: tuple[str, ...] = ()

    def rows(self, seeds: range) -> list[dict[str, Any]]:
        """What is known of ``seeds``; see ``one_game.py`` for the columns."""
        found = (self.folder / f"{seed}.json" for seed in seeds)
        return [json.loads(path.read_text()) for path in found if path.exists()]

    def missing(self, seeds: range) -> Iterator[list[int]]:
        """The seeds that are still to be trained, a list a process."""
        todo = [seed for seed in seeds if not (self.folder / f"{seed}.json").exists()]
        at_once = GAMES[self.game].at_once
        return (todo[first : first + at_once] for first in range(0, len(todo), at_once))

    def train(self, seeds: Sequence[int], episodes: int) -> None:
        """Train ``seeds`` in one process."""
        command = [sys.executable, "-m", "benchmarks.learning.one_game", self.contestant, self.game]
        command += ["--steps", str(self.steps), "--episodes", str(episodes), "--folder", str(self.folder)]
        command += ["--seeds", *map(str, seeds), *(("--more", *self.more) if self.more else ())]
        done = subprocess.run(command, env=environment(), text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
        print(f"trained {self.folder.name} on {self.game}, seeds {', '.join(map(str, seeds))}", flush=True)


def train(all_of_them: Sequence[Trainings], seeds: range, *, jobs: int, episodes: int) -> None:
    """Train what is missing, ``jobs`` processes at once; of every contestant a part before any has all its seeds."""
    waiting = [list(one.missing(seeds)) for one in all_of_them]
    longest = max(map(len, waiting))
    tasks = [(one, parts[i]) for i in range(longest)
             for one, parts in zip(all_of_them, waiting, strict=True) if i < len(parts)]  # fmt: skip
    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(lambda task: task[0].train(task[1], episodes), tasks):
            pass
