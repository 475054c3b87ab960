"""Small specifications, and observations that fit them, for the tests of plugins."""

from __future__ import annotations

from dataclasses import replace

import torch

from livedqn.types import Column, Spec, TensorObservation


def example_spec() -> Spec:
    """A small recommendation environment as an encoder is told of it: every column a number; K = 5, T = 3."""
    return rooms_spec(num_actions=5, context=4, history=(3, 6), candidates=5)


def rooms_spec(*, num_actions: int, context: int, history: tuple[int, int], candidates: int) -> Spec:
    """A dense spec with rooms: K actions, C, (T, H) and F columns. Column 0 of the history marks real rows."""
    return Spec(
        context=_numbers("context", context),
        context_shape=(context,),
        num_actions=num_actions,
        history=(Column("real"), *_numbers("history", history[1] - 1)),
        history_length=history[0],
        candidates=_numbers("candidate", candidates),
        signals=("clicked", "watch_s", "liked"),
    )


def shared_spec() -> Spec:
    """As :func:`example_spec`, and a room has a topic, embedded in two numbers, as past impressions have."""
    spec, topic = example_spec(), tuple(Column(f"topic_{i}", of="topic") for i in range(2))
    return replace(spec, history=(*spec.history, *topic), candidates=(*topic, *spec.candidates))


def game_spec(*, num_actions: int, context_shape: tuple[int, ...]) -> Spec:
    """A spec with fixed actions, seen as a vector or, of rank 3, as an image."""
    columns = _numbers("context", context_shape[0]) if len(context_shape) == 1 else ()
    return Spec(context=columns, context_shape=context_shape, num_actions=num_actions)


def example_observation(spec: Spec, batch: int, seed: int) -> TensorObservation:
    """A random observation of ``spec``, ``batch`` rows: pixels are bytes; histories are from empty to full.

    Row 0 of the candidates, closed rooms and unused rows of the history are exact zeros, as the platform makes them.
    """
    random = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(batch, *shape, generator=random)

    mask = torch.rand(batch, spec.num_actions, generator=random) < 0.8
    mask[:, 0] = spec.has_nothing
    if not spec.has_rooms:
        if len(spec.context_shape) == 3:
            pixels = torch.randint(256, (batch, *spec.context_shape), generator=random, dtype=torch.uint8)
            return {"context": pixels, "mask": torch.ones_like(mask)}
        return {"context": normal(*spec.context_shape), "mask": torch.ones_like(mask)}
    candidates = normal(spec.num_actions, len(spec.candidates)) * mask[..., None]
    candidates[:, 0] = 0
    history = normal(spec.history_length, len(spec.history))
    history[..., 0] = 1
    for past, of in spec.shared:  # few kinds, so that many rooms have what an impression had
        kinds = torch.randn(3, len(of), generator=random)
        candidates[:, 1:, of] = _any(kinds, batch, spec.num_actions - 1, random) * mask[:, 1:, None]
        history[..., past] = _any(kinds, batch, spec.history_length, random)
    used = torch.arange(batch) % (spec.history_length + 1)  # the first row has no past, the last ones a full one
    history *= (torch.arange(spec.history_length) >= spec.history_length - used[:, None])[..., None]
    return {"context": normal(*spec.context_shape), "history": history, "candidates": candidates, "mask": mask}


def _any(kinds: torch.Tensor, batch: int, rows: int, random: torch.Generator) -> torch.Tensor:
    """One of ``kinds`` (n, E) for every row, (B, rows, E)."""
    return kinds[torch.randint(len(kinds), (batch, rows), generator=random)]


def _numbers(name: str, count: int) -> tuple[Column, ...]:
    return tuple(Column(f"{name}_{i}") for i in range(count))
