"""Where the time of training goes: the top ten of cProfile and of torch's profiler, on CartPole and on the simulator.

python -m benchmarks.speed.profiles

One of them alone: ``python -m benchmarks.speed.contestants.livedqn_dqn --profile torch --variant sim``.
"""

from __future__ import annotations

import subprocess

from benchmarks.processes import environment
from benchmarks.speed import options

#: Variant of livedqn's contestant -> environment steps of the stretch.
STRETCHES = {"eager": 6_000, "compile": 6_000, "sim": 12_000}


def main() -> None:
    """Print them all."""
    told = options.parse(options.parser(__doc__, rounds=1))
    for variant, steps in STRETCHES.items():
        for profile in ("cprofile", "torch"):
            print(f"\n--- livedqn:{variant}, {profile}", flush=True)
            command = [options.interpreter(told, "livedqn"), "-m", "benchmarks.speed.contestants.livedqn_dqn"]
            command += ["--variant", variant, "--profile", profile]
            command += ["--steps", str(steps // 2 if told.quick else steps)]
            subprocess.run(command, env=environment(), check=True)


if __name__ == "__main__":
    main()
