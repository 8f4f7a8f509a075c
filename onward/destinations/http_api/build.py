"""A mapped payload as a request: address, headers, body. Pure.

Every request stays below the base URL of the settings: a payload names a path, and values that are put into
it are encoded, so that no event can lead a request, and the credentials with it, elsewhere.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

import orjson

from onward.destinations.definition import Payload
from onward.pipeline.javascript import to_string

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
BODIES = ("json", "form", "text", "none")
BATCHES = ("array", "member", "lines")

SHARED = ("method", "path", "path_parameters", "query", "headers", "body_format")
"""What payloads must have in common to go out in one request."""

_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
    "lines": "application/x-ndjson",
}
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
_IN_PATHS = "/%:@!$&'()*+,;=?-._~"
_DEPTH = 8


def method(payload: Payload) -> str:
    """Raises ValueError."""
    asked = payload.get("method") or "POST"
    if asked not in METHODS:
        raise ValueError(f"method is {asked!r:.50}; it may be {', '.join(METHODS)}")
    return str(asked)


def body_format(payload: Payload) -> str:
    """What the body is; a GET has none. Raises ValueError."""
    asked = payload.get("body_format") or "json"
    if asked not in BODIES:
        raise ValueError(f"body_format is {asked!r:.50}; it may be {', '.join(BODIES)}")
    return "none" if method(payload) == "GET" else str(asked)


def url(base: str, payload: Payload) -> str:
    """The base URL, the path with its placeholders filled, and the query. Raises ValueError."""
    path = payload.get("path") or ""
    if not isinstance(path, str):
        raise ValueError("path is not text; check its mapping")
    given = _object(payload, "path_parameters")

    def fill(name: str) -> str:
        value = _scalar(given.get(name))
        if not value:
            raise ValueError(f"the path needs {name}, and path_parameters has no value for it")
        if value in (".", ".."):
            raise ValueError(f"path_parameters.{name} is {value!r}, which would lead to another path")
        return quote(value, safe="", errors="replace")

    # Every other part is the name of a placeholder.
    filled = "".join(
        fill(part) if at % 2 else quote(part, safe=_IN_PATHS, errors="replace")
        for at, part in enumerate(_PLACEHOLDER.split(path))
    )
    address = f"{base.rstrip('/')}/{filled.lstrip('/')}" if filled else base
    query = _encoded(_query(payload))
    return address + ("&" if "?" in address else "?") * bool(query) + query


def checked_base(text: Any) -> str:
    """The base URL; raises ValueError if it is none."""
    base = str(text or "").strip()
    try:
        parts = urlsplit(base)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment
    except ValueError:
        wrong = True
    if wrong:
        raise ValueError(
            f"base_url is {base[:100]!r}, not an address such as https://api.example.com/v1 (without a query)"
        )
    return base


def headers(fixed: Mapping[str, Any], payload: Payload, kind: str) -> dict[str, str]:
    """Of the settings, then of the mapping, by lower-case names; and a content type. Raises ValueError."""
    found = {"content-type": _TYPES[kind]} if kind in _TYPES else {}
    for name, value in (*fixed.items(), *_object(payload, "headers").items()):
        if value is not None:
            found[name.lower()] = _named(f"header {name}", value)
    return found


def encode(payload: Payload, kind: str) -> bytes:
    """The body of one payload by itself. Raises ValueError."""
    if kind == "json":
        return _json(payload.get("data"))
    if kind == "text":
        return str(payload.get("text") or "").encode("utf-8", "replace")
    if kind == "form":
        return _form(_object(payload, "data"))
    return b""


def join(bodies: Sequence[bytes], kind: str, batch: str, member: str) -> bytes:
    """The bodies of payloads as one: a JSON array, one under a member, or lines."""
    if kind == "text" or batch == "lines":
        return b"".join(body + b"\n" for body in bodies)
    array = b"[" + b",".join(bodies) + b"]"
    return b"{" + orjson.dumps(member) + b":" + array + b"}" if batch == "member" else array


def idempotency_key(destination_id: str, verb: str, address: str, ids: Sequence[str], body: bytes) -> str:
    """The same whenever the same destination repeats the same request, and for no other."""
    digest = blake2b(digest_size=16, person=b"onward/http-api")
    for part in (destination_id, verb, address, *ids):
        digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    digest.update(body)
    return str(UUID(bytes=digest.digest(), version=4))


def shared(payload: Payload) -> bytes:
    """Equal for payloads that may share a request."""
    return orjson.dumps([payload.get(key) for key in SHARED], option=orjson.OPT_SORT_KEYS)


def _query(payload: Payload) -> Iterator[tuple[str, str]]:
    for name, value in _object(payload, "query").items():
        for each in value if isinstance(value, list) else (value,):
            if each is not None:
                yield name, _named(f"query.{name}", each)


def _form(data: Mapping[str, Any]) -> bytes:
    """Lists repeat their name, and members of objects are written `name[member]`."""
    return _encoded(_flat(data, "", 0)).encode()


def _encoded(pairs: Iterator[tuple[str, str]]) -> str:
    return urlencode(list(pairs), errors="replace")


def _flat(data: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEPTH:
        raise ValueError(f"data is nested deeper than {_DEPTH} levels, which no form can hold")
    for key, value in data.items():
        name = f"{prefix}[{key}]" if prefix else key
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, dict):
                yield from _flat(each, name, depth + 1)
            elif each is not None:
                yield name, _named(f"data.{name}", each)


def _json(data: Any) -> bytes:
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"data can't be written as JSON: {error}") from None


def _object(payload: Payload, field: str) -> Mapping[str, Any]:
    value = payload.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{field} is {value!r:.100}, not an object; check its mapping")
    return value


def _named(name: str, value: Any) -> str:
    text = _scalar(value)
    if text is None:
        raise ValueError(f"{name} is {value!r:.100}, not text; check its mapping")
    return text


def _scalar(value: Any) -> str | None:
    """Text, and numbers and booleans as JavaScript writes them; None for all else."""
    if isinstance(value, str):
        return value
    return to_string(value) if isinstance(value, bool | int | float) else None
