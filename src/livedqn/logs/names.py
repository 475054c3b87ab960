"""Names of requests, viewers, rooms ... as logs hold them: 64-bit integers."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

#: What some tools write behind whole numbers where one of the column is missing.
_POINT_ZERO = re.compile(r"(?a)^(-?\d+)\.0+$")
#: How some tools write large ones then. 1e10, with neither point nor sign, may be an id of hexadecimals.
_EXPONENT = re.compile(r"(?a)^-?\d+(\.\d+[eE]\+?|[eE]\+)\d+$")
#: Whole numbers below have a float64 each.
EXACT = 2**53
#: Of 2^63 - 1.
_DIGITS = 19


@lru_cache(maxsize=1 << 20)
def name(text: str | None) -> int:
    """A whole number of 64 bits as it is (17.0 and 1.7E1 are one), any other text, 007 among it, as 63 bits of its
    BLAKE2b hash; 0 where there is none."""
    text = _POINT_ZERO.sub(r"\1", (text or "").strip())
    if not text:
        return 0
    if _EXPONENT.match(text) and float(text).is_integer() and abs(float(text)) < EXACT:
        return int(float(text))
    digits = text.removeprefix("-")
    is_whole = digits.isascii() and digits.isdigit() and (digits[0] != "0" or digits == "0")
    if is_whole and len(digits) <= _DIGITS and -(2**63) <= int(text) < 2**63:
        return int(text)
    raw = text.encode(errors="surrogatepass")  # in JSON half of an emoji may stand
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little") >> 1
