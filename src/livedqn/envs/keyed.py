"""Random numbers without a generator: each is a hash of what it is for.

A draw is a pure function of its key, say (seed, purpose, viewer, request), so it is the same whatever was drawn before
it: every policy that plays a seed meets the same rooms and viewers, and a saved state needs no generator. The hash is
SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

#: The seed of what no world changes: who the streamers are.
PLATFORM = 2019

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# made once: for few viewers, making such a number takes as long as using it
_WEYL = _GOLDEN * np.arange(1, 4097, dtype=np.uint64)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)


class Purpose(IntEnum):
    """What a number is drawn for. Numbers for different purposes are independent."""

    STREAMER = 1
    BROADCAST = 2
    HEAT = 3
    ACTIVITY = 4
    SESSION = 5
    VIEWER = 6
    ACQUAINTANCE = 7
    RETRIEVAL = 8
    RESPONSE = 9
    QUALITY = 10
    TOPIC = 11


def key(*words: int | npt.NDArray[np.integer[Any]]) -> Keys:
    """Hash integers, broadcast against one another, into keys of at least one dimension."""
    state = np.zeros(1, np.uint64)
    for word in words:
        array = np.array([word % 2**64], np.uint64) if isinstance(word, int) else word.astype(np.uint64)
        state = _finalised((state ^ array) + _GOLDEN)
    return state


def uniform(keys: Keys, count: int) -> Floats:
    """``count`` numbers in the open interval (0, 1) for each key: shape (*keys.shape, count)."""
    # 52 bits and a half: never 0 or 1, so that logarithms are finite
    return ((_stream(keys, count) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normal(keys: Keys, count: int) -> Floats:
    """``count`` standard normal numbers for each key, by Box and Muller's transform: shape (*keys.shape, count)."""
    return as_normal(uniform(keys, 2 * count))


def as_normal(u: Floats) -> Floats:
    """Half as many standard normal numbers as uniform ones: (..., 2n) -> (..., n)."""
    half = u.shape[-1] // 2
    z: Floats = np.sqrt(-2 * np.log(u[..., :half])) * np.cos(2 * np.pi * u[..., half:])
    return z


def exponential(keys: Keys, count: int) -> npt.NDArray[np.float32]:
    """``count`` exponential numbers (mean 1) for each key, in single precision: they are drawn by the million."""
    halves = _stream(keys, (count + 1) // 2).view(np.uint32)[..., :count]
    # 23 bits and a half are exact in float32, hence never 0 or 1
    share = ((halves >> np.uint32(9)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)
    drawn: npt.NDArray[np.float32] = -np.log(share)
    return drawn


def _stream(keys: Keys, count: int) -> Keys:
    weyl = _WEYL[:count] if count <= len(_WEYL) else _GOLDEN * np.arange(1, count + 1, dtype=np.uint64)
    return _finalised(keys[..., None] + weyl)


def _finalised(state: Keys) -> Keys:
    """SplitMix64's last step. Takes ``state`` over and overwrites it."""
    state ^= state >> _SHIFTS[0]
    state *= _FACTORS[0]
    state ^= state >> _SHIFTS[1]
    state *= _FACTORS[1]
    state ^= state >> _SHIFTS[2]
    return state
