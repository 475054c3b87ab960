"""What every part's command line understands, and where its results go."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: One thread each: shared cores make more of them a lottery, and networks this small gain nothing.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


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
    told.results = told.results or (Path("runs/benchmarks/speed") if told.quick else HERE / "results")
    told.results.mkdir(parents=True, exist_ok=True)
    told.python = dict(pair.split("=", 1) for pair in told.python)
    told.rounds = 1 if told.quick else told.rounds
    return told


def interpreter(told: argparse.Namespace, name: str) -> str:
    """Of a contestant."""
    return str(told.python.get(name, sys.executable))


def environment() -> dict[str, str]:
    """Of a process that is measured: one thread, and the benchmark's modules at hand."""
    path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of equal columns; those of the first row decide."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, Any]]:
    """What :func:`write_csv` wrote, numbers as numbers; nothing where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(file)]


def _number(text: str) -> float | int | str | None:
    for kind in (int, float):
        try:
            return kind(text) if text else None
        except ValueError:
            continue
    return text
