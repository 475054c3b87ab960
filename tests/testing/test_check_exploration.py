"""The check lets good explorations pass and names what a bad one breaks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.exploration import UCB, Boltzmann, EpsilonGreedy, Thompson
from livedqn.testing import ContractError, check_exploration

BUILT_IN = [EpsilonGreedy(), Boltzmann(), UCB(), Thompson()]


@pytest.mark.parametrize("exploration", [*BUILT_IN, Boltzmann(schedule="linear", end=1e-3), EpsilonGreedy(steps=0)])
def test_built_in_explorations_pass(exploration):
    check_exploration(exploration)


@settings(max_examples=100, deadline=None)
@given(
    exploration=st.sampled_from(BUILT_IN),
    shape=st.tuples(st.integers(2, 5), st.integers(1, 6), st.integers(1, 30)),
    scale=st.sampled_from([0, 1e-6, 1, 1e6]),
    step=st.integers(0, 10**7),
    seed=st.integers(0, 10**6),
)
def test_built_in_explorations_on_any_shape(exploration, shape, scale, step, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape[1:]) < rng.random()
    mask[:, 0] = True
    q = np.where(mask, scale * rng.normal(size=shape), -np.inf).astype(np.float32)
    p = exploration(q, mask, step)
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-9)
    assert (p >= 0).all()
    assert not p[~mask].any()
    order = rng.permutation(shape[2])  # another order of the rooms is another order of the probabilities
    np.testing.assert_allclose(exploration(q[..., order], mask[:, order], step), p[:, order], rtol=1e-9)


class Uniform:
    def __call__(self, q, mask, step):
        return mask / mask.sum(axis=-1, keepdims=True)


class WantsNone(Uniform):
    min_estimates = 0


class AnswersActions(Uniform):
    def __call__(self, q, mask, step):
        return q.mean(axis=0).argmax(axis=-1)


class SharesAll(Uniform):
    def __call__(self, q, mask, step):
        return np.full(mask.shape, 1 / mask.shape[1])


class SumsToTwo(Uniform):
    def __call__(self, q, mask, step):
        return 2 * super().__call__(q, mask, step)


class Negative(Uniform):
    def __call__(self, q, mask, step):
        return -super().__call__(q, mask, step)


class Overflows(Uniform):
    def __call__(self, q, mask, step):
        with np.errstate(all="ignore"):
            weight = np.exp(q.mean(axis=0))
            return weight / weight.sum(axis=-1, keepdims=True)


class Standardises(Uniform):
    """Goes by the mask alone; a policy may rule out what it allows."""

    def __call__(self, q, mask, step):
        value = np.where(mask, q.mean(axis=0, dtype=np.float64), 0)
        with np.errstate(all="ignore"):
            weight = mask * np.exp(value / (1 + np.abs(value).max(axis=1, keepdims=True)))
        return weight / weight.sum(axis=-1, keepdims=True)


class WritesMask(Uniform):
    def __call__(self, q, mask, step):
        mask[:, 2:] = False
        return super().__call__(q, mask, step)


class Draws(Uniform):
    rng = np.random.default_rng(0)

    def __call__(self, q, mask, step):
        weight = mask * self.rng.random(mask.shape)
        return weight / weight.sum(axis=-1, keepdims=True)


class SharesTheGreatest(Uniform):
    """A temperature that depends on the greatest value of the whole batch."""

    def __call__(self, q, mask, step):
        value = np.where(mask, q.mean(axis=0), 0)
        weight = mask * np.exp(value / (1 + np.abs(value).max()))
        return weight / weight.sum(axis=-1, keepdims=True)


class NeedsThree(Uniform):
    def __call__(self, q, mask, step):
        if len(q) < 3:
            raise ValueError("too few estimates")
        return super().__call__(q, mask, step)


class SaysThree(NeedsThree):
    min_estimates = 3


def test_an_exploration_that_says_how_many_estimates_it_needs_passes():
    check_exploration(SaysThree())


@pytest.mark.parametrize(
    ("exploration", "promise"),
    [
        (WantsNone(), "min_estimates is 0"),
        (AnswersActions(), "answered int64"),
        (SharesAll(), "outside the mask"),
        (SumsToTwo(), r"sum to 2 \.\.\. 2"),
        (Negative(), "negative probability"),
        (Overflows(), "not finite"),
        (Standardises(), "not finite"),
        (WritesMask(), "may only read"),
        (Draws(), "draws nothing"),
        (SharesTheGreatest(), "otherwise for a row alone.*rows are different viewers"),
        (NeedsThree(), "NeedsThree raised ValueError: too few estimates when.*it owes NeedsThree.min_estimates"),
        (Uniform, r"was given the class Uniform; it takes an instance: check_exploration\(Uniform"),
        (object(), "object cannot be called"),
    ],
)
def test_the_broken_promise_is_named(exploration, promise):
    with pytest.raises(ContractError, match=promise):
        check_exploration(exploration)
