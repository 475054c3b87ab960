"""What logs say of policies: ratios, models and weights of every logged request, in two readings of the logs.

Features are standardised before (:mod:`livedqn.ope.features`). The first reading sums up what the models are solved
from, the second asks them of each request, the model of a viewer being made of other viewers' requests. Only a few
numbers a request are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from livedqn.logs import Impressions
from livedqn.ope.features import RequestFeatures
from livedqn.ope.fit import Sums, by_fold
from livedqn.ope.logged import Requests, folds, pieces, requests
from livedqn.protocols import Reward
from livedqn.types import FloatArray, IntArray, LivedqnError, Observation

#: The probabilities (B, K) with which a policy takes each action.
Target = Callable[[Observation], FloatArray]
#: The probability (N,) with which the answered requests of a part were answered as they were.
Propensity = Callable[[Impressions], FloatArray]
FOLDS = 4


@dataclass(frozen=True)
class Judged:
    """One policy at N logged requests, float64."""

    rho: FloatArray  # (N,) how much likelier than the logs' policy it takes the logged action
    q: FloatArray  # (N,) value of the logged action
    v: FloatArray  # (N,) its own value at this request
    paid: FloatArray  # (N,) reward, and the model's value of what was cut off behind
    error: FloatArray  # (N,) reward + gamma v' - q
    omega: (
        FloatArray  # (N,) how much this request counts for a session of this policy: rho times how much its state does
    )
    pull: FloatArray  # (N,) how much its error moved the fit of q, which is linear


@dataclass(frozen=True)
class Evidence:
    """N logged requests of n sessions, in order, and what is known of each policy there."""

    session: IntArray  # (N,) numbered from 0
    position: IntArray  # (N,) in its session, from 0
    viewer: IntArray  # (n,) of each session, numbered from 0
    reward: FloatArray  # (N,)
    uniform: FloatArray  # (N,) how much likelier than the logs' policy a uniform choice over the mask is the logged one
    logged: FloatArray  # (n,) what each session earned, with the model's value of what was cut off
    cut: int  # sessions that were cut
    unknown: int  # of which the last observation is missing besides
    policies: Mapping[str, Judged]
    gamma: float


class _Part:
    """What a part shows, and the features of what the logs and each target do."""

    def __init__(self, part: Impressions, reward: Reward, features: RequestFeatures) -> None:
        self.requests: Requests = requests(part, reward)
        self.observation = part.observation
        self.features, self.seen = features, features.seen(part.observation)
        self.action = part.action[self.requests.rows]
        self.fold = folds(self.requests.viewer, FOLDS)
        rows = torch.from_numpy(self.requests.rows)
        self.x = features.joint(self.seen.state[rows], self.seen.rooms[rows, torch.from_numpy(self.action)])

    def expected(self, target: Target) -> tuple[Tensor, FloatArray]:
        """E_pi x at every row, and the probability of each logged action (N,)."""
        p = target(self.observation)
        mean = torch.einsum("bk,bkf->bf", torch.from_numpy(p.astype(np.float32)), self.seen.rooms)
        return self.features.joint(self.seen.state, mean), p[self.requests.rows, self.action].astype(np.float64)

    def following(self, values: Tensor) -> Tensor:
        """Those of ``values`` (B, ...) that belong to the successors, (N, ...); 0 where there is none."""
        successor = torch.from_numpy(self.requests.successor)
        found = values[successor.clamp_min(0)]
        found[successor < 0] = 0
        return found


def gather(
    parts: Iterable[Impressions], features: RequestFeatures, reward: Reward, targets: Mapping[str, Target],
    propensity: Propensity, gamma: float = 1.0, advance: Callable[[], None] = lambda: None,
) -> Evidence:  # fmt: skip
    """Read ``parts``, which can be read again and again and hold whole sessions without faults.

    Args:
        parts: the logs.
        features: of what they show.
        reward: what is to be judged by.
        targets: the policies to judge.
        propensity: that of each answered request.
        gamma: discount of a request.
        advance: is called after every piece, in both readings.

    Raises:
        LivedqnError: there was nothing to read.
    """
    models = {name: _Models(features) for name in targets}
    own = Sums(features.states, FOLDS)  # of the logs' policy, whose action there is no need to know
    for part in pieces(parts):
        _sum(_Part(part, reward, features), models, targets, own, propensity(part), gamma)
        advance()
    solved = {name: (*one.values.solve(), one.states.solve()[1]) for name, one in models.items()}
    own_theta, _ = own.solve()
    notes: list[dict[str, FloatArray | IntArray]] = []
    for part in pieces(parts):
        seen = _Part(part, reward, features)
        known = propensity(part)
        note = _note(seen, known, own_theta, gamma)
        for name, target in targets.items():
            note |= {f"{key} {name}": a for key, a in _ask(seen, target, solved[name], known, gamma).items()}
        notes.append(note)
        advance()
    if not notes:
        raise LivedqnError(
            "the logs were empty when they were read again; a reader of logs starts anew whenever it is iterated "
            "(livedqn.testing.check_logs tries it)"
        )
    return _joined(notes, [*targets], gamma)


class _Models:
    """What is summed up for a target: of its values, and of how much each state counts."""

    def __init__(self, features: RequestFeatures) -> None:
        self.values, self.states = Sums(features.size, FOLDS), Sums(features.states, FOLDS)


def _sum(
    part: _Part, models: Mapping[str, _Models], targets: Mapping[str, Target], own: Sums, propensity: FloatArray,
    gamma: float,
) -> None:  # fmt: skip
    found = part.requests
    known = torch.from_numpy(np.flatnonzero(~found.is_unknown))
    first = torch.from_numpy(found.rows[found.begins])
    reward = torch.from_numpy(found.reward.astype(np.float32))[known]
    fold, of = part.fold[known.numpy()], part.fold[found.begins]
    state = part.features.alone(part.seen.state)
    y, y_next, y_first = state[torch.from_numpy(found.rows)], part.following(state), state[first]
    own.add(y[known], (y - gamma * y_next)[known], reward, y_first, fold, of)
    for name, target in targets.items():
        expected, p = part.expected(target)
        difference = part.x - gamma * part.following(expected)
        models[name].values.add(part.x[known], difference[known], reward, expected[first], fold, of)
        rho = torch.from_numpy((p / propensity).astype(np.float32))[:, None]
        models[name].states.add(y[known], (y - gamma * rho * y_next)[known], reward, y_first, fold, of)


def _ask(
    part: _Part, target: Target, solved: tuple[FloatArray, FloatArray, FloatArray], propensity: FloatArray, gamma: float
) -> dict[str, FloatArray]:
    found, (theta, eta, alpha) = part.requests, solved
    expected, p = part.expected(target)
    rows, rho = torch.from_numpy(found.rows), p / propensity
    q, pull = by_fold(part.x, theta, part.fold), by_fold(part.x, eta, part.fold)
    v = by_fold(expected[rows], theta, part.fold)
    v_next = by_fold(part.following(expected), theta, part.fold)
    # a share of time that is spent in a state cannot be negative, whatever a linear function says
    counts = np.maximum(by_fold(part.features.alone(part.seen.state[rows]), alpha, part.fold), 0)
    # where nobody knows what followed, nothing behind it counts, as in what the logs' own policy earned
    error = np.where(found.is_unknown, 0, found.reward + gamma * v_next - q)
    paid = found.reward + np.where(found.is_cut, gamma * v_next, 0)
    return {"rho": rho, "q": q, "v": v, "paid": paid, "error": error, "omega": rho * counts, "pull": pull}


def _note(part: _Part, propensity: FloatArray, theta: FloatArray, gamma: float) -> dict[str, FloatArray | IntArray]:
    found = part.requests
    state = part.features.alone(part.seen.state)
    tail = by_fold(part.following(state), theta, part.fold)
    allowed = part.observation["mask"].sum(axis=1)[found.rows]
    return {
        "begins": found.begins, "viewer": found.viewer, "reward": found.reward,
        "uniform": 1 / (allowed * propensity), "tail": np.where(found.is_cut, gamma * tail, 0),
        "cut": found.is_cut | found.is_unknown, "unknown": found.is_unknown,
    }  # fmt: skip


def _joined(notes: list[dict[str, FloatArray | IntArray]], names: list[str], gamma: float) -> Evidence:
    rows = {key: np.concatenate([note[key] for note in notes]) for key in notes[0]}
    session = np.cumsum(rows["begins"]) - 1
    starts = np.flatnonzero(rows["begins"])
    position = np.arange(len(session)) - starts[session]
    returns = np.bincount(session, weights=gamma**position * (rows["reward"] + rows["tail"])).astype(np.float64)
    fields = ("rho", "q", "v", "paid", "error", "omega", "pull")
    return Evidence(
        session=session, position=position, viewer=np.unique(rows["viewer"][starts], return_inverse=True)[1],
        reward=rows["reward"], uniform=rows["uniform"], logged=returns, cut=int(rows["cut"].sum()),
        unknown=int(rows["unknown"].sum()),
        policies={name: Judged(**{key: rows[f"{key} {name}"] for key in fields}) for name in names}, gamma=gamma,
    )  # fmt: skip
