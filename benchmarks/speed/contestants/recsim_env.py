"""RecSim's interest_evolution, one user at a time, a slate of one room: steps a CPU second, resets included."""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version

import numpy as np
from recsim.environments import interest_evolution


def main() -> None:
    """Step with uniform choices, and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--candidates", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    told = parser.parse_args()
    env = interest_evolution.create_environment(
        {"num_candidates": told.candidates, "slate_size": 1, "resample_documents": True, "seed": 0}
    )
    chosen = np.random.default_rng(0).integers(0, told.candidates, told.steps)
    env.reset()
    began = time.process_time()
    for choice in chosen:
        if env.step([choice])[2]:
            env.reset()
    print(json.dumps({"steps_per_s": told.steps / (time.process_time() - began), "version": version("recsim")}))


if __name__ == "__main__":
    main()
