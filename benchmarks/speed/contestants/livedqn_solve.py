"""``livedqn +env=gym env.id=CartPole-v1 +experiment=cartpole``, evaluated as often as the peer, by its own means."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import numpy as np

from benchmarks.speed import finish
from livedqn import cli, training
from livedqn.types import FloatArray

STEPS = 40_000  # the preset's


def main() -> None:
    """Train until it is solved."""
    told = finish.arguments()
    steps = told.steps or STEPS
    goal, validate, seen = finish.Finish(told.began), training.evaluate.validate, 0  # type: ignore[attr-defined]

    def validate_and_confirm(policy: Any, *given: Any, **more: Any) -> FloatArray:
        nonlocal seen
        seen += finish.EVERY_STEPS

        def act(context: Any) -> int:
            return int(policy({"context": context[None], "mask": np.ones((1, 2), np.bool_)})[0])

        returns: FloatArray = validate(policy, *given, **more)
        goal.evaluate(act, seen, float(returns.mean()))
        return returns

    training.evaluate.validate = validate_and_confirm  # type: ignore[attr-defined]
    training.evaluate.final_evaluation = lambda *_, **__: goal.end(None, steps)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        sys.argv[1:] = [
            "+env=gym", "env.id=CartPole-v1", "+experiment=cartpole", f"seed={told.seed}", f"steps={steps}",
            f"evaluation.points={steps // finish.EVERY_STEPS}", f"hydra.run.dir={folder}/run",
            *told.more,
        ]  # fmt: skip
        cli.main()


if __name__ == "__main__":
    main()
