"""Trainings of one contestant on one game, one after another in this process; a file of JSON each."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

from benchmarks.learning import episodes
from benchmarks.learning.games import GAMES


def main() -> None:
    """Train, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contestant", choices=("livedqn", "sb3"))
    parser.add_argument("game", choices=GAMES)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--episodes", type=int, required=True, help="of the final policy")
    parser.add_argument("--folder", type=Path, required=True, help="of <seed>.json")
    parser.add_argument("--more", nargs="*", default=[], help="overrides of livedqn's training")
    told = parser.parse_args()
    contestant = importlib.import_module(
        f"benchmarks.learning.play_{told.contestant}"
    )  # the other's packages may be missing
    for seed in told.seeds:
        episodes.EpisodeLog.clear()
        outcome = contestant.train(told.game, told.steps, seed, told.more)
        row = {
            "seed": seed, "steps": told.steps, "updates": outcome.updates,
            "cpu_s": round(outcome.cpu_s, 2), "wall_s": round(outcome.wall_s, 2),
            "training_return": episodes.last_return(told.steps), "curve": episodes.curve(told.steps),
        }  # fmt: skip
        row["greedy_return"] = episodes.greedy_return(GAMES[told.game], outcome.policy, told.episodes)
        told.folder.mkdir(parents=True, exist_ok=True)
        half = told.folder / f"{seed}.part"
        half.write_text(json.dumps(row))
        half.rename(told.folder / f"{seed}.json")  # a file is whole or not there


if __name__ == "__main__":
    main()
