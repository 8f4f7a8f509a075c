"""Two versions of a function beside each other on a real server, deployed by the API and the command line."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import pytest
from harness import TOKEN, Onward, Sink, Source, http, wait_until

from onward import cli

CODE = {
    "DESTINATION": """async function onTrack(event, settings) {
  const body = JSON.stringify({ messageId: event.messageId, event: 'VERSION' })
  await fetch(settings.url, { method: 'POST', body })
}""",
    "INSERT_DESTINATION": "async function onTrack(event) { return { ...event, event: 'VERSION' } }",
    "INSERT_SOURCE": "async function onTrack(event) { return { ...event, event: 'VERSION' } }",
    "SOURCE": """async function onRequest(request) {
  Segment.track({ event: 'VERSION', userId: 'u', messageId: request.json().id })
}""",
}


def code(kind: str, version: str) -> str:
    return CODE[kind].replace("VERSION", version)


class Place(NamedTuple):
    """A source with a destination, an instance of the function at one of them."""

    source: Source
    webhook: str | None
    """Path of the source function's."""
    instance: str
    path: str
    """Where it sends to."""


def place(onward: Onward, sink: Sink, function: dict[str, Any], slug: str) -> Place:
    url, kind = f"http://127.0.0.1:{sink.port}/{slug}", function["resourceType"]
    if kind == "SOURCE":
        body = {"slug": slug, "metadataId": function["catalogId"]}
        made = onward.api("POST", "/sources", body)["source"]
        source = Source(made["id"], slug, made["writeKeys"][0])
        onward.create_webhook(source, url)
        webhook = onward.url + made["webhookPath"]
        wait_until(lambda: http("GET", webhook).status == 405, what="the door knows the source function")
        return Place(source, webhook, source.id, f"/{slug}")
    source = onward.create_source(slug)
    if kind == "DESTINATION":
        body = {"sourceId": source.id, "metadataId": function["catalogId"], "name": "Send", "enabled": True}
        destination = onward.api("POST", "/destinations", body | {"settings": {"url": url}})["destination"]
        return Place(source, None, destination["id"], f"/{slug}")
    destination_id = onward.create_webhook(source, url)
    beside = source.id if kind == "INSERT_SOURCE" else destination_id
    body = {"functionId": function["id"], "integrationId": beside, "name": "In", "enabled": True}
    made = onward.api("POST", "/insert-function-instances", body | {"settings": {}})
    return Place(source, None, made["insertFunctionInstance"]["id"], f"/{slug}")


class Traffic:
    """Events with ids of their own, and the version that each met."""

    def __init__(self, onward: Onward, sink: Sink) -> None:
        self._onward = onward
        self._sink = sink
        self._ids: Iterator[int] = count()

    def met(self, place: Place) -> str:
        """The version that an event meets now."""
        id = f"m-{next(self._ids)}"
        if place.webhook is None:
            event = {"type": "track", "userId": "u", "event": "as sent", "messageId": id}
            self._onward.send(place.source, [event])
        else:
            assert http("POST", place.webhook, {"id": id}).status == 200
        return wait_until(lambda: self._arrived(place).get(id, ""), what=f"{id} arrived at {place.path}")

    def wait_for(self, place: Place, version: str) -> None:
        wait_until(lambda: self.met(place) == version, what=f"{version} runs for {place.path}")

    def _arrived(self, place: Place) -> dict[str, str]:
        bodies = [json.loads(each["body"]) for each in self._sink.requests() if each["path"] == place.path]
        return {body["messageId"]: body["event"] for body in bodies}


@pytest.mark.parametrize("kind", CODE)
def test_instances_run_the_versions_that_were_deployed_to_them(onward: Onward, sink: Sink, kind: str) -> None:
    settings = [{"name": "url", "type": "STRING"}] if kind == "DESTINATION" else []
    body = {"displayName": "Stamp", "resourceType": kind, "code": code(kind, "v1"), "settings": settings}
    function = onward.api("POST", "/functions", body)["function"]
    path = f"/functions/{function['id']}"
    one, two = [place(onward, sink, function, slug) for slug in ("one", "two")]
    traffic = Traffic(onward, sink)
    traffic.wait_for(one, "v1")
    traffic.wait_for(two, "v1")
    onward.api("PATCH", path, {"code": code(kind, "v2")})
    onward.api("POST", f"{path}/deploy", {"instanceIds": [two.instance]})
    traffic.wait_for(two, "v2")
    assert traffic.met(one) == "v1"
    onward.restart()
    assert (traffic.met(one), traffic.met(two)) == ("v1", "v2"), "it is written down what runs where"
    onward.api("POST", f"{path}/deploy")
    traffic.wait_for(one, "v2")


def test_the_command_line_deploys_to_some(
    onward: Onward, sink: Sink, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")  # tables are as wide as that, wherever this runs

    def run(*arguments: str, status: int = 0) -> str:
        assert cli.main(["functions", *arguments, "--url", onward.url, "--token", TOKEN]) == status
        said = capsys.readouterr()
        return said.err if status else said.out

    settings = [{"name": "url", "type": "STRING"}]
    body = {"displayName": "Sender", "resourceType": "DESTINATION", "code": "// 1", "settings": settings}
    function = onward.api("POST", "/functions", body)["function"]
    for slug in ("one", "two", "three"):
        place(onward, sink, function, slug)
    onward.api("PATCH", f"/functions/{function['id']}", {"code": "// 2"})
    said = run("deploy", "Sender", "--to", "two/Send", "--to", "three")
    assert said == (
        "Deployed Sender (Default) to two/Send, three/Send.\n"
        "one/Send stays with an older version; `onward functions instances Sender` tells which.\n"
    )
    table = [line.split()[:3] for line in run("instances", "Sender").splitlines()]
    assert [row for row in table if "/Send" in row[0]] == [
        ["one/Send", "1", "(behind)"],
        ["two/Send", "2", "yes"],
        ["three/Send", "2", "yes"],
    ]
    versions = run("versions", "Sender")
    assert "LATEST DEPLOYED" in versions and "two/Send, three/Send" in versions
    refused = run("deploy", "Sender", "--to", "four", status=2)
    assert "there is no instance four; `onward functions instances" in refused
    refused = run("deploy", "Sender", "--to", "Send", status=2)
    assert "3 instances are called Send; name one by its id: " in refused
    assert run("deploy", "Sender") == "Deployed Sender (Default).\n"
