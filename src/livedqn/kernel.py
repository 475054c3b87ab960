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

#: Kernels allocate nothing: they work in arrays that they are given. So nothing has to count who holds an array.
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "_nrt": False}

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """``function`` compiled for the types that it is called with, and kept on disk, so that a machine compiles it once.

    Division by zero gives inf or NaN, as in NumPy. Numbers are those of strict IEEE arithmetic.
    """
    compiled: Any = numba.njit(**_OPTIONS)(function)
    if compiled is not function:  # as it is where Numba is switched off
        with suppress(RuntimeError):  # no folder can be written to, neither the package's own nor the user's
            compiled._cache = _Cache(function)
    return cast(Function, compiled)


def formula(function: Function) -> Function:
    """``function`` as it is, for Python to call with arrays, and compiled into every kernel that calls it."""
    inlined: Function = register_jitable(forceinline=True, **_OPTIONS)(function)
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
    files = [path.stat() for path in Path(__file__).parent.rglob("*.py")]
    return max(file.st_mtime for file in files), sum(file.st_size for file in files)
