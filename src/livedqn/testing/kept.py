"""The promise of ``metadata["overwrites"]``: False = what was answered stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from livedqn.testing.errors import expect


class Kept:
    """Holds the arrays of the latest answers, with copies of them."""

    def __init__(self, is_promised: bool) -> None:
        self._is_promised = is_promised
        self._answers: list[list[tuple[str, Any, Any]]] = []

    def add(self, answer: Any, call: str) -> None:
        """Check that ``call`` has left earlier answers alone, and hold what it answered."""
        if self._is_promised:
            changed = [name for arrays in self._answers for name, array, copy in arrays if not _same(array, copy)]
            expect(
                not changed,
                f"{call} wrote to {', '.join(sorted(set(changed)))} of an earlier answer; metadata['overwrites'] is "
                "False, so it owes new arrays each time (leave the key out, and they are copied)",
            )
            arrays = [(name, array, np.array(array)) for name, array in _arrays(answer, "")]
            self._answers = [*self._answers[-2:], arrays]


def _same(array: Any, copy: Any) -> bool:
    return np.array_equal(array, copy, equal_nan=copy.dtype.kind == "f")


def _arrays(answer: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(answer, np.ndarray):
        yield name or "an array", answer
    elif isinstance(answer, Mapping):
        for key, value in answer.items():
            yield from _arrays(value, str(key))
    elif isinstance(answer, tuple):
        for value in answer:
            yield from _arrays(value, name)
