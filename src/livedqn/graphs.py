"""A learner's update and values as compiled graphs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from livedqn.compilation import NotCompilableError, captured, compiled, seconds
from livedqn.learner import BETA1, Gradient, Learner, State, adam
from livedqn.objective import Networks
from livedqn.transitions import LaterTensors, Transitions
from livedqn.types import FloatArray, LivedqnError, Observation, TensorObservation

#: Seconds of eager updates from which on compiling is worth its own time: up to 60 s on a first run, 12 s on the next
#: ones, where compiled updates take less than half of the eager ones' time.
BREAK_EVEN_S = 90.0
#: How far gradients, and values, of the two ways may lie apart, relative to the greatest.
TOLERANCE = 1e-3
#: Times which weights are others, to be compared with again.
MOVED = 1.01


def resolve(
    learner: Learner, batch: Transitions, observation: Observation, *,
    wish: str, was_compiled: bool, updates: int, tell: Callable[[str], None],
) -> Graphs | None:  # fmt: skip
    """Graphs to compute with, or None; asked only where there is something to decide.

    Args:
        learner: whose update and values.
        batch: of the shapes that will come.
        observation: to act on, of the shapes that will come.
        wish: "true" or "auto".
        was_compiled: a resumed run had decided for it.
        updates: how many are to come.
        tell: takes the line that says what "auto" has decided, and why.

    Raises:
        LivedqnError: it must be compiled, and cannot be.
    """
    if wish == "true" or was_compiled:
        try:
            return Graphs(learner, batch, observation)
        except NotCompilableError as error:
            who = "this run's updates were compiled" if was_compiled else "compile=true"
            raise LivedqnError(f"{who}, but {error}; compile=false computes the same, up to rounding") from None
    graphs, why = choose(learner, batch, observation, updates)
    tell(why)
    return graphs


def choose(learner: Learner, batch: Transitions, observation: Observation, updates: int) -> tuple[Graphs | None, str]:
    """Graphs, if they save time over ``updates`` updates of such a batch; and why, or why not, in a line."""
    device = learner.weights.vector.device.type
    if device != "cpu":
        return None, f"updates are eager: whether compiling pays on {device} was never measured; compile=true does it"
    twin = copy.deepcopy(learner)  # to be timed alone: the parameters of a copy are no views of its vector

    with torch.random.fork_rng():  # and draw
        each = seconds(lambda: twin.update(batch))
        if updates * each < BREAK_EVEN_S:
            return None, f"updates are eager: {updates:,} of {1e3 * each:.3g} ms are over before compiling pays"
        try:
            graphs = Graphs(learner, batch, observation)
        except NotCompilableError as error:
            return None, f"updates are eager: {error}"
        each, other = (
            seconds(lambda: twin.update(batch)),
            seconds(lambda: graphs.update(twin.state, twin.with_noise(batch))),
        )
    ratio = f"{1e3 * other:.3g} ms an update, against {1e3 * each:.3g} ms"
    return (
        (graphs, f"updates are compiled: {ratio}") if other < each else (None, f"updates are eager: compiled, {ratio}")
    )


class Graphs:
    """What ``learner`` computes, compiled for the shapes of a batch and of an observation to act on.

    Only a learner's state is read when a graph runs. All else (transforms, the reward's scale, buffers) is of the time
    at which it was built, so build it when those are fixed.

    Raises:
        NotCompilableError: an encoder changes its buffers in ``forward``, draws random numbers, or branches on values.
    """

    def __init__(self, learner: Learner, batch: Transitions, observation: Observation) -> None:
        self._names = list(batch.observation)
        self._batch_size, self._weights = len(batch.action), learner.state.weights
        self._observed = {name: np.array(observation[name]) for name in self._names}
        self._acted_on = [self._weights, *map(torch.from_numpy, self._observed.values())]
        twin = copy.deepcopy(learner)
        batch, noise = twin.with_noise(batch), twin.draw(1)  # as any other; the learner's generator stays where it was
        eager, acted_on = Functional(twin, self._names), self._of_observation(observation, noise)
        learned_from = [*fresh(learner.state), *self._of_batch(batch)]
        update_graph, values_graph = captured(eager.update, learned_from), captured(eager.values, acted_on)
        eager.require_unchanged_buffers(learner)
        self._update = compiled(update_graph, learned_from)
        self._values = compiled(values_graph, acted_on, checks=False)  # what it is given is made here, always alike
        self._require_agreement(eager, learner.state, batch, acted_on)

    def fit(self, batch: Transitions) -> bool:
        """Whether ``batch`` has the shape for which there is a graph."""
        return len(batch.action) == self._batch_size

    def update(self, state: State, batch: Transitions) -> Sequence[Tensor]:
        """One step of Adam, in place; returns error (N,) and measures (4,), see :meth:`Learner.update`."""
        return self._update(*state, *self._of_batch(batch))

    def values(self, observation: Observation, noise: Tensor | None) -> FloatArray:
        """The online network's values in the reward's own unit, (E, B, K), with ``noise`` (1, M) if it is noisy."""
        return self._values(*self._of_observation(observation, noise))[0].numpy(force=True)

    def _require_agreement(
        self, eager: Functional, state: State, batch: Transitions, acted_on: Sequence[Tensor]
    ) -> None:
        """Raise NotCompilableError unless both ways say the same: a plugin may hide what it depends on.

        What lies at an edge, of two values that are equal or at the threshold of what is plausible, is rounded to
        either side; with other weights it is something else that does.
        """
        moved = state._replace(weights=state.weights * MOVED)
        if not any(self._agrees(eager, one, batch, acted_on) for one in (state, moved)):
            raise NotCompilableError("compiled, it computes something else")

    def _agrees(self, eager: Functional, state: State, batch: Transitions, acted_on: Sequence[Tensor]) -> bool:
        ours, theirs = fresh(state), fresh(state)
        self.update(ours, batch)
        eager.update(*theirs, *self._of_batch(batch))
        is_same = torch.equal(ours.weights, state.weights) == torch.equal(theirs.weights, state.weights)
        # after one step a moment is the gradient, but for a factor; the step itself is as large where that is rounding
        is_same &= _are_close(ours.mean / (1 - BETA1), theirs.mean / (1 - BETA1))
        seen = [state.weights, *acted_on[1:]]
        return is_same and _are_close(self._values(*seen)[0], eager.values(*seen)[0])

    def _of_batch(self, batch: Transitions) -> list[Tensor]:
        seen, following = ([of[name] for name in self._names] for of in (batch.observation, batch.next_observation))
        rest = [batch.action, batch.reward, batch.discount, batch.weight]
        if batch.later is not None:
            rest += [batch.later.action, batch.later.propensity, *(batch.later.observation[n] for n in self._names)]
        return [*seen, *following, *rest, *(() if batch.noise is None else (batch.noise,))]

    def _of_observation(self, observation: Observation, noise: Tensor | None) -> list[Tensor]:
        # copied, for tensors that stay: to make some of NumPy's arrays takes longer, unless they are large
        for name, array in self._observed.items():
            array[...] = observation[name]
        given, weights = self._acted_on if noise is None else [*self._acted_on, noise], self._weights
        return given if weights.is_cpu else [tensor.to(weights.device) for tensor in given]


def fresh(state: State) -> State:
    """A copy of ``state`` in which Adam has not begun, with a learning rate at which it moves."""
    weights, target_weights, mean, square, steps, rate = (part.clone() for part in state)
    return State(weights, target_weights, mean.zero_(), square.zero_(), steps.zero_(), rate.fill_(1e-3))


def _are_close(ours: Tensor, theirs: Tensor) -> bool:
    greatest = float(theirs.nan_to_num(0.0, 0.0, 0.0).abs().max())  # masked values are -inf in both
    return torch.allclose(ours, theirs, rtol=0, atol=TOLERANCE * max(greatest, 1e-6))


class Functional:
    """``learner``, which must be a copy, as functions of tensors alone; ``names`` are those of the arrays observed."""

    def __init__(self, learner: Learner, names: Sequence[str]) -> None:
        self._learner, self._names = learner, names

    def update(self, *given: Tensor) -> tuple[Tensor, Tensor]:
        """One step of Adam, which changes the :class:`~livedqn.learner.State` that comes first: error and measures."""
        state, observed = State(*given[: len(State._fields)]), given[len(State._fields) :]
        vector, error, measures = self.gradient(state.weights, state.target_weights, *observed)
        adam(state, vector)
        return error, measures

    def gradient(self, weights: Tensor, target_weights: Tensor, *observed: Tensor) -> Gradient:
        """What the batch ``observed`` says of the networks with ``weights`` (P,) and ``target_weights`` (Q,)."""
        learner, count = self._learner, len(self._names)
        seen, following = (self._observation(observed[at : at + count]) for at in (0, count))
        action, reward, discount, weight, *rest = observed[2 * count :]
        noise = rest.pop() if learner.noise is not None else None
        later = LaterTensors(self._observation(rest[2:]), rest[0], rest[1]) if rest else None
        parts = zip(learner.weights.views(weights), learner.weights.parameters, strict=True)
        parameters = [part.detach().requires_grad_(like.requires_grad) for part, like in parts]
        (target,) = learner.target_weights.named(learner.target_weights.views(target_weights))
        at = self._networks(parameters)._replace(target=_at(learner.networks.target, target))
        with torch.enable_grad():
            batch = Transitions(seen, action, reward, discount, following, weight, later, noise)
            return learner.gradient(at, parameters, batch)

    def values(self, weights: Tensor, *observed: Tensor) -> tuple[Tensor]:
        """The online network's values in the reward's own unit, (E, B, K), at ``weights`` (P,)."""
        learner, count = self._learner, len(self._names)
        at, noise = self._networks(learner.weights.views(weights)), observed[count:]
        with torch.no_grad():
            seen = self._observation(observed[:count])
            return (learner.objective.values(at.online, seen, at.behaviour, *noise),)

    def require_unchanged_buffers(self, before: Learner) -> None:
        """Raise NotCompilableError if a capture changed a buffer that ``before`` still has as it was."""
        for ours, theirs in zip(self._learner.networks, before.networks, strict=True):
            for (name, now), (_, then) in zip(_buffers(ours), _buffers(theirs), strict=True):
                if not torch.equal(now, then):
                    raise NotCompilableError(f"it changes its buffer {name} in forward")

    def _networks(self, parameters: Sequence[Tensor]) -> Networks:
        """Those that learn, with ``parameters``; the target as it is."""
        own = self._learner.networks
        given = iter(self._learner.weights.named(parameters))
        online, myopic, behaviour = (
            None if network is None else _at(network, next(given))
            for network in (own.online, own.myopic, own.behaviour)
        )
        assert online is not None
        return Networks(online, own.target, myopic, behaviour)

    def _observation(self, tensors: Sequence[Tensor]) -> TensorObservation:
        return dict(zip(self._names, tensors, strict=True))


def _at(network: Any, parameters: dict[str, Tensor]) -> Callable[..., Tensor]:
    return lambda *given, **named: functional_call(network, parameters, given, named)


def _buffers(network: Any) -> list[tuple[str, Tensor]]:
    return [] if network is None else list(network.named_buffers())
