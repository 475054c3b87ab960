"""livedqn on a game: its command line, and the final weights."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path

from benchmarks.learning import episodes
from benchmarks.learning.games import GAMES, Game
from benchmarks.learning.outcome import Outcome
from benchmarks.learning.schedules import composed, of_length
from benchmarks.learning.timed import training_timed
from livedqn import checkpoint, cli
from livedqn.evaluate import Greedy
from livedqn.tracking import read_metrics

#: One evaluation, behind the last step, and no table: the final weights are judged by others.
IN_SHORT = [
    "evaluation.points=1", "evaluation.validation_episodes=1", "evaluation.worlds=1", "evaluation.episodes=1",
]  # fmt: skip


@cache
def _of_length(name: str, steps: int) -> list[str]:
    return of_length(composed(GAMES[name].words), steps)


def train(name: str, steps: int, seed: int, more: Sequence[str]) -> Outcome:
    """Train the preset of a game, with the overrides ``more``."""
    game: Game = GAMES[name]
    with tempfile.TemporaryDirectory() as folder, training_timed() as clock:
        run = Path(folder) / "run"
        sys.argv[1:] = [
            *game.words, f"env.id={episodes.logged(game)}", *_of_length(name, steps), *IN_SHORT, *more,
            f"seed={seed}", f"hydra.run.dir={run}",
        ]  # fmt: skip
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            cli.main()
        updates = read_metrics(run / "metrics.csv").get("updates", ([], [0.0]))[1]
        return Outcome(Greedy(checkpoint.load(run / "final.ckpt")), int(updates[-1]), clock.cpu_s, clock.wall_s)
