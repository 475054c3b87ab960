"""The one exception of ``livedqn.testing``: a plugin does not keep what its contract promises."""

from __future__ import annotations


class ContractError(AssertionError):
    """A broken promise: the message says which one, what was seen, and what the contract asks for."""


def expect(kept: object, promise: str) -> None:
    """Raise :class:`ContractError` with ``promise`` unless ``kept`` is true."""
    if not kept:
        raise ContractError(promise)
