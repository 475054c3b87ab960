"""How fast is it? One command runs every part, or those that are named, and writes tables, CSV and pictures.

python -m benchmarks.speed.run --quick
python -m benchmarks.speed.run --only train update --rounds 5 --python torchrl=../peers/bin/python

The parts are scripts that also run alone and have more options there; README.md says what each measures.
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks.processes import environment
from benchmarks.speed import options

#: In this order; each is a module of this package and takes the options below, or only some (TAKES).
PARTS = (
    "train", "learning", "update", "sim_update", "simulator", "simulator_peers", "replay", "replay_fill", "solve",
    "start", "profiles",
)  # fmt: skip
#: Parts that know all of --quick, --rounds, --results and --python; the others are told --quick alone.
TAKES_ALL = ("train", "learning", "update", "sim_update", "simulator", "simulator_peers", "solve", "start", "profiles")


def command(part: str, words: list[str], quick: bool) -> list[str]:
    """The command line of a part."""
    given = words if part in TAKES_ALL else ["--quick"] if quick else []
    return [sys.executable, "-m", f"benchmarks.speed.{part}", *given]


def main() -> None:
    """Run the parts, one after another; a part that fails does not keep the others from running."""
    parser = options.parser(__doc__, rounds=0)
    parser.set_defaults(rounds=None)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    told = parser.parse_args()
    words = ["--quick"] if told.quick else []
    words += ["--rounds", str(told.rounds)] if told.rounds else []
    words += ["--results", str(told.results)] if told.results else []
    words += [word for pair in told.python for word in ("--python", pair)]
    failed = []
    for part in told.only:
        print(f"\n=== {part}", flush=True)
        if subprocess.run(command(part, words, told.quick), env=environment()).returncode:
            failed.append(part)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
