"""The commands' client: what it asks, and how it says what goes wrong; against a real HTTP server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from onward import cli
from onward.commands.client import Api
from onward.commands.common import CommandError

Json = dict[str, Any]


class Server(ThreadingHTTPServer):
    """Answers by `(method, path)`; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.asked: list[tuple[str, str, Any, str]] = []

    def answer(self, method: str, path: str, data: Json, status: int = 200) -> None:
        self.answers[method, path] = (status, json.dumps({"data": data}).encode())

    def api(self, token: str = "t") -> Api:
        return Api(url=f"http://127.0.0.1:{self.server_port}", token=token)


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        self.server.asked.append((self.command, self.path, body, self.headers["authorization"]))
        missing = (404, b'{"errors":[{"type":"not-found","message":"nothing here"}]}')
        status, content = self.server.answers.get((self.command, self.path), missing)
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("ONWARD_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("ONWARD_TOKEN", "env-token")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


DESTINATIONS = [
    {"id": "d1", "name": "Hook", "sourceId": "s1", "enabled": True, "metadata": {"slug": "actions-webhook"}},
    {"id": "d2", "name": "Hook", "sourceId": "s2", "enabled": False, "metadata": {"slug": "actions-webhook"}},
    {"id": "d3", "name": "Other", "sourceId": "s2", "enabled": True, "metadata": {"slug": "tool"}},
]
SOURCES = [{"id": "s1", "slug": "web", "name": "Web"}, {"id": "s2", "slug": "app", "name": "App"}]


def listed(server: Server) -> None:
    for name, items in (("sources", SOURCES), ("destinations", DESTINATIONS)):
        path = f"/api/{name}?pagination.count=200"
        server.answer("GET", path, {name: items[:1], "pagination": {"next": "more"}})
        server.answer(
            "GET", f"{path}&pagination.cursor=more", {name: items[1:], "pagination": {"next": None}}
        )


def test_things_are_found_by_id_and_by_unique_name_on_any_page(server: Server) -> None:
    listed(server)
    api = server.api()
    assert api.destination("d2")["id"] == "d2"
    assert api.destination("Other") == DESTINATIONS[2]
    assert api.destination("app/Hook") == DESTINATIONS[1]
    assert (api.source("web")["id"], api.source("App")["id"]) == ("s1", "s2")
    with pytest.raises(CommandError, match=r"2 destinations are called Hook; .* d1, d2"):
        api.destination("Hook")
    with pytest.raises(
        CommandError, match="there is no destination Nope; `onward destinations list` has all"
    ):
        api.destination("Nope")
    with pytest.raises(CommandError, match="there are 2 sources; name one with --source"):
        api.source(None)


def test_errors_of_the_api_are_one_sentence(server: Server) -> None:
    problems = [
        {"type": "validation", "message": "it is wrong", "field": "settings.url"},
        {"message": "and more"},
    ]
    server.answers["POST", "/api/x"] = (422, json.dumps({"errors": problems}).encode())
    server.answers["POST", "/api/y"] = (502, b"<html>")
    server.answers["POST", "/api/z"] = (401, b"{}")
    for path, told in (
        ("/x", "settings.url: it is wrong; and more"),
        ("/y", "answered 502, and is perhaps not Onward"),
        ("/z", "does not know this token; set ONWARD_TOKEN or give --token"),
        ("/nope", "nothing here"),
    ):
        with pytest.raises(CommandError) as error:
            server.api().post(path, {"a": 1})
        assert told in str(error.value)
    assert server.asked[0] == ("POST", "/api/x", {"a": 1}, "Bearer t")


@pytest.mark.parametrize(
    ("api", "told"),
    [
        (Api(url="http://127.0.0.1:1", token="t"), "no answer from http://127.0.0.1:1"),
        (Api(url="file:///etc/passwd", token="t"), "--url file:///etc/passwd"),
        (Api(url="nonsense", token="t"), "--url nonsense"),
        (Api(token=""), "no token: set ONWARD_TOKEN"),
    ],
)
def test_where_there_is_no_onward_it_says_so(api: Api, told: str) -> None:
    with pytest.raises(CommandError) as error:
        api.get("/")
    assert str(error.value).startswith(told)


def test_commands_take_address_and_token_from_the_environment_or_flags(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    listed(server)
    assert cli.main(["destinations", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == DESTINATIONS
    assert cli.main(["destinations", "list", "--token", "mine"]) == 0
    assert "Hook" in capsys.readouterr().out
    assert [asked[3] for asked in server.asked if "cursor" not in asked[1]] == [
        "Bearer env-token",
        "Bearer mine",
        "Bearer mine",
    ]


def test_nothing_is_deleted_unasked(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    listed(server)
    assert cli.main(["destinations", "remove", "d1"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert {asked[0] for asked in server.asked} == {"GET"}


@pytest.mark.parametrize("flags", [[], ["--last", "--sample", "track"]])
def test_a_test_has_just_one_event(
    server: Server, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    listed(server)
    assert cli.main(["test", "event", "d1", *flags]) == 2
    assert "--event FILE, --message-id ID, --last, --sample TYPE" in capsys.readouterr().err


def test_events_are_followed_until_someone_stops_it(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(server)

    def line(number: int) -> Json:
        event = {"type": "track", "event": f"Event {number}"}
        time = f"2026-01-01T10:00:0{number}.000Z"
        ends = {"verdict": "accepted", "code": None, "payload": event, "messageId": f"m{number}"}
        return {"receivedAt": time, "type": "track", **ends}

    pauses = iter(([line(2), line(1)], [line(3), line(2), line(1)]))

    def pause(seconds: float) -> None:
        new = next(pauses, None)
        if new is None:
            raise KeyboardInterrupt
        server.answer("GET", "/api/sources/s1/debugger?count=500", {"events": new})

    monkeypatch.setattr("onward.commands.sources.time.sleep", pause)
    server.answer("GET", "/api/sources/s1/debugger?count=1", {"events": [line(1)]})
    assert cli.main(["sources", "events", "web", "--count", "1", "--follow"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [each.split()[-1] for each in shown] == ["m1", "m2", "m3"]
    assert shown[0].split() == ["10:00:01.000", "track", "Event", "1", "accepted", "m1"]
