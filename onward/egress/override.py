"""An operator's override for tests: what is meant for one host goes to another origin.

Pure. So `onward sink` on this machine shows the exact requests of any destination, and nothing leaves. The
rest of the request stays as it is: method, path, query, headers, body. The host and scheme that it was meant
for are told in `X-Forwarded-Host` and `X-Forwarded-Proto`.

The client asks for every hop of a redirect too, and the guard judges the address that is connected to: a
sink on loopback must be allowed by `egress_allow`.
"""

from collections.abc import Mapping, Sequence

import msgspec

from onward.egress.http import EgressError
from onward.egress.url import Target, parse

EVERY = "*"


class Override:
    """`rules` are written `host=origin`: a host, `*.domain` for those below a domain, or `*` for all.

    The most exact one counts: a host before the longest domain before `*`. Raises ValueError, naming the
    rule, for what can't be read.
    """

    def __init__(self, rules: Sequence[str] = ()) -> None:
        self._hosts: dict[str, Target] = {}
        self._domains: dict[str, Target] = {}
        self._every: Target | None = None
        for rule in rules:
            host, origin = _read(rule)
            if host == EVERY:
                self._every = origin
            elif host.startswith("*."):
                self._domains[host[1:]] = origin
            else:
                self._hosts[host] = origin

    def __bool__(self) -> bool:
        return bool(self._hosts or self._domains or self._every)

    def find(self, host: str) -> Target | None:
        """The origin that stands in for a host, as `onward.egress.url` writes hosts; None if none does."""
        found = self._hosts.get(host)
        if found is None and self._domains:
            labels = host.split(".")
            domains = (f".{'.'.join(labels[at:])}" for at in range(1, len(labels)))
            found = next((self._domains[each] for each in domains if each in self._domains), None)
        return found or self._every

    def apply(self, target: Target, headers: Mapping[str, str]) -> tuple[Target, Mapping[str, str]]:
        """Where the request goes instead, and the headers that say where it was meant to go."""
        origin = self.find(target.host)
        if origin is None:
            return target, headers
        meant = {"x-forwarded-host": target.authority, "x-forwarded-proto": target.scheme}
        kept = {name: value for name, value in headers.items() if name.lower() not in meant}
        moved = msgspec.structs.replace(
            target, scheme=origin.scheme, host=origin.host, port=origin.port, authority=origin.authority
        )
        return moved, kept | meant


def _read(rule: str) -> tuple[str, Target]:
    host, equals, origin = (part.strip() for part in rule.partition("="))
    if not (host and equals and origin):
        raise _wrong(rule, "write it as host=origin, such as api.example.com=http://127.0.0.1:9000")
    try:
        target = parse(origin)
    except EgressError as error:
        raise _wrong(rule, error.message) from None
    if target.path != "/" or target.authorization is not None:
        raise _wrong(rule, "an origin is only scheme, host and port; paths stay those of the request")
    return _canonical(rule, host), target


def _canonical(rule: str, host: str) -> str:
    """The host as URLs are read: lower case, in ASCII, addresses in one spelling."""
    if host == EVERY:
        return host
    wild, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    shown = f"[{name}]" if ":" in name and not name.startswith("[") else name
    try:
        target = parse(f"http://{shown}/")
    except EgressError as error:
        raise _wrong(rule, error.message) from None
    if target.port != 80 or target.path != "/" or target.authorization is not None:
        raise _wrong(rule, "the host stands alone, without scheme, port or path")
    return wild + target.host


def _wrong(rule: str, why: str) -> ValueError:
    return ValueError(f"egress_override: {rule!r} can't be used: {why}")
