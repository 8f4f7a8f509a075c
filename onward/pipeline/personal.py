"""What identifies or describes a person in an event, masked for those who may not see it (spec §16.5).

A value is masked if its key means one of the things that Segment's default matchers name (spec §16.2, red and
yellow), or if it is a text with an e-mail address in it, wherever it stands. A key means such a thing if the
thing's words stand in it (`billingAddress`, `phone_number`), or if it is spelt alike (`e-mail`, `birthday`):
Sørensen–Dice coefficient over 0.7, as with Segment. Names are people's names only where nothing says
otherwise: not an app's, a device's or a product's.

Everything is judged on its own: a value below a masked key is gone with it, whatever it is. Whoever has a
write key has a say in what stands here, so every look takes time in proportion to the text.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

MASK = "••••••••"

RED = (
    "social security number",
    "ssn",
    "password",
    "visa",
    "veteran",
    "disability",
    "credit card",
    "card number",
    "passport",
    "token",
)
YELLOW = (
    "race",
    "birthdate",
    "birth date",
    "date of birth",
    "dob",
    "phone",
    "address",
    "gender",
    "ethnicity",
    "citizenship",
    "street",
    "city",
    "zipcode",
    "zip",
    "postal code",
    "email",
    "certificate",
    "license",
    "identification",
    "serial",
    "ip",
    "photo",
    "salary",
    "religion",
    "mac",
    "sex",
    "sexual orientation",
    "medication",
    "allergy",
    "condition",
    "diagnosis",
    "procedure",
)
"""Segment's, and their usual short forms; `name` is looked at by itself."""

NAMES = {"", "first", "last", "full", "user", "given", "family", "middle", "nick", "sur", "maiden", "display"}
"""What stands before `name` in a person's."""
THINGS = {"app", "campaign", "device", "library", "network", "os", "screen", "page", "referrer", "timezone"}
"""Parts of a context, whose `name` is not a person's (spec §4.2)."""
ALIKE = 0.7
SHORTEST_ALIKE = 5
"""Shorter words are alike too easily."""
LONGEST_KEY = 255
"""What a longer one holds is not looked at, and masked."""

_MATCHERS = tuple(tuple(phrase.split()) for phrase in (*RED, *YELLOW))
_PHRASES = tuple(words for words in _MATCHERS if len(words) > 1)
_SINGLE = {form for words in _MATCHERS if len(words) == 1 for form in (words[0], f"{words[0]}s")}
_LONG = tuple("".join(words) for words in _MATCHERS if len("".join(words)) >= SHORTEST_ALIKE)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_IN_EMAIL = r"[^\s@<>\"',;:()]"
_EMAIL = re.compile(rf"(?<!{_IN_EMAIL}){_IN_EMAIL}++@{_IN_EMAIL}+\.{_IN_EMAIL}+")
"""Looked for from the beginning of a word only."""


def masked(value: Any, parent: str = "") -> Any:
    """JSON with what is personal in it masked. `parent` is the key that it stands under."""
    if isinstance(value, Mapping):
        return {
            text(key): _gone(item)
            if len(key) > LONGEST_KEY or is_personal(key, parent)
            else masked(item, key)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(item, parent) for item in value]
    return text(value) if isinstance(value, str) else value


def text(value: str) -> str:
    """A text with the e-mail addresses in it masked."""
    return _EMAIL.sub(MASK, value) if "@" in value else value


def document(value: str) -> str:
    """JSON as a text, what is personal in it masked; any other text as a whole: it can't be told apart."""
    try:
        return orjson.dumps(masked(orjson.loads(value))).decode()
    except (orjson.JSONDecodeError, RecursionError):
        return MASK if value else value


@lru_cache(maxsize=8192)
def is_personal(key: str, parent: str = "") -> bool:
    """Whether what a key holds is personal. The key of the object that it stands in is `parent`."""
    words = tuple(word.lower() for word in _WORDS.findall(key))
    if words[-1:] in (("name",), ("names",)):
        return parent not in THINGS and " ".join(words[:-1]) in NAMES
    joined = "".join(words)
    if joined.endswith("name") and joined[:-4] in NAMES:
        return True
    if not _SINGLE.isdisjoint(words) or any(_stands_in(phrase, words) for phrase in _PHRASES):
        return True
    return len(joined) >= SHORTEST_ALIKE and any(_alike(joined, other) for other in _LONG)


def _gone(value: Any) -> Any:
    """Nothing is nothing, also to those who may not see it."""
    return value if value is None or value == "" else MASK


def _stands_in(phrase: tuple[str, ...], words: tuple[str, ...]) -> bool:
    width = len(phrase)
    return any(
        words[at : at + width - 1] == phrase[:-1] and words[at + width - 1] in (phrase[-1], phrase[-1] + "s")
        for at in range(len(words) - width + 1)
    )


def _alike(one: str, other: str) -> bool:
    pairs = len(one) + len(other) - 2
    most = 2 * (min(len(one), len(other)) - 1) / pairs  # if one is a part of the other
    return most > ALIKE and _dice(one, other) > ALIKE


def _dice(one: str, other: str) -> float:
    """Sørensen–Dice coefficient of the pairs of letters."""
    left, right = _pairs(one), _pairs(other)
    rest = list(right)
    common = 0
    for pair in left:
        if pair in rest:
            rest.remove(pair)
            common += 1
    return 2 * common / (len(left) + len(right))


@lru_cache(maxsize=1024)
def _pairs(word: str) -> tuple[str, ...]:
    return tuple(word[at : at + 2] for at in range(len(word) - 1))
