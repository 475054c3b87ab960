"""The one exception of ``livedqn.testing``: a plugin does not keep what its contract promises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ContractError(AssertionError):
    """A broken promise: the message says which one, what was seen, and what the contract asks for."""


def expect(kept: object, promise: str) -> None:
    """Raise :class:`ContractError` with ``promise`` unless ``kept`` is true."""
    if not kept:
        raise ContractError(promise)


def expect_instance(plugin: object, check: str) -> None:
    """Raise :class:`ContractError` if ``plugin`` is a class: it would fail later, in a way that explains nothing."""
    name = getattr(plugin, "__name__", "")
    expect(
        not isinstance(plugin, type),
        f"{check} was given the class {name}; it takes an instance: {check}({name}(...))",
    )


@contextmanager
def calling(name: str, when: str, *, hint: str = "") -> Iterator[None]:
    """Whatever plugin ``name`` raises becomes a :class:`ContractError` that says what, and when."""
    try:
        yield
    except Exception as error:
        raise ContractError(f"{name} raised {described_error(error)} when {when}{hint}") from error


def described_error(error: Exception) -> str:
    """The kind of an error and its text, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def described(value: object) -> str:
    """What ``value`` is, as messages say it: the dtype and shape of an array, the type of all else."""
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    return f"a {type(value).__name__}" if dtype is None or shape is None else f"{dtype} of shape {tuple(shape)}"
