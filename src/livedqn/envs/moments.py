"""Moments of a room: hidden, drawn for a window of time, and seen only in part, by a surge of viewers.

A window's bits are a hash of the room and the window, so a moment is the same for every viewer and every policy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.envs import keyed
from livedqn.kernel import formula

#: A window's bits make three uniform numbers: is it a moment, and two whose sum is triangular.
_BITS = np.uint64(21)
_LOW = np.uint64(2**21 - 1)
_SHARE = np.float32(2.0**-21)
_SPREAD = np.float32(6**0.5)  # over the standard deviation of the sum of two uniform numbers


@formula
def window_bits(room: Any, time_s: float, v: Any) -> Any:
    """Random bits of ``room`` (a record of :data:`~livedqn.envs.listing.ROOM`) at a time, uint64."""
    return keyed.hashed(room.moments, np.uint64(time_s / v.moment_s))


@formula
def is_moment(bits: Any, v: Any) -> Any:
    """Whether the window of these bits is one."""
    return np.float32(bits & _LOW) * _SHARE < v.moment_share


@formula
def surge(bits: Any, v: Any) -> Any:
    """ln of viewers now over viewers at the last count: what a moment adds, and triangular noise around 0."""
    noise = (np.float32((bits >> _BITS) & _LOW) + np.float32(bits >> (_BITS + _BITS) & _LOW)) * _SHARE - np.float32(1)
    return v.surge_moment * is_moment(bits, v) + v.surge_sd * _SPREAD * noise
