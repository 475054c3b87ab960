"""Who acts while logs are made: values of every action, from which an exploration makes probabilities."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from livedqn import checkpoint
from livedqn.evaluate import check_fit
from livedqn.evaluate.policies import Score, favourite, hottest
from livedqn.experience import QValues
from livedqn.request import NOT_FINITE
from livedqn.stage import Stage
from livedqn.types import FloatArray, LivedqnError, Observation, did_you_mean
from livedqn.watchdog import are_numbers

#: Baselines by name: what they score rooms by, or None where the environment has nothing of the kind.
SCORES: dict[str, Callable[[Stage], Score | None]] = {
    "random": lambda stage: _equal,
    "hottest": lambda stage: hottest(stage.spec),
    "favourite": lambda stage: favourite(stage.spec),
}


def baseline(name: str, stage: Stage) -> QValues:
    """Values (1, B, K) of a baseline: its score of each room, which is 0 at least; -inf outside the mask.

    *nothing* is worth less than any room, -1. ``random`` values all actions alike, *nothing* too, so that any
    exploration spreads evenly over them.

    Raises:
        LivedqnError: there is no such policy, or the environment does not show what it goes by.
    """
    if name not in SCORES:
        raise LivedqnError(f"there is no policy {name!r}{did_you_mean(name, SCORES)}; choose from {', '.join(SCORES)}")
    score = SCORES[name](stage)
    if score is None:
        raise LivedqnError(f"policy={name} goes by what this environment does not show; policy=random always can")

    def values(observation: Observation) -> FloatArray:
        found = np.array(score(observation), np.float64)
        found[:, 0] = 0 if name == "random" else -1
        return np.where(observation["mask"], found, -np.inf)[None]

    return values


def learned(path: str, device: str, stage: Stage) -> tuple[QValues, int, str]:
    """Of a checkpoint: its values (E, B, K), E, and the version that logs note: ``policy-`` and a hash of the file.

    That of *nothing* is raised by the policy's margin: the best of these values is what the policy does, so that logs
    are of the one that is judged and served, but for what exploration adds.

    Rooms that are not on its shortlist have none: of explorations epsilon-greedy alone shows them, all others by the
    floor.

    Raises:
        LivedqnError: it cannot be read, or does not fit the environment.
    """
    found = checkpoint.read(path, device)
    check_fit(found, stage.spec)
    version = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]

    def values(observation: Observation) -> FloatArray:
        q = found.agent.policy_values(observation)
        if not are_numbers(q):
            raise LivedqnError(NOT_FINITE)
        q[..., 0] += float(found.agent.margin)
        return q

    return values, found.agent.ensemble, f"{Path(path).stem}-{version}"


def _equal(observation: Observation) -> FloatArray:
    return np.zeros(observation["mask"].shape)
