"""Where the time of training goes: the top ten of cProfile and of torch's profiler, on CartPole and on the simulator.

python benchmarks/speed/profiles.py

One of them alone: ``livedqn_dqn.py --profile torch --variant sim``, run as ``options.environment`` says.
"""

from __future__ import annotations

import subprocess

import options

#: Variant of livedqn's contestant -> environment steps of the stretch.
STRETCHES = {"eager": 6_000, "compile": 6_000, "sim": 12_000}


def main() -> None:
    """Print them all."""
    told = options.parse(options.parser(__doc__, rounds=1))
    for variant, steps in STRETCHES.items():
        for profile in ("cprofile", "torch"):
            print(f"\n--- livedqn:{variant}, {profile}", flush=True)
            command = [options.interpreter(told, "livedqn"), "-m", "contestants.livedqn_dqn", "--variant", variant]
            command += ["--steps", str(steps // 2 if told.quick else steps), "--profile", profile]
            subprocess.run(command, env=options.environment(), check=True)


if __name__ == "__main__":
    main()
