"""SAMPLE: which events a destination filter keeps (spec §7.3)."""

from hashlib import md5
from math import ldexp
from random import Random
from typing import Any, Self

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


class MessageDice(Random):
    """Dice that fall alike for the same message at the same destination, whenever they are thrown.

    So an event that is read again after a crash is kept or dropped as before, and one can tell later what
    became of it, though nothing was written down.
    """

    def __init__(self) -> None:
        super().__init__(0)
        self._about = ("", "")
        self._thrown = 0

    def of(self, destination_id: str, message_id: str) -> Self:
        """These dice, before their first throw for a message."""
        self._about = (destination_id, message_id)
        self._thrown = 0
        return self

    def again(self) -> Self:
        """These dice, as before their first throw for the message at hand."""
        return self.of(*self._about)

    def random(self) -> float:
        self._thrown += 1
        return min(fraction([*self._about, self._thrown]), 1 - 2**-53)
