"""Random numbers without a generator: each is a hash of what it is for.

A draw is a pure function of its key, say (seed, purpose, viewer, request), so it is the same whatever was drawn before
it: every policy that plays a seed meets the same rooms and viewers, and a saved state needs no generator. The hash is
SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).

Functions of whole arrays come first, then what kernels draw one at a time: in single precision, and two from one hash.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.envs.elementary import cos_turn, log, sin_turn
from livedqn.kernel import formula

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

#: The seed of what no world changes: who the streamers are.
PLATFORM = 2019

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# made once: for few viewers, making such a number takes as long as using it
_WEYL = _GOLDEN * np.arange(1, 4097, dtype=np.uint64)
_FACTORS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_LOW = np.uint64(0xFFFFFFFF)
_MINUS_TWO = np.float32(-2)


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
    MOMENT = 12


def key(*words: int | npt.NDArray[np.integer[Any]]) -> Keys:
    """Hash integers, broadcast against one another, into keys of at least one dimension."""
    state = np.zeros(1, np.uint64)
    for word in words:
        array = np.array([word % 2**64], np.uint64) if isinstance(word, int) else word.astype(np.uint64)
        state = hashed(state, array)
    return state


def uniform(keys: Keys, count: int) -> Floats:
    """``count`` numbers in the open interval (0, 1) for each key: shape (*keys.shape, count)."""
    numbers: Floats = share_of(_stream(keys, count))
    return numbers


def normal(keys: Keys, count: int) -> Floats:
    """``count`` standard normal numbers for each key, by Box and Muller's transform: shape (*keys.shape, count)."""
    u = uniform(keys, 2 * count)
    numbers: Floats = np.sqrt(-2 * np.log(u[..., :count])) * np.cos(2 * np.pi * u[..., count:])
    return numbers


def exponential(keys: Keys, count: int) -> npt.NDArray[np.float32]:
    """``count`` exponential numbers (mean 1) for each key, in single precision: they are drawn by the million."""
    halves = _stream(keys, (count + 1) // 2).view(np.uint32)[..., :count]
    drawn: npt.NDArray[np.float32] = -np.log(_half_share(halves))
    return drawn


def _stream(keys: Keys, count: int) -> Keys:
    weyl = _WEYL[:count] if count <= len(_WEYL) else _GOLDEN * np.arange(1, count + 1, dtype=np.uint64)
    stream: Keys = _finalised(keys[..., None] + weyl)
    return stream


@formula
def hashed(state: Any, word: Any) -> Any:
    """A key with one word more, both uint64: ``key(a, b)`` is ``hashed(hashed(0, a), b)``."""
    return _finalised((state ^ word) + _GOLDEN)


@formula
def request_key(session_key: Any, purpose: Any, request: Any) -> Any:
    """``key(session_key, purpose, request)``, of uint64."""
    return hashed(hashed(hashed(np.uint64(0), session_key), purpose), request)


@formula
def bits_at(key: Any, index: int) -> Any:
    """Random bits, uint64: what number ``index`` of ``uniform(key, ...)`` is made of."""
    return _finalised(key + _GOLDEN * np.uint64(index + 1))


@formula
def share_of(bits: Any) -> Any:
    """A uniform number in (0, 1), float64."""
    # 52 bits and a half: never 0 or 1, so that logarithms are finite
    return (np.float64(bits >> np.uint64(12)) + 0.5) * 2.0**-52


@formula
def shares_of(bits: Any) -> Any:
    """Two uniform numbers in (0, 1), float32."""
    return _half_share(np.uint32(bits & _LOW)), _half_share(np.uint32(bits >> np.uint64(32)))


@formula
def normals_of(bits: Any) -> Any:
    """Two standard normal numbers, float32, by Box and Muller's transform."""
    u, w = shares_of(bits)
    radius = np.sqrt(_MINUS_TWO * log(u))
    return radius * cos_turn(w), radius * sin_turn(w)


@formula
def normal_of(bits: Any) -> Any:
    """The first of the two."""
    u, w = shares_of(bits)
    return np.sqrt(_MINUS_TWO * log(u)) * cos_turn(w)


@formula
def begin_stream(states: Any, first: int, end: int, key: Any) -> None:
    """Write into ``states[first:end]`` what :func:`finalise` makes the random bits of ``key`` of."""
    for number in range(end - first):
        states[first + number] = key + _GOLDEN * np.uint64(number + 1)


@formula
def finalise(states: Any, count: int) -> None:
    """Turn the first ``count`` states, of whatever keys, into random bits."""
    for number in range(count):
        states[number] = _finalised(states[number])


@formula
def exponential_of(half: Any) -> Any:
    """The exponential number of half a state's bits (uint32): of the lower half, then of the upper one."""
    return -log(_half_share(half))


@formula
def _finalised(state: Any) -> Any:
    """SplitMix64's last step. Takes ``state`` over and overwrites it."""
    state ^= state >> _SHIFTS[0]
    state *= _FACTORS[0]
    state ^= state >> _SHIFTS[1]
    state *= _FACTORS[1]
    state ^= state >> _SHIFTS[2]
    return state


@formula
def _half_share(half: Any) -> Any:
    # 23 bits and a half are exact in float32, hence never 0 or 1
    return (np.float32(half >> np.uint32(9)) + np.float32(0.5)) * np.float32(2.0**-23)
