"""``livedqn +env=sim reward=watchtime`` up to the end of its first training step: prints when it was, and CPU seconds.

Nothing of livedqn that a command line does not import at once is imported here: its imports are part of the wait.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from livedqn import cli
from livedqn.cli import jobs


def watched(composed: Any) -> None:
    """The job of training, ended after one step."""
    from livedqn.agent import DQN

    step = DQN.training_step

    def first(agent: DQN, until: int, batch_idx: int) -> None:
        step(agent, until, batch_idx)
        print(time.time(), time.process_time(), flush=True)
        sys.exit(0)

    DQN.training_step = first  # type: ignore[assignment, method-assign]
    train(composed)


train = jobs.JOBS["train"]


if __name__ == "__main__":
    jobs.JOBS["train"] = watched
    sys.argv[1:] = ["+env=sim", "reward=watchtime", "compile=false", *sys.argv[1:]]
    cli.main()
