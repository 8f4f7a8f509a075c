"""What to do with a body that the readers' decoder (orjson) refuses: tell broken JSON from poison.

Broken JSON (a missing bracket, a bare word, a control character in a string) is answered 400. Poison is
JSON by its grammar that the readers can't hold: 1e400, an integer beyond any double, a lone surrogate,
ten thousand levels of nesting, bytes that are not UTF-8. It costs the one event that holds it.

So this module walks the top level of the body, and its `batch`, and hands out the raw slice of every
member and item. It runs only when orjson has refused, which no working SDK causes.
"""

import re
from json import JSONDecodeError, JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # its stub leaves it out
from typing import NamedTuple

import orjson


class Malformed(Exception):
    """Not JSON: the request is answered 400."""


class TooMany(Exception):
    """More items than are wanted. What follows them was not looked at, nor what else the body has."""

    def __init__(self, items: list[bytes]) -> None:
        super().__init__(f"more than {len(items) - 1} items")
        self.items = items


class Parts(NamedTuple):
    fields: dict[str, bytes]
    """Raw values of the members of the body, without `batch`."""
    batch: list[bytes] | None
    """Raw items of the `batch` array; None if there is no such array."""


def split(body: bytes, most: int | None = None) -> Parts:
    """The members and batch items of a JSON object. Raises `Malformed`, or `TooMany` for more than `most`
    items: to go through 250,000 of them would take a second."""
    text = body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    fields: dict[str, bytes] = {}
    batch: list[bytes] | None = None
    index = _expect(text, _space(text, 0), "{")
    if text[index : index + 1] == "}":
        index += 1
    else:
        while True:
            name, index = _string(text, index)
            index = _expect(text, _space(text, index), ":")
            if name == "batch" and text[index : index + 1] == "[":
                batch, index = _items(text, index, most)
            else:
                end = _value(text, index)
                fields[name] = _bytes(text, index, end)
                if name == "batch":
                    batch = None
                index = end
            index = _space(text, index)
            if text[index : index + 1] != ",":
                index = _expect(text, index, "}")
                break
            index = _space(text, index + 1)
    if _space(text, index) != len(text):
        raise Malformed("there is more after the end of the object")
    return Parts(fields, batch)


def readable(raw: bytes) -> bool:
    """Whether the readers can decode this slice where it stands, two levels down in a batch."""
    try:
        orjson.loads(b'{"batch":[' + raw + b"]}")
    except orjson.JSONDecodeError:
        return False
    return True


def _items(text: str, index: int, most: int | None) -> tuple[list[bytes], int]:
    index = _expect(text, index, "[")
    if text[index : index + 1] == "]":
        return [], index + 1
    items = []
    while True:
        end = _value(text, index)
        items.append(_bytes(text, index, end))
        if most is not None and len(items) > most:
            raise TooMany(items)
        index = _space(text, end)
        if text[index : index + 1] != ",":
            return items, _expect(text, index, "]")
        index = _space(text, index + 1)


_SPACE = re.compile(r"[ \t\n\r]*")
_NOTABLE = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)


def _space(text: str, index: int) -> int:
    match = _SPACE.match(text, index)
    assert match is not None
    return match.end()


def _expect(text: str, index: int, char: str) -> int:
    if text[index : index + 1] != char:
        raise Malformed(f"{char!r} is missing at character {index}")
    return _space(text, index + 1)


def _bytes(text: str, start: int, end: int) -> bytes:
    return text[start:end].encode("utf-8", "surrogateescape")


def _string(text: str, index: int) -> tuple[str, int]:
    if text[index : index + 1] != '"':
        raise Malformed(f"a member name is missing at character {index}")
    try:
        name, end = scanstring(text, index + 1, True)
    except ValueError as error:
        raise Malformed(str(error)) from error
    return name, end


def _not_json(constant: str) -> None:
    raise Malformed(f"{constant} is not JSON")


# Numbers stay text: their grammar is checked, their size is the readers' affair.
_scan = JSONDecoder(parse_int=str, parse_float=str, parse_constant=_not_json).raw_decode


def _value(text: str, index: int) -> int:
    """Where the value that starts here ends."""
    try:
        return _scan(text, index)[1]
    except JSONDecodeError as error:
        raise Malformed(str(error)) from error
    except RecursionError:
        return _end_of_deep(text, index)


def _end_of_deep(text: str, index: int) -> int:
    """The end of a value nested too deep for any decoder: where its brackets balance."""
    depth = 0
    for match in _NOTABLE.finditer(text, index):
        char = text[match.start()]
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
            if depth == 0:
                return match.end()
    raise Malformed("brackets do not match")
