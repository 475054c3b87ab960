"""The arrays of a batch, made once and filled again by every sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.protocols import Batch
from livedqn.replay.record import observation_fields
from livedqn.replay.storage import require_memory
from livedqn.types import Observation


class BatchArrays:
    """A batch of N windows of n transitions, and the form in which the kernel that fills it takes it.

    New arrays for every batch would be new pages from the operating system, and those take longer than what is written
    to them.

    Args:
        record: the fields of a slot.
        size: N.
        n_step: n.
    """

    def __init__(self, record: np.dtype[Any], size: int, n_step: int) -> None:
        require_memory(2 * size * record.itemsize, f"agent.batch_size={size}", "lower it")
        observation, following = (np.zeros(size * record.itemsize, np.uint8) for _ in range(2))
        views: tuple[Observation, Observation] = {}, {}
        fields, start = [], 0  # where a field stands in a record, how many bytes it has, where its N copies begin
        for name in observation_fields(record):
            field, offset = record.fields[name][:2]  # type: ignore[index]
            end = start + size * field.itemsize
            for view, flat in zip(views, (observation, following), strict=True):
                view[name] = flat[start:end].view(field.base).reshape(size, *field.shape)
            fields.append((offset, field.itemsize, start))
            start = end
        self.slots = np.zeros(size, np.int64)
        self.weight = np.ones(size, np.float32)
        action, propensity = np.zeros(size, np.int64), np.zeros(size, np.float32)
        reward, discount = (np.zeros((size, n_step), np.float32) for _ in range(2))
        #: What is handed out; the same arrays every time.
        self.batch = Batch(views[0], action, propensity, reward, discount, views[1], self.weight, self.slots)
        #: The parameters of ``ring_kernels.gather``, from ``slots`` on.
        self.arrays = (
            self.slots, np.array(fields), observation, following, action, propensity, reward, discount,
        )  # fmt: skip
