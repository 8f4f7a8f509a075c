"""Personal data made into hashes, as tools that match people ask for it (spec §8.8). Pure.

What is a hash already is let through. Clear text is normalised first, by the rules of the tool, as two
spellings of one address must make one hash.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from typing import Literal

from onward.pipeline.javascript import WHITESPACE

Algorithm = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]
Normalise = Callable[[str], str]

DIGEST_BYTES: dict[str, int] = {
    "md5": 16,
    "sha1": 20,
    "sha224": 28,
    "sha256": 32,
    "sha384": 48,
    "sha512": 64,
}

_HEX = re.compile(r"[a-fA-F0-9]+")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_EMAIL = re.compile(r"[^\s@,]+@[^\s@,]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_NOT_IN_NAMES = re.compile(r"[^\w\s]|_")


def process_hashing(
    value: str,
    algorithm: Algorithm = "sha256",
    encoding: Encoding = "hex",
    normalise: Normalise | None = None,
) -> str:
    """The hash of a value: the value itself if it is one, and nothing of nothing.

    The same results as `processHashing` of Segment's destinations, for which surrounding space makes a
    value clear text: use `hashed` where a person may have written it.
    """
    if not trim(value):
        return ""
    if is_hashed(value, algorithm, encoding):
        return value
    if normalise is not None:
        value = normalise(value)
        if not trim(value):
            raise ValueError("nothing is left of the value that was to be hashed")
    digest = hashlib.new(algorithm, _utf8(value), usedforsecurity=False)
    if encoding == "hex":
        return digest.hexdigest()
    return b64encode(digest.digest()).decode("ascii")


def is_hashed(value: str, algorithm: Algorithm = "sha256", encoding: Encoding = "hex") -> bool:
    """Whether a value looks like such a hash: its length and its letters are one's."""
    size = DIGEST_BYTES[algorithm]
    if encoding == "hex":
        return len(value) == 2 * size and _HEX.fullmatch(value) is not None
    return len(value) == (size + 2) // 3 * 4 and _BASE64.fullmatch(value) is not None


def hashed(value: str, normalise: Normalise) -> str:
    """SHA-256 in lower-case hexadecimal, of a value as a person or another system wrote it.

    Empty if there is nothing to hash, or if `normalise` makes nothing of it: it is not what it should be.
    """
    text = trim(value)
    if is_hashed(text):
        return text.lower()
    clean = normalise(text)
    return process_hashing(clean) if clean else ""


def trim(text: str) -> str:
    return text.strip(WHITESPACE)


def email(text: str) -> str:
    """Lower case, without surrounding space; nothing if it is no address."""
    clean = trim(text).lower()
    return clean if _EMAIL.fullmatch(clean) else ""


def phone(country_code: str = "") -> Normalise:
    """To E.164, such as +15552345678; nothing if it can't be made that.

    `country_code`, such as +1, is for numbers that have none; a zero before those (the trunk prefix that
    most countries dial at home) is left out then.
    """
    prefix = "+" + re.sub(r"\D", "", country_code) if country_code else ""

    def normalise(text: str) -> str:
        clean = trim(text)
        digits = re.sub(r"[^0-9]", "", clean)
        if clean.startswith("+"):
            number = "+" + digits
        elif digits.startswith("00"):
            number = "+" + digits[2:]
        elif prefix:
            number = prefix + digits.removeprefix("0")
        else:
            return ""
        return number if _E164.fullmatch(number) else ""

    return normalise


def name(text: str) -> str:
    """Lower case, without punctuation, single spaces only."""
    return " ".join(_NOT_IN_NAMES.sub("", text.lower()).split())


def _utf8(text: str) -> bytes:
    """As JavaScript encodes it: half of a surrogate pair becomes U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
