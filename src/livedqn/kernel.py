"""Loops over arrays, compiled by Numba: where a line of NumPy for each step of the way costs more than the work.

``NUMBA_DISABLE_JIT=1`` runs every kernel as the plain Python that it is, for a debugger or for coverage.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.extending import register_jitable

_OPTIONS: dict[str, Any] = {"error_model": "numpy"}
#: Without arrays of its own, a kernel need not count who holds an array. Others may run while it works, as the thread
#: that encodes logs does.
_LEAN: dict[str, Any] = {**_OPTIONS, "_nrt": False, "nogil": True}

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """``function`` compiled for the types that it is called with, and kept on disk, so that a machine compiles it once.

    It works in the arrays that its caller holds, and at most takes rows of them; it answers no array. Division by zero
    gives inf or NaN, as in NumPy. Numbers are those of strict IEEE arithmetic.
    """
    return _compiled(function, _LEAN)


def viewing_kernel(function: Function) -> Function:
    """As :func:`kernel`, for one that makes views or arrays of its own; a little slower to call."""
    return _compiled(function, _OPTIONS)


def _compiled(function: Function, options: dict[str, Any]) -> Function:
    compiled: Any = numba.njit(**options)(function)
    if compiled is not function:  # as it is where Numba is switched off
        with suppress(RuntimeError):  # no folder can be written to, neither the package's own nor the user's
            compiled._cache = _Cache(function)
    return cast(Function, compiled)


def formula(function: Function) -> Function:
    """``function`` as it is, for Python to call with arrays, and compiled into every kernel that calls it."""
    inlined: Function = register_jitable(forceinline=True, **_LEAN)(function)
    return inlined


class _Cache(FunctionCache):
    """Compiled code that counts as stale once any file of the package changes: a kernel holds formulas of others."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        path, name = self._cache_path, self._impl.filename_base
        self._cache_file = IndexDataCacheFile(path, name, _stamp())  # type: ignore[no-untyped-call]


@lru_cache(maxsize=1)
def _stamp() -> tuple[float, int]:
    """Time and size of the package's files, as Numba notes them of a kernel's own file."""
    files = [path.stat() for path in Path(__file__).parent.rglob("*.py") if path.is_file()]
    return max((file.st_mtime for file in files), default=0.0), sum(file.st_size for file in files)
