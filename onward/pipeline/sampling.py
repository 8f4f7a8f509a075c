"""SAMPLE: which events a destination filter keeps (spec §7.3)."""

from hashlib import md5
from math import ldexp
from typing import Any

from onward.pipeline.javascript import stringify


def fraction(value: Any) -> float:
    """Where a value lies in [0, 1]: the same for equal values, uniform over different ones.

    The first eight bytes of the MD5 of its JSON are a 64-bit fraction; for precision near zero, leading
    zero bits make room for later ones, and the last bit is flipped. A missing value counts as null. (The
    JavaScript client can't be compared with: up to 2.0.1, tsub takes the digest's hexadecimal digits for
    its bytes and keeps every event.)
    """
    digest = md5(str(stringify(value)).encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    significand = int.from_bytes(digest[:8], "big")
    exponent = -64
    zeros = 64 - significand.bit_length()
    if zeros:
        exponent -= zeros
        later = int.from_bytes(digest[8:], "big")
        significand = (significand << zeros) | (later >> (64 - zeros))
    return ldexp(significand ^ 1, exponent)
