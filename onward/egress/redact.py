"""What may be shown of a request: names of secrets stay, their values go.

Pure. For samples, traces and logs, and to know which headers must not follow a redirect to a stranger.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

MASK = "•••"

_SECRET_HEADER = re.compile(
    r"authorization|cookie|api-?key|apikey|access-?key|token|secret|password|passwd|credential|signature|"
    r"session|(^|[-_])(auth|sig|hmac|jwt|key)([-_]|$)|^webhook-id$|^webhook-timestamp$"
)
_SECRET_PARAMETER = re.compile(
    r"api[-_]?key|access[-_]?key|token|secret|passw|credential|signature|session|authorization|"
    r"(^|[-_])(auth|sig|hmac|jwt|key|code|pwd|pass)([-_]|$)|write[-_]?key"
)
_LETS_IN = (
    r"(?:(?:access|refresh|id|auth|bearer|session|security|api)[-_]?token|client[-_]?secret|api[-_]?(?:key|secret)"
    r"|password|passwd|secret[-_]?(?:access[-_]?)?key|private[-_]?key|(?:client[-_]?)?assertion|authorization)"
)
_MEMBER = re.compile(rf'("{_LETS_IN}"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.IGNORECASE)
_PAIR = re.compile(rf"((?:^|[&?\s]){_LETS_IN}=)[^&\s]+", re.IGNORECASE)
_ELEMENT = re.compile(rf"(<{_LETS_IN}>)[^<]+", re.IGNORECASE)
_USERINFO = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*@")


@lru_cache(maxsize=4096)
def is_secret_header(name: str) -> bool:
    """Whether the header's value lets someone in, or vouches for the sender."""
    return _SECRET_HEADER.search(name.lower()) is not None


def headers(values: Mapping[str, str]) -> dict[str, str]:
    """The same headers, the values of secret ones masked."""
    return {name: MASK if is_secret_header(name) else value for name, value in values.items()}


def url(text: str) -> str:
    """The same URL, its userinfo and the values of secret query parameters masked."""
    text = _USERINFO.sub(lambda match: f"{match[1] or ''}//{MASK}@", text)
    head, mark, rest = text.partition("?")
    if not mark:
        return text
    query, hash_, fragment = rest.partition("#")
    parts = re.split("([&;])", query)
    return f"{head}?{''.join(_parameter(part) for part in parts)}{hash_}{fragment}"


def body(text: str) -> str:
    """The same JSON, XML or form, the values masked whose names say that they let someone in: tokens, keys.

    Other fields whose names may mean something innocent (`token`, `code`, `key`) stay; a setting that is
    secret is found by its value (`onward.egress.masking`).
    """
    text = _MEMBER.sub(lambda match: f'{match[1]}"{MASK}"', text)
    text = _ELEMENT.sub(lambda match: f"{match[1]}{MASK}", text)
    return _PAIR.sub(lambda match: f"{match[1]}{MASK}", text)


def payload(mapped: dict[str, Any]) -> dict[str, Any]:
    """A mapped payload, what lets someone in at its `url` or by its `headers` masked."""
    shown = dict(mapped)
    if isinstance(given := shown.get("headers"), dict):
        shown["headers"] = headers({str(name): str(value) for name, value in given.items()})
    if isinstance(address := shown.get("url"), str):
        shown["url"] = url(address)
    return shown


def _parameter(part: str) -> str:
    name, equals, value = part.partition("=")
    if value and _SECRET_PARAMETER.search(unquote_plus(name).lower()):
        return f"{name}{equals}{MASK}"
    return part
