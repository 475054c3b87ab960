"""What several encoders share: a stack of dense layers, and one sentence for an environment that does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from livedqn.types import LivedqnError, Spec


def dense(inputs: int, hidden: Sequence[int]) -> nn.Sequential:
    """Linear layers of ``hidden`` widths, each followed by ReLU: (..., inputs) -> (..., hidden[-1]).

    Raises:
        LivedqnError: no layer, or one without a unit.
    """
    if not hidden or min(hidden) < 1:
        raise LivedqnError(f"the encoder has hidden={list(hidden)}; name at least one layer, each of 1 unit or more")
    return nn.Sequential(*(layer for sizes in pairwise((inputs, *hidden)) for layer in (nn.Linear(*sizes), nn.ReLU())))


def refuse_images(name: str, spec: Spec) -> None:
    """Raise LivedqnError where the context is no vector."""
    if len(spec.context_shape) != 1:
        raise LivedqnError(f"encoder {name} reads vectors, but this environment shows images; choose encoder=conv")


def require_history(name: str, spec: Spec) -> None:
    """Raise LivedqnError where there is no history to read."""
    if not spec.history:
        other = "mlp" if len(spec.context_shape) == 1 else "conv"
        raise LivedqnError(f"encoder {name} reads a history, and this environment has none; choose encoder={other}")
