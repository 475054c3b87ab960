"""``livedqn`` as a user types it, which also notes what its training took: ``<run>/seconds.json``.

Counted is Lightning's fit less the evaluations in it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from livedqn import cli, evaluate
from livedqn.lightning import pl


class Clock:
    """Seconds so far."""

    cpu_s = 0.0
    wall_s = 0.0

    def around(self, function: Callable[..., Any], sign: int) -> Callable[..., Any]:
        """``function``, whose seconds are added, or taken off."""

        def timed(*given: Any, **more: Any) -> Any:
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                return function(*given, **more)
            finally:
                self.cpu_s += sign * (time.process_time() - cpu)
                self.wall_s += sign * (time.perf_counter() - wall)

        return timed


@contextmanager
def training_timed() -> Iterator[Clock]:
    """What trainings in here take."""
    clock, fit, validate = Clock(), pl.Trainer.fit, evaluate.validate
    pl.Trainer.fit = clock.around(fit, 1)  # type: ignore[method-assign]
    evaluate.validate = clock.around(validate, -1)
    try:
        yield clock
    finally:
        pl.Trainer.fit, evaluate.validate = fit, validate  # type: ignore[method-assign]


def main() -> None:
    """Train."""
    folder = next(word.partition("=")[2] for word in sys.argv if word.startswith("hydra.run.dir="))
    with training_timed() as clock:
        cli.main()
    (Path(folder) / "seconds.json").write_text(json.dumps({"cpu_s": clock.cpu_s, "wall_s": clock.wall_s}))


if __name__ == "__main__":
    main()
