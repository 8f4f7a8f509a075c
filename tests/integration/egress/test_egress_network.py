"""Names, addresses and the guard in front of them, and redirects."""

import asyncio
import socket

import pytest
from integration.egress.peers import LOOPBACK, OK, Peer, always, answering, fails, once, redirect, serving

from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import EgressError, Request


async def test_a_closed_port_is_econnrefused(client):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        error = await fails(client, "ECONNREFUSED", f"http://127.0.0.1:{port}/")
    assert error.retryable and str(port) in error.message


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "ENOTFOUND"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "EAI_AGAIN"),
        (socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure"), "ENOTFOUND"),
        (None, "ENOTFOUND"),
    ],
)
async def test_names_that_are_not_found(failure, code):
    async def lookup(host: str):
        if failure:
            raise failure
        return []

    client = HttpClient(Guard(LOOPBACK), lookup=lookup)
    assert (await fails(client, code, "http://gone.example/")).retryable
    await client.close()


async def test_a_name_that_does_not_exist_is_enotfound_or_eai_again(client):
    with pytest.raises(EgressError) as caught:
        await client.send(Request(url="http://no-such-name.invalid/"))
    assert caught.value.code in ("ENOTFOUND", "EAI_AGAIN")


async def test_the_next_address_is_tried():
    async def lookup(host: str):
        return [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1")]

    client = HttpClient(Guard(LOOPBACK), lookup=lookup)
    async with serving(always(OK)) as server:
        assert (await client.send(Request(url=server.url(host="two.example")))).status == 200
    await client.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0177.1",
        "0x7f.1",
        "127.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "[::1]",
        "0.0.0.0",
        "good.example@127.0.0.1",
        "１２７.０.０.１",
    ],
)
async def test_loopback_is_out_of_reach_however_it_is_spelled(host):
    client = HttpClient(Guard())
    async with serving(always(OK)) as server:
        error = await fails(client, "BLOCKED_ADDRESS", server.url(host=host))
        assert not error.retryable
        assert server.connections == 0
    await client.close()


async def test_one_refused_address_refuses_the_whole_answer():
    client = HttpClient(Guard(["127.0.0.1/32"]), lookup=answering(["127.0.0.1", "169.254.169.254"]))
    async with serving(always(OK)) as server:
        await fails(client, "BLOCKED_ADDRESS", server.url(host="mixed.example"))
        assert server.connections == 0
    await client.close()


async def test_a_name_that_changes_its_mind_is_judged_by_where_the_connection_goes():
    client = HttpClient(Guard(["127.0.0.1/32"]), lookup=answering(["127.0.0.1"], ["127.0.0.9"]))
    async with serving(once(OK)) as server:
        url = server.url(host="rebind.example")
        assert (await client.send(Request(url=url))).status == 200
        client._resolver._answers.clear()  # its time to live is over
        ((pool,),) = [client._pools.values()]
        while pool.connections:
            await asyncio.sleep(0.005)
        await fails(client, "BLOCKED_ADDRESS", url)
        assert server.connections == 1
    await client.close()


async def test_localhost_is_whatever_of_it_is_allowed(client):
    async with serving(always(OK)) as server:
        assert (await client.send(Request(url=server.url(host="localhost")))).status == 200


@pytest.mark.parametrize("status", [307, 308])
async def test_307_and_308_keep_method_and_body(client, status):
    seen = []

    async def handle(peer: Peer) -> None:
        while True:
            request = await peer.request()
            seen.append(request)
            await peer.say(redirect(status, "/b?c") if "/a" in request[0] else OK)

    async with serving(handle) as server:
        request = Request(method="PUT", url=server.url("/a"), headers={"Authorization": "x"}, body=b"data")
        assert (await client.send(request)).status == 200
    assert [(line, body) for line, _, body in seen] == [
        ("PUT /a HTTP/1.1", b"data"),
        ("PUT /b?c HTTP/1.1", b"data"),
    ]
    assert seen[1][1]["authorization"] == "x"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304])
async def test_other_redirects_are_answers(client, status):
    async with serving(always(redirect(status, "/b"))) as server:
        assert (await client.send(Request(url=server.url()))).status == status


async def test_no_redirect_is_followed_unasked(client):
    async with serving(always(redirect(307, "/b"))) as server:
        assert (await client.send(Request(url=server.url(), follow_307=False))).status == 307


async def test_a_loop_of_redirects_ends_as_an_answer(client):
    seen = []
    async with serving(always(redirect(307, "/again"), seen)) as server:
        assert (await client.send(Request(url=server.url()))).status == 307
    assert len(seen) == 4


async def test_secrets_do_not_follow_to_another_origin(client):
    seen = []
    async with serving(always(OK, seen)) as other, serving(always(redirect(307, other.url("/x")))) as server:
        headers = {
            "Authorization": "a",
            "Cookie": "b",
            "X-Signature": "c",
            "webhook-signature": "d",
            "X-Plain": "e",
        }
        response = await client.send(
            Request(url=server.url(host="u:p@127.0.0.1"), headers=headers, body=b"x")
        )
        assert response.status == 200
    assert seen[0][2].keys() & {"authorization", "cookie", "x-signature", "webhook-signature"} == set()
    assert seen[0][2]["x-plain"] == "e"


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "BLOCKED_ADDRESS"),
        ("http://[::ffff:169.254.169.254]/", "BLOCKED_ADDRESS"),
        ("http://2852039166/", "BLOCKED_ADDRESS"),
        ("//10.0.0.1/", "BLOCKED_ADDRESS"),
        ("file:///etc/passwd", "INVALID_URL"),
        ("gopher://127.0.0.1/", "INVALID_URL"),
        ("http://[", "INVALID_URL"),
    ],
)
async def test_every_hop_goes_through_the_guard(client, location, code):
    async with serving(always(redirect(307, location))) as server:
        assert not (await fails(client, code, server.url())).retryable


async def test_what_has_a_protocol_of_its_own_gets_judged_addresses():
    client = HttpClient(Guard(["127.0.0.1/32"]), lookup=answering(["127.0.0.1"]))
    assert await client.resolve("broker.example") == await client.resolve("127.0.0.1") == ["127.0.0.1"]
    for host in ("10.0.0.1", "127.0.0.2"):
        with pytest.raises(EgressError) as caught:
            await client.resolve(host)
        assert caught.value.code == "BLOCKED_ADDRESS"
    await client.close()
