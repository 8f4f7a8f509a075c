"""The operator's override: which origin a request goes to, and that the rest of it stays."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.egress.client import HttpClient
from onward.egress.guard import BlockedError, Guard
from onward.egress.http import Request
from onward.egress.override import Override
from onward.egress.url import parse

ORIGIN = "http://127.0.0.1:9000"

labels = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
hosts = st.lists(labels, min_size=2, max_size=4).map(".".join)
paths = st.from_regex(r"/[a-z0-9/]{0,8}(\?[a-z]=[a-z0-9%]{0,4})?", fullmatch=True).filter(
    lambda path: "%" not in path
)


@given(host=hosts, path=paths, scheme=st.sampled_from(["http", "https"]))
def test_everything_but_the_origin_stays(host: str, path: str, scheme: str) -> None:
    target = parse(f"{scheme}://user:pw@{host}:8443{path}")
    headers = {"X-A": "1", "X-Forwarded-Host": "elsewhere"}
    moved, sent = Override([f"*={ORIGIN}"]).apply(target, headers)
    assert moved.origin == ("http", "127.0.0.1", 9000) and moved.authority == "127.0.0.1:9000"
    assert (moved.path, moved.authorization) == (target.path, target.authorization)
    assert sent == {"X-A": "1", "x-forwarded-host": f"{host}:8443", "x-forwarded-proto": scheme}


@given(host=hosts, other=hosts)
def test_what_no_rule_names_stays_where_it_is(host: str, other: str) -> None:
    target, headers = parse(f"https://{other}/"), {"a": "b"}
    moved = Override([f"{host}={ORIGIN}"]).apply(target, headers)
    assert (moved == (target, headers)) == (host != other)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("api.example.com", 1),
        ("eu.api.example.com", 2),
        ("x.example.com", 3),
        ("example.com", 4),
        ("notexample.com", 4),
        ("127.0.0.1", 5),
        ("xn--bcher-kva.de", 6),
    ],
)
def test_the_most_exact_rule_counts_in_whatever_order(host: str, port: int) -> None:
    rules = [
        "*=http://127.0.0.1:4",
        "*.example.com=http://127.0.0.1:3",
        "*.api.example.com=http://127.0.0.1:2",
        " API.Example.com = http://127.0.0.1:1/ ",
        "0x7f.1=http://127.0.0.1:5",
        "bücher.de=http://127.0.0.1:6",
    ]
    for some in (rules, rules[::-1]):
        found = Override(some).find(host)
        assert found is not None and found.port == port


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "*",
        "=http://127.0.0.1",
        "a.b=",
        "a.b=127.0.0.1:9000",
        "a.b=http://127.0.0.1/path",
        "a.b=http://u:p@127.0.0.1",
        "a.b=ftp://127.0.0.1",
        "https://a.b=http://127.0.0.1",
        "a.b:443=http://127.0.0.1",
        "a.b/x=http://127.0.0.1",
        "a.*=http://127.0.0.1",
        "**=http://127.0.0.1",
    ],
)
def test_a_rule_that_cannot_be_read_is_named(rule: str) -> None:
    with pytest.raises(ValueError, match="egress_override") as error:
        Override([rule])
    assert repr(rule) in str(error.value)


async def _peer(answers: list[bytes]) -> tuple[asyncio.Server, int, list[bytes]]:
    """A server that records heads and gives one answer after the other."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answers[len(heads) - 1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], heads


async def test_redirects_are_overridden_too() -> None:
    redirect = b"HTTP/1.1 307 X\r\nlocation: https://other.example.org/b\r\ncontent-length: 0\r\n\r\n"
    server, port, heads = await _peer([redirect, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"])
    client = HttpClient(Guard(["127.0.0.0/8"]), override=Override([f"*=http://127.0.0.1:{port}"]))
    try:
        answer = await client.send(Request(url="https://api.example.com/a?b=1", body=b"{}"))
    finally:
        await client.close()
        server.close()
    assert (answer.status, answer.body) == (200, b"ok")
    first, second = (head.decode().lower() for head in heads)
    assert first.startswith("post /a?b=1 ") and "x-forwarded-host: api.example.com\r\n" in first
    assert f"host: 127.0.0.1:{port}\r\n" in first and "x-forwarded-proto: https\r\n" in first
    assert second.startswith("post /b ") and "x-forwarded-host: other.example.org\r\n" in second


async def test_the_guard_still_judges_the_address() -> None:
    client = HttpClient(Guard(), override=Override(["*=http://127.0.0.1:9"]))
    try:
        with pytest.raises(BlockedError, match="egress_allow"):
            await client.send(Request(url="https://api.example.com/"))
    finally:
        await client.close()


def test_the_example_of_the_settings_is_an_override(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "examples/onward.toml").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("# egress_override")]
    rules: Any = json.loads(line.partition("=")[2])
    assert Override(rules)
