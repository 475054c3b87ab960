"""A slot of a replay: one observation and what was done at it, as one record of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.types import Spec

# Where the first fields stand. Kernels read words of four bytes (int32, float32) up to WINDOW, bytes from there on.
ACTION, PROPENSITY, REWARD, DISCOUNT = range(4)
WINDOW = 16  # also the number of bytes before it: all that is known of an observation only when it has been acted on
MASK = 17

#: The most transitions that a window can have: its length is one byte.
LONGEST_WINDOW = 255


def record_type(spec: Spec) -> np.dtype[Any]:
    """The fields of a slot, aligned as a C compiler would.

    ``window`` is the length of the complete window of transitions that begins here: up to n_step, less at the end of an
    episode, and 0 as long as there is none, when the slot cannot be sampled.
    """
    fields: list[Any] = [
        ("action", np.int32), ("propensity", np.float32), ("reward", np.float32), ("discount", np.float32),
        ("window", np.uint8), ("mask", np.bool_, (spec.num_actions,)),
        ("context", np.dtype(spec.context_dtype), spec.context_shape),
    ]  # fmt: skip
    if spec.has_rooms:
        fields.append(("history", np.float32, (spec.history_length, len(spec.history))))
        fields.append(("candidates", np.float32, (spec.num_actions, len(spec.candidates))))
    return np.dtype(fields, align=True)


def observation_fields(record: np.dtype[Any]) -> tuple[str, ...]:
    """The arrays of an observation that stand in a record; the mask, of single bytes, comes last."""
    return tuple(name for name in ("context", "history", "candidates", "mask") if name in (record.names or ()))
