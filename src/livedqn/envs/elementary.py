"""Elementary functions in single precision, in steps that a processor takes for eight numbers at once.

A request of the simulator takes dozens of logarithms, and the C library's is a call for each. ``log`` and ``exp`` are
the methods of Cephes' ``logf`` and ``expf`` (Moshier), with its coefficients. Numbers or arrays, rounded to float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.kernel import formula

_SQRT_HALF = np.int32(0x3F3504F3)  # the bits of sqrt(1/2)
_MANTISSA_BITS, _BIAS = np.int32(23), np.int32(127)
_QUARTER, _HALF, _ONE = np.float32(0.25), np.float32(0.5), np.float32(1)
_LOG2_E = np.float32(1.44269504088896341)
#: ln 2 in two parts: a small whole number times the first is exact.
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
#: exp is not below the first of these and not above the second: what float32 can hold, with some room.
_LEAST, _MOST = np.float32(-87.0), np.float32(88.0)
_L8, _L7, _L6, _L5, _L4, _L3, _L2, _L1, _L0 = np.array(
    [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
     2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1], np.float32)  # fmt: skip
_E5, _E4, _E3, _E2, _E1, _E0 = np.array(
    [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1], np.float32
)
# sin(2 pi z) / z of z^2 for |z| <= 1/4: least squares of the relative error at 200 Chebyshev nodes
_S4, _S3, _S2, _S1, _S0 = np.array([39.710022, -76.574875, 81.602226, -41.341679, 6.2831855], np.float32)


@formula
def log(x: Any) -> Any:
    """ln x of a float32 that is positive, finite and normal; within one unit in the last place."""
    # x = (1 + f) 2^e, with 1 + f in [sqrt(1/2), sqrt(2))
    bits = np.float32(x).view(np.int32)
    e = np.int32(np.int32(bits - _SQRT_HALF) >> _MANTISSA_BITS)
    f = np.int32(bits - np.int32(e << _MANTISSA_BITS)).view(np.float32) - _ONE
    # ln(1 + f) = f - f^2 / 2 + f^3 L(f)
    p = (((((((_L8 * f + _L7) * f + _L6) * f + _L5) * f + _L4) * f + _L3) * f + _L2) * f + _L1) * f + _L0
    power, square = np.float32(e), f * f
    return (f * square * p + power * _LN2_LOW - _HALF * square) + f + power * _LN2_HIGH


@formula
def exp(x: Any) -> Any:
    """e^x of a float32, relative error below 2e-7; of x outside [-87, 88] that of the nearer end."""
    bounded = np.minimum(np.maximum(np.float32(x), _LEAST), _MOST)
    # x = n ln 2 + r, with |r| <= ln 2 / 2
    n = np.floor(bounded * _LOG2_E + _HALF)
    r = bounded - n * _LN2_HIGH - n * _LN2_LOW
    # e^r = 1 + r + r^2 E(r)
    p = ((((_E5 * r + _E4) * r + _E3) * r + _E2) * r + _E1) * r + _E0
    scale = np.int32((np.int32(n) + _BIAS) << _MANTISSA_BITS).view(np.float32)
    return (p * r * r + r + _ONE) * scale


@formula
def cos_turn(x: Any) -> Any:
    """cos(2 pi x) of a float32, within 2e-7 for x of a few turns."""
    x = np.float32(x)
    z = _QUARTER - np.abs(x - np.floor(x + _HALF))  # cos is even, and sin a quarter before it
    s = z * z
    return z * ((((_S4 * s + _S3) * s + _S2) * s + _S1) * s + _S0)


@formula
def sin_turn(x: Any) -> Any:
    """sin(2 pi x) of a float32 in [0, 1], within 2e-7."""
    return cos_turn(np.float32(x) - _QUARTER)
