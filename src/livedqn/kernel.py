"""Loops over arrays, compiled by Numba: where a line of NumPy for each step of the way costs more than the work.

``NUMBA_DISABLE_JIT=1`` runs every kernel as the plain Python that it is, for a debugger or for coverage.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """``function`` compiled for the types that it is called with, and kept on disk, so that a machine compiles it once.

    Division by zero gives inf or NaN, as in NumPy. Numbers are those of strict IEEE arithmetic.
    """
    try:
        compiled = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder can be written to, neither the package's own nor the user's
        compiled = numba.njit(error_model="numpy")(function)
    return cast(Function, compiled)
