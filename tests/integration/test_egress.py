"""The HTTP client against real sockets: servers that behave, and servers that do not."""

import asyncio
import datetime
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward import __version__
from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.egress.http import EgressError, Request

LOOPBACK = ["127.0.0.0/8"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Handler = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader, self.writer, self.number = reader, writer, number

    async def request(self) -> tuple[str, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head[:-4].split("\r\n")
        headers = {name.lower(): value for name, value in (header.split(": ", 1) for header in rest)}
        return line, headers, await self.reader.readexactly(int(headers.get("content-length", 0)))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.writer.transport.abort()


class Server:
    def __init__(self, port: int) -> None:
        self.port = port
        self.connections = 0
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(0)
    tasks = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        server.connections += 1
        try:
            await handler(Peer(reader, writer, server.connections))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def always(answer: bytes, seen: list | None = None) -> Handler:
    async def handle(peer: Peer) -> None:
        while True:
            request = await peer.request()
            if seen is not None:
                seen.append((peer.number, *request))
            await peer.say(answer)

    return handle


def once(answer: bytes, *, reset: bool = False) -> Handler:
    """Answers the first request and ends the connection."""

    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer)
        if reset:
            peer.reset()

    return handle


async def hang(peer: Peer) -> None:
    await asyncio.Event().wait()


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def event_loop_policy(request):
    """Production runs on uvloop; its transports differ from asyncio's in every detail that matters here."""
    return uvloop.EventLoopPolicy() if request.param == "uvloop" else asyncio.DefaultEventLoopPolicy()


@pytest.fixture
async def client():
    client = HttpClient(Guard(LOOPBACK))
    yield client
    await client.close()


async def fails(client: HttpClient, code: str, url: str, **more) -> EgressError:
    with pytest.raises(EgressError) as caught:
        await client.send(Request(url=url, **more))
    assert caught.value.code == code, caught.value.message
    return caught.value


# -- what is sent -----------------------------------------------------------------------------------


async def test_sends_what_was_asked_and_reuses_the_connection(client):
    seen = []
    async with serving(always(OK, seen)) as server:
        for method in ("POST", "PUT", "PATCH", "DELETE", "GET"):
            response = await client.send(
                Request(method=method, url=server.url("/a?b=c d"), headers={"X-A": "1"}, body=b"{}")
            )
            assert (response.status, response.body, response.headers["content-length"]) == (200, b"ok", "2")
    assert {number for number, *_ in seen} == {1}
    assert [line for _, line, _, _ in seen] == [
        f"{method} /a?b=c%20d HTTP/1.1" for method in ("POST", "PUT", "PATCH", "DELETE", "GET")
    ]
    _, _, headers, body = seen[0]
    assert body == b"{}"
    assert headers == {
        "host": f"127.0.0.1:{server.port}",
        "x-a": "1",
        "user-agent": f"Onward/{__version__}",
        "accept": "*/*",
        "content-length": "2",
    }


async def test_a_post_without_a_body_says_so_and_a_get_says_nothing(client):
    seen = []
    async with serving(always(OK, seen)) as server:
        await client.send(Request(url=server.url()))
        await client.send(Request(method="GET", url=server.url()))
    assert seen[0][2]["content-length"] == "0"
    assert "content-length" not in seen[1][2]


async def test_framing_headers_of_the_caller_are_left_out_and_his_agent_is_kept(client):
    seen = []
    async with serving(always(OK, seen)) as server:
        theirs = {"Content-Length": "9", "transfer-encoding": "chunked", "Host": "evil", "User-Agent": "me"}
        await client.send(Request(url=server.url(), headers=theirs, body=b"x"))
    assert seen[0][2]["host"] == f"127.0.0.1:{server.port}"
    assert seen[0][2]["content-length"] == "1"
    assert seen[0][2]["user-agent"] == "me"
    assert "transfer-encoding" not in seen[0][2]


async def test_userinfo_is_basic_authorization_unless_given(client):
    seen = []
    async with serving(always(OK, seen)) as server:
        await client.send(Request(url=server.url(host="u:p@127.0.0.1")))
        await client.send(
            Request(url=server.url(host="u:p@127.0.0.1"), headers={"Authorization": "Bearer x"})
        )
    assert [headers["authorization"] for _, _, headers, _ in seen] == ["Basic dTpw", "Bearer x"]


async def test_a_large_body_arrives_whole(client):
    seen = []
    body = bytes(range(256)) * 20_000
    async with serving(always(OK, seen)) as server:
        await client.send(Request(url=server.url(), body=body))
    assert seen[0][3] == body


@given(
    name=st.text(max_size=12),
    value=st.text(max_size=12),
    path=st.text(max_size=12),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_nothing_breaks_out_of_its_line(name, value, path):
    async def run() -> None:
        client = HttpClient(Guard(LOOPBACK))
        seen = []
        async with serving(always(OK, seen)) as server:
            try:
                await client.send(Request(url=server.url("/" + path), headers={name: value}, body=b"1234"))
            except EgressError as error:
                assert error.code in ("INVALID_URL", "INVALID_HEADER")
                assert not error.retryable
                assert seen == []
            else:
                ((_, line, headers, body),) = seen
                assert body == b"1234" and line.startswith("POST /") and line.endswith(" HTTP/1.1")
                ours = {"host", "user-agent", "accept", "content-length"}
                assert headers.keys() - ours <= {name.lower()}
            finally:
                await client.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "headers",
    [
        {"a": "b\r\nc: d"},
        {"a": "b\n"},
        {"a": "b\0"},
        {"a": "é"},
        {"a\r\nb": "c"},
        {"a:": "c"},
        {"": "c"},
        {"a b": "c"},
        {"é": "c"},
    ],
)
async def test_header_injection_is_refused(client, headers):
    await fails(client, "INVALID_HEADER", "http://127.0.0.1:9/", headers=headers)


async def test_an_unknown_method_is_refused(client):
    await fails(client, "INVALID_HEADER", "http://127.0.0.1:9/", method="POST / HTTP/1.1\r\nx: y\r\n\r\n")


# -- answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", 500, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK, 200, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\no\r\n1;x=y\r\nk\r\n0\r\nRetry-After: 9\r\n\r\n",
            200,
            b"ok",
        ),
    ],
)
@pytest.mark.parametrize("pieces", [1, 1000])
async def test_reads_answers_however_they_are_cut(client, answer, status, body, pieces):
    async def handle(peer: Peer) -> None:
        while True:
            await peer.request()
            size = max(1, len(answer) // pieces)
            for start in range(0, len(answer), size):
                await peer.say(answer[start : start + size])
                await asyncio.sleep(0)

    async with serving(handle) as server:
        for _ in range(2):
            response = await client.send(Request(url=server.url()))
            assert (response.status, response.body) == (status, body)
            assert "retry-after" not in response.headers and "link" not in response.headers
        assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x-odd\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    ],
)
async def test_answers_that_end_the_connection(client, answer, body):
    async with serving(once(answer)) as server:
        for _ in range(2):
            assert (await client.send(Request(url=server.url()))).body == body
        assert server.connections == 2


async def test_head_has_no_body_whatever_its_length_says(client):
    async with serving(once(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")) as server:
        response = await client.send(Request(method="HEAD", url=server.url()))
        assert (response.status, response.body) == (200, b"")


async def test_repeated_headers_are_joined(client):
    async with serving(once(b"HTTP/1.1 200 OK\r\nX-a: 1\r\nx-A: 2\r\nContent-Length: 0\r\n\r\n")) as server:
        assert (await client.send(Request(url=server.url()))).headers["x-a"] == "1, 2"


@pytest.mark.parametrize("framing", ["length", "chunked", "end"])
async def test_a_huge_body_is_cut_at_the_cap_and_the_exchange_stands(framing):
    async def handle(peer: Peer) -> None:
        await peer.request()
        head = {
            "length": b"Content-Length: 10000000000\r\n",
            "chunked": b"Transfer-Encoding: chunked\r\n",
            "end": b"",
        }
        await peer.say(b"HTTP/1.1 200 OK\r\n" + head[framing] + b"\r\n")
        block = b"x" * 60_000
        while True:
            await peer.say(b"%x\r\n%s\r\n" % (len(block), block) if framing == "chunked" else block)

    client = HttpClient(Guard(LOOPBACK), cap=100_000)
    async with serving(handle) as server:
        response = await client.send(Request(url=server.url()))
        assert (response.status, response.body) == (200, b"x" * 100_000)
    await client.close()


async def test_a_body_of_exactly_the_cap_keeps_the_connection():
    client = HttpClient(Guard(LOOPBACK), cap=2)
    async with serving(always(OK)) as server:
        for _ in range(3):
            assert (await client.send(Request(url=server.url()))).body == b"ok"
        assert server.connections == 1
    await client.close()


async def test_compressed_answers_are_read_up_to_the_cap(client):
    bomb = gzip.compress(b"\0" * 20_000_000)
    assert len(bomb) < 64 * 1024
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with serving(once(head + bomb)) as server:
        assert (await client.send(Request(url=server.url()))).body == b"\0" * 64 * 1024


async def test_an_early_answer_to_an_unread_body_counts(client):
    async def handle(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await hang(peer)

    async with serving(handle) as server:
        for _ in range(2):
            response = await client.send(Request(url=server.url(), body=b"x" * 30_000_000))
            assert response.status == 413
        assert server.connections == 2, "a connection with a half-sent request was used again"


# -- hostile answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1;" + b"x" * 1_000_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: " + b"x" * 1_000_000,
    ],
)
async def test_an_answer_that_is_not_http_is_no_answer(client, answer):
    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(answer)
        await hang(peer)

    async with serving(handle) as server:
        error = await fails(client, "ECONNABORTED", server.url())
        assert error.retryable


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nConte",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_ends_within_the_answer_is_econnreset(client, answer, reset):
    async with serving(once(answer, reset=reset)) as server:
        assert (await fails(client, "ECONNRESET", server.url())).retryable
        assert server.connections == 1, "a first use is not repeated behind the engine's back"


async def test_a_second_answer_never_becomes_the_next_requests(client):
    async with serving(always(OK + b"HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n")) as server:
        for _ in range(3):
            assert (await client.send(Request(url=server.url()))).status == 200
        assert server.connections == 3


async def test_bytes_on_an_idle_connection_close_it(client):
    spoken = asyncio.Event()

    async def handle(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.say(OK)
            if peer.number == 1:
                await spoken.wait()
                await peer.say(b"HTTP/1.1 500 Evil\r\nContent-Length: 0\r\n\r\n")
                await peer.reader.read()
                return

    async with serving(handle) as server:
        await client.send(Request(url=server.url()))
        ((pool,),) = [client._pools.values()]
        spoken.set()
        while pool.connections:
            await asyncio.sleep(0.005)
        for _ in range(5):
            assert (await client.send(Request(url=server.url()))).status == 200


@pytest.mark.parametrize("reset", [False, True])
async def test_a_kept_connection_that_closed_is_replaced_once(client, reset):
    """The server answers one request a connection, and closes only when the second comes."""
    bodies = []

    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK)
        bodies.append((await peer.request())[2])
        if reset:
            peer.reset()

    async with serving(handle) as server:
        for number in range(3):
            response = await client.send(Request(url=server.url(), body=b"%d" % number))
            assert response.status == 200
        assert server.connections == 3
        assert bodies == [b"1", b"2"]


# -- time -------------------------------------------------------------------------------------------


async def slow_head(peer: Peer) -> None:
    await peer.request()
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000:
        await peer.say(bytes([byte]))
        await asyncio.sleep(0.01)


async def slow_body(peer: Peer) -> None:
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        await peer.say(b"x")
        await asyncio.sleep(0.01)


async def stalled_reader(peer: Peer) -> None:
    peer.writer.transport.pause_reading()
    await hang(peer)


@pytest.mark.parametrize("handler", [hang, slow_head, slow_body, stalled_reader])
async def test_the_timeout_covers_the_whole_exchange(client, handler):
    loop = asyncio.get_running_loop()
    async with serving(handler) as server:
        started = loop.time()
        error = await fails(client, "ETIMEDOUT", server.url(), timeout=0.3, body=b"x" * 20_000_000)
        assert error.retryable
        assert 0.25 < loop.time() - started < 5


async def test_the_timeout_covers_tls(client):
    async with serving(hang) as server:
        await fails(client, "ETIMEDOUT", server.url(scheme="https"), timeout=0.2)


async def test_the_timeout_covers_the_name_server():
    async def never(host: str):
        await asyncio.Event().wait()

    client = HttpClient(Guard(LOOPBACK), lookup=never)
    await fails(client, "ETIMEDOUT", "http://slow.example/", timeout=0.2)
    await client.close()


async def test_the_timeout_covers_the_wait_for_a_connection():
    client = HttpClient(Guard(LOOPBACK), per_origin=1)
    async with serving(hang) as server:
        first = asyncio.create_task(client.send(Request(url=server.url(), timeout=30)))
        while not server.connections:
            await asyncio.sleep(0.01)
        await fails(client, "ETIMEDOUT", server.url(), timeout=0.2)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    await client.close()


async def test_no_more_connections_than_allowed_and_everyone_gets_a_turn():
    client = HttpClient(Guard(LOOPBACK), per_origin=3)
    async with serving(always(OK)) as server:
        answers = await asyncio.gather(*[client.send(Request(url=server.url())) for _ in range(60)])
        assert [answer.status for answer in answers] == [200] * 60
        assert server.connections == 3
    await client.close()


async def test_turns_are_passed_on_when_connections_are_refused_closed_or_cancelled():
    """One connection, taken by exchanges that end in every way there is; nobody is left waiting."""

    async def handle(peer: Peer) -> None:
        while True:
            line, _, _ = await peer.request()
            if "/ok" in line:
                await peer.say(OK)
            elif "/close" in line:
                return
            elif "/hang" in line:
                await hang(peer)

    client = HttpClient(Guard(LOOPBACK), per_origin=1)
    async with serving(handle) as server:
        tasks = []
        for number in range(40):
            path = ("/ok", "/close", "/hang", "/ok")[number % 4]
            tasks.append(asyncio.create_task(client.send(Request(url=server.url(path), timeout=20))))
        cancelled = tasks[2::4]
        for task in cancelled:
            await asyncio.sleep(0.01)
            task.cancel()
        await asyncio.wait(tasks, timeout=20)
        assert all(task.done() for task in tasks)
        for number, task in enumerate(tasks):
            if number % 4 in (0, 3):
                assert task.result().status == 200
            elif number % 4 == 1:
                assert task.exception().code == "ECONNRESET"
    await client.close()


async def test_a_cancelled_exchange_gives_its_connection_up(client):
    async def handle(peer: Peer) -> None:
        while True:
            line, _, _ = await peer.request()
            if "/slow" in line:
                await asyncio.sleep(0.2)
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + line.encode()[6:10])

    async with serving(handle) as server:
        await client.send(Request(url=server.url("/warm")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.send(Request(url=server.url("/slow"))), 0.05)
        for _ in range(10):
            assert (await client.send(Request(url=server.url("/fast")))).body == b"fast"
            await asyncio.sleep(0.03)


async def test_close_ends_what_is_under_way():
    client = HttpClient(Guard(LOOPBACK))
    async with serving(hang) as server:
        task = asyncio.create_task(client.send(Request(url=server.url())))
        while not server.connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        await client.close()
        with pytest.raises(EgressError) as caught:
            await task
        assert caught.value.code == "ECONNABORTED"


async def test_idle_connections_are_let_go_as_the_server_says(client):
    ended = asyncio.Event()

    async def handle(peer: Peer) -> None:
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=5\r\nContent-Length: 0\r\n\r\n")
        assert await peer.reader.read() == b""
        ended.set()

    async with serving(handle) as server:
        await client.send(Request(url=server.url()))
        await asyncio.wait_for(ended.wait(), 5)


# -- errors of the network --------------------------------------------------------------------------


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


# -- the guard --------------------------------------------------------------------------------------


def answering(*answers: list[str]):
    """A name server that gives each of `answers` in turn."""
    queue = list(answers)

    async def lookup(host: str):
        addresses = queue.pop(0) if len(queue) > 1 else queue[0]
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in addresses]

    return lookup


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


# -- redirects --------------------------------------------------------------------------------------


def redirect(status: int, location: str) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


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


# -- TLS --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1 and right.example: (server context, path of the authority)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "right.example")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("right.example"), x509.IPAddress(ip_address("127.0.0.1"))]
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    path = folder / "both.pem"
    path.write_bytes(
        cert.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context, path


async def test_a_self_signed_certificate_is_refused_for_good(client, certificate):
    async with serving(always(OK), tls=certificate[0]) as server:
        error = await fails(client, "TLS", server.url(scheme="https"))
        assert not error.retryable


async def test_tls_with_a_trusted_certificate_and_only_for_its_names(certificate):
    trusting = ssl.create_default_context(cafile=str(certificate[1]))
    client = HttpClient(Guard(LOOPBACK), tls=trusting, lookup=answering(["127.0.0.1"]))
    async with serving(always(OK), tls=certificate[0]) as server:
        for host in ("127.0.0.1", "right.example", "RIGHT.example."):
            for _ in range(2):
                response = await client.send(
                    Request(url=server.url(host=host, scheme="https"), body=b"x" * 200_000)
                )
                assert response.body == b"ok"
        assert server.connections == 2
        await fails(client, "TLS", server.url(host="wrong.example", scheme="https"))
    await client.close()


async def test_plain_http_behind_https_is_no_certificate_matter(client):
    async def speak(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(speak) as server:
        assert (await fails(client, "ECONNABORTED", server.url(scheme="https"))).retryable


async def test_a_redirect_never_leaves_tls(certificate):
    trusting = ssl.create_default_context(cafile=str(certificate[1]))
    client = HttpClient(Guard(LOOPBACK), tls=trusting)
    async with (
        serving(always(OK)) as plain,
        serving(always(redirect(308, plain.url())), tls=certificate[0]) as server,
    ):
        await fails(client, "INVALID_URL", server.url(scheme="https"))
        assert plain.connections == 0
    await client.close()
