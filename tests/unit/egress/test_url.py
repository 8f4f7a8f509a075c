import socket
from ipaddress import IPv4Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onward.egress.http import EgressError
from onward.egress.url import join, parse


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://2130706433/", "127.0.0.1"),
        ("http://0177.1/", "127.0.0.1"),
        ("http://0x7f.1", "127.0.0.1"),
        ("http://127.1", "127.0.0.1"),
        ("http://127.1.", "127.0.0.1"),
        ("http://127.0.0.1.:80/x", "127.0.0.1"),
        ("http://0x7f000001", "127.0.0.1"),
        ("http://0X7F.0x0.0X0.0x1", "127.0.0.1"),
        ("http://017700000001", "127.0.0.1"),
        ("http://0xA9.254.43518", "169.254.169.254"),
        ("http://0", "0.0.0.0"),
        ("http://１２７。０.０.１/", "127.0.0.1"),
        ("http://good.example@169.254.169.254/", "169.254.169.254"),
        ("http://good.example:80@127.0.0.1:8080", "127.0.0.1"),
        ("http://[::FFFF:127.0.0.1]/", "::ffff:7f00:1"),
        ("http://[0:0:0:0:0:0:0:1]:8080/", "::1"),
        ("http://Example.COM./", "example.com"),
        ("https://münchen.de/", "xn--mnchen-3ya.de"),
        ("http://localhost", "localhost"),
        ("http://a_b.example", "a_b.example"),
    ],
)
def test_reads_the_host_that_the_system_would_connect_to(url, host):
    assert parse(url).host == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "//x/",
        "ftp://x/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http:",
        "http:/x",
        "http:///x",
        "http://:80/",
        "http://x:0/",
        "http://x:65536/",
        "http://x:-1/",
        "http://x:8a/",
        "http://a@b@c/",
        "http://x/\r\nHost: y",
        "http://x\n/",
        "http://x\t.y/",
        "http://x\0/",
        "http://a\\@b/",
        "http://exa%6dple.com/",
        "http://127.0.0.1%2f/",
        "http://a b/",
        "http://a..b/",
        "http://-a.b/",
        "http://1.2.3.4.5/",
        "http://1.2.3.256/",
        "http://256.1/",
        "http://09.1/",
        "http://x.1/",
        "http://4294967296/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[v1.x]/",
        "http://[127.0.0.1]/",
        "http://" + "a" * 64 + "/",
        "http://" + "a." * 130 + "b/",
        "http://x/" + "a" * 20_000,
        "http://x/\ud800",
        "http://\ud800/",
    ],
)
def test_refuses_what_can_be_read_in_two_ways(url):
    with pytest.raises(EgressError) as caught:
        parse(url)
    assert caught.value.code == "INVALID_URL"
    assert not caught.value.retryable


@given(st.text())
@example("http://\u2100/")
def test_reads_or_refuses_any_text(text):
    for url in (text, "http://" + text, "http://h/" + text, "http://h/?" + text):
        try:
            target = parse(url)
        except EgressError as error:
            assert error.code == "INVALID_URL"
        else:
            line = target.path + target.authority + (target.authorization or "")
            assert line.isascii() and line.isprintable() and " " not in target.path + target.authority


@given(st.ip_addresses(v=4), st.integers(1, 4), st.data())
def test_old_spellings_of_ipv4_are_read_as_the_system_reads_them(ip, parts, data):
    number = int(ip)
    low_bits = 8 * (5 - parts)
    pieces = [(number >> (24 - 8 * place)) & 255 for place in range(parts - 1)]
    pieces.append(number & ((1 << low_bits) - 1))
    spell = st.sampled_from([str, hex, lambda n: f"0{n:o}", lambda n: f"0X{n:X}"])
    text = ".".join(data.draw(spell)(piece) for piece in pieces)
    assert parse(f"http://{text}/").host == str(ip) == str(IPv4Address(socket.inet_aton(text)))


@pytest.mark.parametrize(
    ("url", "path", "authority"),
    [
        ("http://h", "/", "h"),
        ("http://h:80/", "/", "h"),
        ("https://h:443/a?b=c#d", "/a?b=c", "h"),
        ("http://h:8080/a b/é?q=ü&x=%20", "/a%20b/%C3%A9?q=%C3%BC&x=%20", "h:8080"),
        ("  http://h/x  ", "/x", "h"),
        ("http://[::1]:81", "/", "[::1]:81"),
    ],
)
def test_request_line_and_host_header(url, path, authority):
    target = parse(url)
    assert (target.path, target.authority) == (path, authority)


def test_userinfo_becomes_a_basic_credential_and_never_shows_in_errors():
    assert parse("http://us%40er:p%3Aw@h/").authorization == "Basic dXNAZXI6cDp3"
    with pytest.raises(EgressError) as caught:
        parse("http://user:hunter2@h:99999/")
    assert "hunter2" not in caught.value.message


def test_a_redirect_is_relative_to_where_it_came_from():
    assert join("http://h/a/b?c", "../d#e") == "http://h/d"
    assert join("https://h/a", "//other/x") == "https://other/x"
    with pytest.raises(EgressError):
        join("http://h/", "http://[x")
