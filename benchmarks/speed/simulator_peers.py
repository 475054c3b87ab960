"""The simulator beside RecSim, which simulates one user at a time: requests answered a CPU second, in turns.

python -m benchmarks.speed.simulator_peers --python recsim=../recsim/bin/python

RecSim has its own environment, of Python 3.11 and old libraries; README.md says which. What the two simulate differs:
its interest_evolution has a user with interests and a budget of time who meets fresh videos at every step, ours rooms
that live, heat up and end. Actions are uniform and settled beside the clock in both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks import machine
from benchmarks.processes import environment
from benchmarks.rows import write_csv
from benchmarks.speed import options
from benchmarks.speed.simulator import Played, Setting
from benchmarks.speed.tables import spread

CANDIDATES, STEPS = (10, 50, 100), 2_000
#: Viewers side by side, as a user of ours would have them, and one, as RecSim has it.
VIEWERS = (1, 1_024)


def recsim(python: str, candidates: int, steps: int) -> dict[str, Any]:
    """Its steps a second and its version."""
    words = [python, "-m", "benchmarks.speed.contestants.recsim_env"]
    words += ["--candidates", str(candidates), "--steps", str(steps)]
    done = subprocess.run(words, env=environment(), text=True, capture_output=True)
    if done.returncode:
        sys.exit(
            f"left out: RecSim does not start ({done.stderr.strip().splitlines()[-1]}); name one by --python recsim="
        )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    """Measure, print, write."""
    told = options.parse(options.parser(__doc__, rounds=3))
    python, rows, found = options.interpreter(told, "recsim"), [], {}
    print("| candidates | RecSim, steps/s | ours, 1 viewer | times | ours, 1,024 viewers | times |")
    print("|---|---|---|---|---|---|")
    for candidates in CANDIDATES:
        ours = [Played(Setting("peers", candidates, viewers, candidates, 3_000)) for viewers in VIEWERS]
        own: list[dict[str, float]] = []
        for round_ in range(told.rounds):
            found = recsim(python, candidates, STEPS // 10 if told.quick else STEPS)
            for one in ours:
                one.turn()
            speeds = {f"livedqn_{one.setting.viewers}": one.setting.viewers / one.medians[-1] for one in ours}
            own.append({"recsim": found["steps_per_s"], **speeds})
            rows.append({"candidates": candidates, "round": round_, **{n: round(s) for n, s in own[-1].items()}})
        cells = [spread([row["recsim"] for row in own], 0)]
        for viewers in VIEWERS:
            name = f"livedqn_{viewers}"
            cells += [spread([row[name] for row in own], 0), spread([row[name] / row["recsim"] for row in own], 1)]
        print(f"| {candidates} | {' | '.join(cells)} |", flush=True)
    write_csv(told.results / "simulator_peers.csv", rows)
    machine.record(told.results, "simulator_peers", rounds=told.rounds, recsim=found["version"])


if __name__ == "__main__":
    main()
