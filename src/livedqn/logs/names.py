"""Names of requests, viewers, rooms ... as logs hold them: 64-bit integers."""

from __future__ import annotations

import hashlib
from functools import lru_cache

#: Of 2^63 - 1.
_DIGITS = 19


@lru_cache(maxsize=1 << 20)
def name(text: str | None) -> int:
    """A whole number below 2^63 as it is, any other text as 63 bits of its BLAKE2b hash; 0 where there is none."""
    text = (text or "").strip()
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) < 2**63:
        return int(text)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
