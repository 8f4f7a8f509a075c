"""Which addresses Onward may connect to: the public internet, and what the operator allows besides.

Pure. Invariants:
- The guard judges addresses, never names. The client asks it about every address that a name resolves to
  and about the one that a connection was made to, so that a name can't change its mind in between.
- IPv6 is let through by construction (global unicast, 2000::/3, less the special blocks within), IPv4 by
  the IANA special-purpose registry (RFC 6890) and the metadata services of clouds.
- An address that carries another one (IPv4-mapped, NAT64) is as good as the one that it carries. What
  merely tunnels (6to4, Teredo, ISATAP) has no business here and is refused whatever it carries.
- The operator's ranges speak of the address that packets go to: 127.0.0.0/8 lets ::ffff:127.0.0.1
  through, but not 64:ff9b::7f00:1, which is the loopback of a gateway.
"""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from onward.egress.http import EgressError

_IPV4_REFUSED = tuple(
    (IPv4Network(network), why)
    for network, why in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared (CGNAT)"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),
        ("169.254.0.0/16", "link-local or cloud metadata"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "benchmark"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)

_IPV6_REFUSED = tuple(
    (IPv6Network(network), why)
    for network, why in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b:1::/48", "NAT64 for local use"),
        ("100::/64", "discard-only"),
        ("2001::/32", "Teredo tunnel"),
        ("2001:2::/48", "benchmark"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4 tunnel"),
        ("2620:4f:8000::/48", "reserved"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "unique local (private)"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local (private)"),
        ("ff00::/8", "multicast"),
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


class BlockedError(EgressError):
    """The guard refused an address; final."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            "BLOCKED_ADDRESS",
            f"address {address} is not public: {why}; an operator can allow its range with egress_allow",
        )


class Guard:
    """`allow` is a list of ranges such as `10.20.0.0/16` or `::1`; raises ValueError for anything else."""

    def __init__(self, allow: Sequence[str] = ()) -> None:
        networks = [_network(text) for text in allow]
        self._allow4 = tuple(network for network in networks if isinstance(network, IPv4Network))
        self._allow6 = tuple(network for network in networks if isinstance(network, IPv6Network))

    def check(self, address: str) -> None:
        """Raises `BlockedError` unless `address`, a numeric IPv4 or IPv6 address, may be connected to."""
        try:
            ip = ip_address(address)
        except ValueError:
            raise BlockedError(address, "not an address") from None
        why = self._refusal4(ip) if isinstance(ip, IPv4Address) else self._refusal6(ip)
        if why is not None:
            raise BlockedError(address, why)

    def _refusal4(self, ip: IPv4Address) -> str | None:
        if any(ip in network for network in self._allow4):
            return None
        return _special4(ip)

    def _refusal6(self, ip: IPv6Address) -> str | None:
        if ip.scope_id is not None:
            return "an address with a zone is link-local"
        if any(ip in network for network in self._allow6):
            return None
        if ip.ipv4_mapped is not None:
            return self._refusal4(ip.ipv4_mapped)
        if ip in _NAT64:
            return _special4(IPv4Address(int(ip) & 0xFFFF_FFFF))
        for network, why in _IPV6_REFUSED:
            if ip in network:
                return why
        if ip not in _GLOBAL_UNICAST:
            return "reserved"
        if (int(ip) >> 32) & 0xFFFF_FFFF in _ISATAP:
            return "ISATAP tunnel"
        return None


def _special4(ip: IPv4Address) -> str | None:
    for network, why in _IPV4_REFUSED:
        if ip in network:
            return why
    return None


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ValueError(
            f"egress_allow: {text!r} is not an address range ({error}); write it as 10.20.0.0/16 or ::1/128"
        ) from None
