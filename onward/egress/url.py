"""A URL as it will be requested: one reading of it, strict, so that nobody else can read it differently.

Pure. The address guard is only as good as the agreement on what the host is, so whatever two parsers are
known to read differently (control characters, backslashes, percent signs or a zone in the host,
several @) is refused, and IPv4 in its old spellings (`2130706433`, `0177.1`, `0x7f.1`, `127.1`) is turned
into the address that the system's resolver would make of it (WHATWG URL §3.5).
"""

import re
from base64 import b64encode
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

import idna
import msgspec

from onward.egress.http import EgressError

MAX_URL = 16_384
"""Characters; longer ones are refused by most servers."""

_PORTS = {"http": 80, "https": 443}
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029]")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")
_PATH_SAFE = "!$&'()*+,/:;=@~%-._[]|^"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes."""

    scheme: str
    host: str
    """A name in ASCII, lower case, without a trailing dot; or an address in its canonical spelling."""
    port: int
    path: str
    """Path and query, percent-encoded: what the request line holds."""
    authority: str
    """What the Host header holds."""
    authorization: str | None = None
    """A Basic credential from the URL's userinfo."""

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)


def _invalid(url: str, why: str) -> EgressError:
    shown = re.sub(r"//[^/]*@", "//•••@", url if len(url) <= 200 else url[:200] + "…")
    return EgressError("INVALID_URL", f"{shown!r} is not a URL to send to: {why}")


@lru_cache(maxsize=4096)
def parse(url: str) -> Target:
    """Reads `url`; raises `EgressError` `INVALID_URL` naming what is wrong."""
    url = url.strip(" ")
    if len(url) > MAX_URL:
        raise _invalid(url, f"longer than {MAX_URL} characters")
    if _UNREADABLE.search(url):
        raise _invalid(url, "it holds a backslash or a control character; percent-encode it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _invalid(url, str(error)) from None
    if parts.scheme not in _PORTS:
        raise _invalid(url, "it must begin with http:// or https://")
    userinfo, at, hostport = parts.netloc.rpartition("@")
    if "@" in userinfo:
        raise _invalid(url, "it has more than one @ before the path; write %40 for one in a password")
    if port == 0:
        raise _invalid(url, "port 0 can't be connected to")
    host = _host(url, hostport)
    port = port or _PORTS[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    try:
        path = quote(parts.path or "/", safe=_PATH_SAFE)
        query = quote(parts.query, safe=_PATH_SAFE + "?{}`") if parts.query else ""
    except UnicodeEncodeError:
        raise _invalid(url, "it holds half a surrogate pair") from None
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port,
        path=f"{path}?{query}" if query else path,
        authority=shown if port == _PORTS[parts.scheme] else f"{shown}:{port}",
        authorization=_basic(userinfo) if at else None,
    )


def join(base: str, location: str) -> str:
    """The absolute URL of a redirect's Location (RFC 9110 §10.2.2), its fragment dropped."""
    try:
        return urljoin(base, location).partition("#")[0]
    except ValueError:
        raise _invalid(location, "the redirect's Location can't be read") from None


def _host(url: str, hostport: str) -> str:
    if hostport.startswith("["):
        text, bracket, rest = hostport[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _invalid(url, "its [address] is not closed before the port")
        try:
            address = IPv6Address(text)
        except ValueError:
            raise _invalid(url, f"{text!r} is not an IPv6 address") from None
        if address.scope_id is not None:
            raise _invalid(url, "an address with a zone id is link-local")
        return str(address)
    text = hostport.partition(":")[0]
    if not text:
        raise _invalid(url, "it names no host")
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise _invalid(url, f"the host is not a domain name ({error})") from None
    text = text.lower().removesuffix(".")
    if _NUMBER.fullmatch(text.rpartition(".")[2]):
        return _ipv4(url, text)
    if len(text) > 253 or not _NAME.fullmatch(text):
        raise _invalid(url, f"{text[:80]!r} is not a domain name")
    return text


def _ipv4(url: str, text: str) -> str:
    """A host whose last label is a number is an IPv4 address, or nothing (WHATWG URL, "ends in a number")."""
    labels = text.split(".")
    if len(labels) > 4 or not all(_NUMBER.fullmatch(label) for label in labels):
        raise _invalid(url, f"{text[:80]!r} is neither a domain name nor an IPv4 address")
    try:
        numbers = [_number(label) for label in labels]
    except ValueError:
        raise _invalid(url, f"{text[:80]!r} is not an IPv4 address") from None
    *high, low = numbers
    if any(number > 255 for number in high) or low >= 256 ** (4 - len(high)):
        raise _invalid(url, f"{text[:80]!r} is not an IPv4 address")
    return str(IPv4Address(low + sum(number << (24 - 8 * place) for place, number in enumerate(high))))


def _number(label: str) -> int:
    if label[:2].lower() == "0x":
        return int(label[2:] or "0", 16)
    return int(label, 8) if len(label) > 1 and label[0] == "0" else int(label)


def _basic(userinfo: str) -> str:
    name, _, password = userinfo.partition(":")
    return "Basic " + b64encode(unquote_to_bytes(name) + b":" + unquote_to_bytes(password)).decode("ascii")
