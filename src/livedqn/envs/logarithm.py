"""The natural logarithm in single precision, in steps that a processor takes for eight numbers at once.

A race among live rooms takes a logarithm for each of them, and the C library's is a call for each. This is the method
of Cephes' ``logf`` (Moshier), with its coefficients: within one unit in the last place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.kernel import formula

_SQRT_HALF = np.int32(0x3F3504F3)  # the bits of sqrt(1/2)
_MANTISSA_BITS = np.int32(23)
_HALF, _ONE = np.float32(0.5), np.float32(1)
_LN2_HIGH, _LN2_LOW = (
    np.float32(0.693359375),
    np.float32(-2.12194440e-4),
)  # ln 2 in two parts: e times the first is exact
_C8, _C7, _C6, _C5, _C4, _C3, _C2, _C1, _C0 = np.array(
    [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
     2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1], np.float32)  # fmt: skip


@formula
def log(x: Any) -> Any:
    """ln x of a float32 that is positive, finite and normal."""
    # x = (1 + f) 2^e, with 1 + f in [sqrt(1/2), sqrt(2))
    bits = np.float32(x).view(np.int32)
    e = np.int32(np.int32(bits - _SQRT_HALF) >> _MANTISSA_BITS)
    f = np.int32(bits - np.int32(e << _MANTISSA_BITS)).view(np.float32) - _ONE
    # ln(1 + f) = f - f^2 / 2 + f^3 C(f)
    c = (((((((_C8 * f + _C7) * f + _C6) * f + _C5) * f + _C4) * f + _C3) * f + _C2) * f + _C1) * f + _C0
    power, square = np.float32(e), f * f
    return (f * square * c + power * _LN2_LOW - _HALF * square) + f + power * _LN2_HIGH
