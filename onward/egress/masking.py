"""Values that must not show, found in whatever way a protocol writes them.

Pure. A secret setting may turn up in a URL, a header, a body, an answer or an error: as it is, escaped for
JSON, for XML or for a URL (also one within the other), or in base64 with something before and after it, as
in Basic credentials. `Masking` finds these by undoing escapes layer by layer, remembering where each
character came from, and masks the place in the text that stands for the secret.
"""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any
from urllib.parse import unquote_to_bytes

from onward.egress.redact import MASK

LAYERS = 3
"""Escapes within escapes that are looked through."""
SHORTEST_CORE = 8
"""Characters of base64 that tell a secret from chance."""

_ESCAPES = re.compile(
    r"(?P<percent>(?:%[0-9a-fA-F]{2})+)"
    r"|(?P<unicode>(?:\\u[0-9a-fA-F]{4})+)"
    r"|\\(?P<short>[\"'\\/bfnrt])"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"
)
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PLUS = str.maketrans("+", " ")
"""In a form + is a space; nothing is lost by taking them for the same."""

Origins = list[tuple[int, int]]
"""For each character where in the text that it was read from it begins and ends."""


class Masking:
    """`values` are secrets: texts, numbers, or objects and lists that hold some."""

    def __init__(self, values: Iterable[Any]) -> None:
        secrets = {text for value in values for text in _texts(value)}
        needles = {form for secret in secrets for form in (secret, *_cores(secret))}
        self._needles = sorted((needle.translate(_PLUS) for needle in needles), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text with each place masked that stands for a secret."""
        if not self._needles or not text:
            return text
        spans = sorted(span for layer, origins in _layers(text) for span in self._find(layer, origins))
        if not spans:
            return text
        parts, end = [], 0
        for start, stop in spans:
            if start >= end:
                parts += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*parts, text[end:]])

    def json(self, value: Any) -> Any:
        """A JSON value with its texts masked, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.json(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return MASK if self.text(str(value)) != str(value) else value
        return value

    def _find(self, layer: str, origins: Origins | None) -> Iterator[tuple[int, int]]:
        plain = layer.translate(_PLUS)
        for needle in self._needles:
            at = plain.find(needle)
            while at >= 0:
                stop = at + len(needle)
                yield (at, stop) if origins is None else (origins[at][0], origins[stop - 1][1])
                at = plain.find(needle, at + 1)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        # Surrounding white space, such as a key file's last newline, is dropped before use.
        yield from {text for text in (value, value.strip()) if text}
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _cores(secret: str) -> Iterator[str]:
    """What base64 makes of the secret, whatever comes before and after it: less the characters at the ends
    that its neighbours have a part in."""
    raw = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        whole = (before + len(raw)) % 3 == 0
        for encode in (b64encode, urlsafe_b64encode):
            text = encode(bytes(before) + raw).decode("ascii").rstrip("=")
            core = text[(0, 2, 3)[before] : None if whole else -1]
            if len(core) >= SHORTEST_CORE:
                yield core


def _layers(text: str) -> Iterator[tuple[str, Origins | None]]:
    """The text as it is, then with one layer of escapes undone after the other."""
    yield text, None
    origins: Origins | None = None
    for _ in range(LAYERS):
        read = _unescaped(text, origins)
        if read is None:
            return
        text, origins = read
        yield text, origins


def _unescaped(text: str, origins: Origins | None) -> tuple[str, Origins] | None:
    """One layer less, with the origins in the first text; None if there is nothing to undo."""
    found = list(_ESCAPES.finditer(text))
    if not found:
        return None
    parts: list[str] = []
    places: Origins = []
    end = 0

    def origin(start: int, stop: int) -> tuple[int, int]:
        return (start, stop) if origins is None else (origins[start][0], origins[stop - 1][1])

    for match in found:
        parts.append(text[end : match.start()])
        places += [origin(at, at + 1) for at in range(end, match.start())]
        for characters, start, stop in _read(match):
            parts.append(characters)
            places += [origin(start, stop)] * len(characters)
        end = match.end()
    parts.append(text[end:])
    places += [origin(at, at + 1) for at in range(end, len(text))]
    return "".join(parts), places


def _read(match: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    """What an escape stands for, character by character where it is a run of them."""
    start, stop = match.span()
    if match["percent"]:
        raw = unquote_to_bytes(match[0])
        at = start
        for character in raw.decode("utf-8", "surrogateescape"):
            size = 3 * len(character.encode("utf-8", "surrogateescape"))
            yield character, at, at + size
            at += size
    elif match["unicode"]:
        units = bytes.fromhex(match[0].replace("\\u", ""))
        at = start
        for character in units.decode("utf-16-be", "surrogatepass"):
            size = 6 * (len(character.encode("utf-16-be", "surrogatepass")) // 2)
            yield character, at, at + size
            at += size
    elif match["short"]:
        yield _SHORT.get(match["short"], match["short"]), start, stop
    else:
        yield unescape(match[0]), start, stop
