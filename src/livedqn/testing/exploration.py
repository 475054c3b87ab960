"""What decides whether a class is an exploration."""

from __future__ import annotations

import numpy as np

from livedqn.protocols import Exploration
from livedqn.testing.errors import calling, described, expect, expect_instance
from livedqn.types import BoolArray, FloatArray

_STEPS = (0, 1, 10_000, 10**9)
_SCALES = (0.0, 1.0, 1e6)  # all values equal, ordinary ones, and great ones
_SHAPES = ((1, 1), (3, 2), (16, 20))  # (B, K)


def check_exploration(exploration: Exploration) -> None:
    """Try ``exploration`` on made values, masks and steps.

    Raises:
        ContractError: the first promise that it does not keep.
    """
    expect_instance(exploration, "check_exploration")
    name = type(exploration).__name__
    expect(callable(exploration), f"{name} cannot be called; it owes __call__(q, mask, step)")
    least = getattr(exploration, "min_estimates", 1)
    expect(isinstance(least, int) and least >= 1, f"{name}.min_estimates is {least!r}; it owes a number from 1")
    rng = np.random.default_rng(0)
    for estimates in (least, least + 4):
        for shape in _SHAPES:
            mask = rng.random(shape) < 0.6
            mask[:, 0] = True
            mask[0, 1:] = False  # one viewer to whom nothing may be shown
            if shape[1] > 1:
                mask[-1, :2] = False, True  # and one to whom a room has to be
            open_ = mask & (rng.random(shape) < 0.8)  # the policy rules some out itself, in every estimate, but not all
            open_[np.arange(len(mask)), shape[1] - 1 - mask[:, ::-1].argmax(axis=1)] = True
            for scale in _SCALES:
                q = np.where(open_, scale * rng.normal(size=(estimates, *shape)), -np.inf).astype(np.float32)
                for step in _STEPS:
                    _check(name, exploration, q, mask, step)


def _check(name: str, exploration: Exploration, q: FloatArray, mask: BoolArray, step: int) -> None:
    q_before, mask_before = q.copy(), mask.copy()
    p = _call(name, exploration, q, mask, step)
    case = f"for q of shape {q.shape} at step {step}"
    expect(
        isinstance(p, np.ndarray) and p.shape == mask.shape and np.issubdtype(p.dtype, np.floating),
        f"{name} answered {described(p)} {case}; it owes floating-point probabilities of shape {mask.shape}",
    )
    expect(np.isfinite(p).all(), f"{name} answered probabilities that are not finite {case}")
    expect((p >= 0).all(), f"{name} answered a negative probability {case}")
    expect(not p[~mask].any(), f"{name} gave probability to an action outside the mask {case}")
    expect(
        np.allclose(p.sum(axis=-1), 1, rtol=0, atol=1e-5),
        f"{name} answered probabilities that sum to {p.sum(axis=-1).min():.6g} ... {p.sum(axis=-1).max():.6g} {case}; "
        "every row owes 1",
    )
    expect(
        np.array_equal(q, q_before) and np.array_equal(mask, mask_before),
        f"{name} changed the values or the mask that it was given; it may only read them",
    )
    p = p.copy()
    expect(
        np.array_equal(_call(name, exploration, q, mask, step), p),
        f"{name} answered differently to the same values, mask and step; it owes probabilities and draws nothing",
    )
    # each alone: another order of the rows would not betray what they share, such as the greatest value of all
    for row in range(len(mask)):
        alone = _call(name, exploration, q[:, row : row + 1], mask[row : row + 1], step)
        expect(
            np.shape(alone) == (1, mask.shape[1]) and np.allclose(alone[0], p[row], rtol=1e-5, atol=1e-6),
            f"{name} answers otherwise for a row alone than among others {case}; rows are different viewers",
        )


def _call(name: str, exploration: Exploration, q: FloatArray, mask: BoolArray, step: int) -> FloatArray:
    needs = f"; if it needs more than {len(q)} estimate{'s' * (len(q) > 1)} of a value, it owes {name}.min_estimates"
    with calling(name, f"given q of shape {q.shape} at step {step}", hint=needs):
        return exploration(q, mask, step)
