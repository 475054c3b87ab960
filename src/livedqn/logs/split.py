"""Which viewers and days are held out: a hash or the calendar decides, so whoever learns and whoever evaluates need not
speak."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError

#: The finaliser of SplitMix64 (Steele, Lea and Flood 2014, https://doi.org/10.1145/2714064.2660195).
_GOLDEN, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def held_out(viewer: IntArray, share: float, seed: int = 0) -> BoolArray:
    """(N,), whether each of these viewers (N,) int64 is among the ``share`` that training never sees.

    A viewer is held out or not wherever they appear; of a greater share a smaller one is a part.
    """
    out: BoolArray = uniform(viewer, seed) < share
    return out


def uniform(viewer: IntArray, seed: int = 0) -> FloatArray:
    """(N,) float64 in [0, 1), the same number for a viewer whenever it is asked for."""
    with np.errstate(over="ignore"):  # modulo 2**64 is what is meant
        key = _mixed(np.asarray(viewer, np.int64).view(np.uint64) + _mixed(np.uint64(seed) * _GOLDEN + _GOLDEN))
    return np.asarray((key >> np.uint64(11)) * 2.0**-53, np.float64)


def day_s(day: str, setting: str) -> float:
    """When ``day`` (YYYY-MM-DD, UTC) begins, in seconds since 1970.

    Raises:
        LivedqnError: it is none; ``setting`` is where it was said.
    """
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise LivedqnError(f"{setting}={day} is no day; write YYYY-MM-DD") from None


def _mixed(z: np.uint64 | IntArray) -> IntArray:
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return np.asarray(z ^ (z >> np.uint64(31)))
