"""When is CartPole solved? Evaluations in training, and a clock that stands still while one is confirmed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.speed.contest import greedy_return

SOLVED = 475.0  # mean return, of 500 at most
EVERY_STEPS = 2_500  # environment steps between two evaluations
EPISODES, CONFIRMED_BY = 10, 100  # of an evaluation, and of its confirmation on other episodes


def arguments() -> argparse.Namespace:
    """``seed``, ``steps`` (None: as the preset says), ``more`` overrides, and ``began``, before the process existed."""
    import torch

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--more", nargs="*", default=[], help="overrides, of livedqn alone")
    parser.add_argument("--began", type=float, default=time.time())
    return parser.parse_args()


class Finish:
    """Ends the process at the first evaluation that is confirmed, which for both contestants the same episodes do.

    Args:
        began: when the process was asked for.
    """

    def __init__(self, began: float) -> None:
        self._began, self._confirming, self._confirming_cpu = began, 0.0, 0.0

    def evaluate(self, act: Callable[[Any], Any], steps: int, value: float | None = None) -> float:
        """The mean return at environment step ``steps``; ``value`` where the contestant has evaluated itself."""
        value = greedy_return(act, EPISODES, seed=50_000) if value is None else value
        if value >= SOLVED:
            stopped, cpu = time.time(), time.process_time()
            confirmed = greedy_return(act, CONFIRMED_BY, seed=60_000)
            if confirmed >= SOLVED:
                self.end(stopped - self._began - self._confirming, steps, confirmed, cpu - self._confirming_cpu)
            self._confirming += time.time() - stopped
            self._confirming_cpu += time.process_time() - cpu
        return value

    def end(
        self, seconds: float | None, steps: int, confirmed: float | None = None, cpu_s: float | None = None
    ) -> None:  # fmt: skip
        """Say how long it took, also in CPU seconds, None: it never came; and stop."""
        found = {"seconds": seconds, "cpu_s": cpu_s}
        found = {name: value and round(value, 2) for name, value in found.items()}
        print(json.dumps({**found, "steps": steps, "confirmed": confirmed}), flush=True)
        sys.exit(0)
