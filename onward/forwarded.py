"""What a proxy in front says of a request: who it is from, and whether it came encrypted.

Believed only from a proxy in the own network, as anybody can send these headers.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

Scope = Mapping[str, Any]
"""ASGI's."""


def client_ip(headers: Mapping[bytes, bytes], scope: Scope) -> str | None:
    """The address that an event comes from: where the first proxy was asked from, as far as the caller says
    the truth."""
    client = scope.get("client")
    if not client:
        return None
    forwarded = headers.get(b"x-forwarded-for")
    if forwarded and behind_proxy(scope):
        first = forwarded[:64].partition(b",")[0].strip().decode("latin-1")
        try:
            return str(ipaddress.ip_address(first))
        except ValueError:
            pass  # not an address: the proxy's own is the best there is
    address: str = client[0]
    return address.removeprefix("::ffff:")


def caller(headers: Mapping[bytes, bytes], scope: Scope) -> str:
    """The address to count requests by, which nobody can make up: proxies add to what a caller says that it
    is forwarded for, so it is the last that is not a proxy's in the own network."""
    client = scope.get("client")
    address = str(client[0]).removeprefix("::ffff:") if client else "unknown"
    forwarded = headers.get(b"x-forwarded-for", b"") if behind_proxy(scope) else b""
    for hop in reversed(forwarded[-1024:].split(b",")):
        try:
            ip = ipaddress.ip_address(hop.strip().decode("latin-1"))
        except ValueError:
            break
        address = str(ip)
        if not _is_near(ip):
            break
    return address


def scheme(headers: Mapping[bytes, bytes], scope: Scope) -> str:
    """`http` or `https`, as the caller sees it."""
    said = headers.get(b"x-forwarded-proto", b"") if behind_proxy(scope) else b""
    return said.decode() if said in (b"http", b"https") else str(scope.get("scheme", "http"))


def behind_proxy(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0]) if client else None
    except ValueError:
        return False
    return address is not None and _is_near(address)


def _is_near(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_private or address.is_loopback
