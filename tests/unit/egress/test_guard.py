from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.egress.guard import BlockedError, Guard

REFUSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "100.64.0.1": "CGNAT",
    "100.100.100.200": "CGNAT",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "metadata",
    "169.254.169.254": "metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "reserved",
    "192.0.2.7": "documentation",
    "192.88.99.1": "6to4",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmark",
    "198.51.100.1": "documentation",
    "203.0.113.9": "documentation",
    "224.0.0.1": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "reserved",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "metadata",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "metadata",
    "64:ff9b:1::1": "NAT64",
    "100::1": "discard",
    "2001::1": "Teredo",
    "2001:2::1": "benchmark",
    "2001:10::1": "reserved",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:808:808::": "6to4",
    "2600::5efe:7f00:1": "ISATAP",
    "3fff::1": "documentation",
    "4000::1": "reserved",
    "5f00::1": "reserved",
    "fd00:ec2::254": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "zone",
    "2606:4700::1111%eth0": "zone",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "": "not an address",
    "localhost": "not an address",
    "0177.0.0.1": "not an address",
    "127.1": "not an address",
}


@pytest.mark.parametrize(("address", "why"), REFUSED.items())
def test_refuses_what_is_not_public_and_says_why(address, why):
    with pytest.raises(BlockedError, match=why) as caught:
        Guard().check(address)
    assert caught.value.code == "BLOCKED_ADDRESS"
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "11.0.0.0",
        "172.32.0.1",
        "192.0.1.1",
        "198.20.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_lets_public_addresses_through(address):
    Guard().check(address)


@given(st.ip_addresses(v=4))
def test_no_ipv4_that_the_standard_library_calls_special_gets_through(ip):
    special = not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_loopback or ip.is_link_local
    if special:
        with pytest.raises(BlockedError):
            Guard().check(str(ip))


SPECIAL6 = [
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


@given(st.sampled_from(SPECIAL6).flatmap(lambda block: st.ip_addresses(network=block)))
def test_no_address_in_a_special_ipv6_block_gets_through(ip):
    with pytest.raises(BlockedError):
        Guard().check(str(ip))


@given(st.ip_addresses(v=6))
def test_no_ipv6_that_the_standard_library_calls_special_gets_through(ip):
    special = ip.is_multicast or ip.is_private or ip.is_reserved or ip.is_loopback or ip.is_link_local
    if special and ip.ipv4_mapped is None and ip not in ip_network("64:ff9b::/96"):
        with pytest.raises(BlockedError):
            Guard().check(str(ip))


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::"]))
def test_an_address_that_carries_another_is_as_good_as_the_other(ip, prefix):
    carrier = IPv6Address(int(IPv6Address(prefix)) | int(ip))
    assert refused(Guard(), str(carrier)) == refused(Guard(), str(ip))


@given(st.ip_addresses(), st.integers(8, 32))
def test_an_allowed_range_lets_exactly_itself_through(ip, length):
    network = ip_network((str(ip), length), strict=False)
    guard = Guard([str(network)])
    guard.check(str(network.network_address))
    guard.check(str(network.broadcast_address))
    for outside in (int(network.network_address) - 1, int(network.broadcast_address) + 1):
        if 0 <= outside < 2**network.max_prefixlen:
            kind = IPv4Address if network.version == 4 else IPv6Address
            assert refused(guard, str(kind(outside))) == refused(Guard(), str(kind(outside)))


def test_allowed_ipv4_counts_for_its_mapped_spelling_but_not_behind_a_gateway():
    guard = Guard(["127.0.0.0/8"])
    guard.check("::ffff:127.0.0.1")
    assert refused(guard, "64:ff9b::7f00:1")
    assert refused(guard, "::1")


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.1/8", "10.0.0.0/33", "fe80::/200"])
def test_a_range_that_is_none_is_named(text):
    with pytest.raises(ValueError, match="egress_allow"):
        Guard([text])


def refused(guard: Guard, address: str) -> bool:
    try:
        guard.check(address)
    except BlockedError:
        return True
    return False
