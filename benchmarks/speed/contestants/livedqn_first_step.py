"""``livedqn +env=sim reward=watchtime`` up to the end of its first training step, whose time it prints."""

from __future__ import annotations

import sys
import time
from typing import Any

from parts_of_livedqn import COMPILES

from livedqn import cli
from livedqn.agent import DQN


def main() -> None:
    """Run the command line; words given are added to it."""
    step = DQN.training_step

    def first(self: DQN, *given: Any) -> None:
        step(self, *given)
        print(time.time(), flush=True)
        sys.exit(0)

    DQN.training_step = first  # type: ignore[method-assign]
    sys.argv[1:] = ["+env=sim", "reward=watchtime", *(["compile=false"] if COMPILES else []), *sys.argv[1:]]
    cli.main()


if __name__ == "__main__":
    main()
