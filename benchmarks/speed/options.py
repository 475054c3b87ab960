"""What every part's command line understands, and where its results go."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def parser(about: str | None, rounds: int) -> argparse.ArgumentParser:
    """With ``--quick``, ``--rounds``, ``--results`` and ``--python``."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="one small round: does it work, not how fast")
    made.add_argument("--rounds", type=int, default=rounds, help="the order within a round is that of the table")
    made.add_argument("--results", type=Path, help="folder of CSV and pictures; quick: runs/benchmarks/speed")
    made.add_argument(
        "--python", action="append", default=[], metavar="NAME=PATH", help="a peer's own interpreter: sb3=…/bin/python"
    )
    return made


def parse(made: argparse.ArgumentParser, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The arguments, with the folder of results made and ``python`` as name -> path."""
    told = made.parse_args(arguments)
    told.results = told.results or (Path("runs/benchmarks/speed") if told.quick else RESULTS)
    told.results.mkdir(parents=True, exist_ok=True)
    told.python = dict(pair.split("=", 1) for pair in told.python)
    told.rounds = 1 if told.quick else told.rounds
    return told


def interpreter(told: argparse.Namespace, name: str) -> str:
    """Of a contestant."""
    return str(told.python.get(name, sys.executable))
