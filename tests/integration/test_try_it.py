"""From the command line alone: add a destination of the catalogue, see its fields, apply its presets, try a
mapping with a real event, enable it, and see the exact requests at a local sink."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from harness import TOKEN, Onward, Sink, wait_until

from onward import cli
from onward.destinations.bridge.install import install
from onward.settings import Settings

Json = dict[str, Any]

EVENT = {
    "type": "track",
    "event": "Bought",
    "userId": "u1",
    "messageId": "m-1",
    "properties": {"email": "ada@example.com", "amount": 42},
}


class Shell:
    """The `onward` command, as a person types it. Run within this process, which starts in no time."""

    def __init__(self, server: Onward, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {"URL": server.url, "TOKEN": TOKEN}.items():
            monkeypatch.setenv(f"ONWARD_{name}", value)
        monkeypatch.setenv("COLUMNS", "160")  # tables are as wide as that, wherever this runs
        monkeypatch.setenv("API_KEY", "s3cret-key")
        monkeypatch.setattr("sys.stdin", io.StringIO())
        monkeypatch.chdir(folder)
        self.folder = folder
        self.url = server.url

    def run(self, *arguments: str, status: int = 0) -> str:
        """What it prints; an AssertionError unless it ends with `status`."""
        output = io.StringIO()
        with redirect_stdout(output), redirect_stderr(output):
            ended = cli.main(list(arguments))
        assert ended == status, f"{arguments}: {ended}\n{output.getvalue()}"
        return output.getvalue()

    def read(self, *arguments: str, status: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", status=status))

    def send(self, **changes: Any) -> None:
        """An event to the source `shop`, by `onward send`, until the debugger shows it."""
        (self.folder / "event.ndjson").write_text(json.dumps(EVENT | changes) + "\n")
        key = self.read("sources", "list")[0]["writeKeys"][0]
        self.run("send", "event.ndjson", "--write-key", key, "--url", self.url)
        id = (EVENT | changes)["messageId"]
        shown = wait_until(lambda: self.read("sources", "events", "shop"), what="events in the debugger")
        wait_until(
            lambda: id in [line["messageId"] for line in self.read("sources", "events", "shop")],
            what=f"{id} in the debugger; it has {shown}",
        )


@pytest.fixture
def server(onward_factory: Callable[..., Onward], sink: Sink) -> Onward:
    return onward_factory(egress_override=f"*=http://127.0.0.1:{sink.port}").start()


@pytest.fixture
def shell(server: Onward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell(server, tmp_path, monkeypatch)
    shell.run("sources", "add", "shop")
    return shell


def bodies(sink: Sink) -> list[Any]:
    return [json.loads(request["body"]) for request in sink.requests()]


def test_a_native_destination(shell: Shell, server: Onward, sink: Sink) -> None:
    assert "not set" in shell.run(
        "destinations", "add", "actions-webhook", "--set", "sharedSecret=$NOPE", status=2
    )
    added = shell.run(
        "destinations",
        "add",
        "actions-webhook",
        "--source",
        "shop",
        "--set",
        "sharedSecret=$API_KEY",
        "--presets",
    )
    assert "Added Webhook" in added and "Send all events" in added
    shown = shell.run("destinations", "show", "Webhook")
    assert "Shared secret" in shown and "••••••••" in shown and "s3cret-key" not in shown
    mapping = ("Webhook", "Send all events")
    assert "the action send needs the field url" in shell.run("mappings", "enable", *mapping, status=2)
    shell.run("mappings", "edit", *mapping, "--set", "url=https://api.shop.example/in?a=1")
    fields = shell.run("mappings", "show", *mapping)
    assert "https://api.shop.example/in?a=1" in fields and "Batch size" in fields

    shell.send()
    seen = shell.run("test", "mapping", *mapping, "--last", "--no-send")
    assert "not sent" in seen and "POST https://api.shop.example/in?a=1" in seen and not sink.requests()
    tried = shell.read("test", "mapping", *mapping, "--message-id", "m-1")
    assert tried["outcome"]["kind"] == "delivered"
    (request,) = sink.requests()
    assert (request["method"], request["path"]) == ("POST", "/in?a=1")
    assert request["headers"]["x-forwarded-host"] == "api.shop.example"
    (exchange,) = tried["exchanges"]
    assert exchange["request"]["body"] == request["body"]
    assert exchange["request"]["headers"]["x-signature"] == "•••" != request["headers"]["x-signature"]
    assert json.loads(request["body"])["properties"] == EVENT["properties"]

    shell.run("test", "event", "Webhook", "--last", status=1)  # nothing is enabled
    shell.run("mappings", "enable", *mapping)
    shell.run("destinations", "enable", "Webhook")
    previewed = shell.run("test", "preview", "Webhook", "--last")
    assert "Send all events" in previewed and "disabled" not in previewed
    command = [sys.executable, "-m", "onward", "sources", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "shop" in listed.stdout, "as a process of its own too"
    before = sink.stats()["items"]
    shell.send(messageId="m-2")
    wait_until(lambda: sink.stats()["items"] > before, what="the delivery")
    assert bodies(sink)[-1]["messageId"] == "m-2"

    sink.behave(status=503)
    failed = shell.run("test", "event", "Webhook", "--sample", "identify", status=1)
    assert "503" in failed and "0 of 1 matching mappings delivered, 1 request" in failed
    assert bodies(sink)[-1]["type"] == "identify"


def test_a_destination_of_the_open_catalogue(shell: Shell, sink: Sink) -> None:
    install(Settings().catalog_folder)  # as `make setup` has done
    assert "api_key" in shell.run("catalog", "show", "actions-braze-cloud")
    key = shell.folder / "key"
    key.write_text("s3cret-braze\n")
    made = shell.read(
        "destinations",
        "add",
        "actions-braze-cloud",
        "--name",
        "Braze",
        "--set",
        f"api_key=@{key}",
        "--presets",
    )
    assert made["settings"]["api_key"] == "••••••••"
    assert "Track Calls" in [each["name"] for each in shell.read("mappings", "list", "Braze")]
    shell.send()
    tried = shell.read("test", "mapping", "Braze", "Track Calls", "--last")
    assert tried["outcome"]["kind"] == "delivered", tried
    (request,) = sink.requests()
    assert request["path"] == "/users/track" and request["headers"]["authorization"] == "Bearer s3cret-braze"
    assert request["headers"]["x-forwarded-host"] == "rest.iad-01.braze.com"
    assert json.loads(request["body"])["events"][0]["name"] == "Bought"
    assert "s3cret-braze" not in json.dumps(tried)
    assert tried["exchanges"][0]["request"]["url"] == "https://rest.iad-01.braze.com/users/track"
    shell.run("mappings", "enable", "Braze", "Track Calls")
    shell.run("destinations", "enable", "Braze")
    shell.send(messageId="m-2", event="Returned")
    wait_until(lambda: len(sink.requests()) > 1, what="the delivery")
    assert bodies(sink)[-1]["events"][0]["name"] == "Returned"


def test_mappings_are_added_copied_and_removed(shell: Shell, sink: Sink) -> None:
    shell.run("destinations", "add", "actions-webhook", "--name", "Hook")
    shell.run(
        *("mappings", "add", "Hook", "send", "--name", "Purchases", "--trigger", 'event = "Bought"'),
        *("--set", "url=https://a.example/", "--set", "data=$.properties", "--enable"),
    )
    (one,) = shell.read("mappings", "list", "Hook")
    assert one["enabled"] and one["settings"]["data"] == {"@path": "$.properties"}
    assert one["settings"]["method"] == "POST", "the action's default"
    shell.run("mappings", "duplicate", "Hook", "Purchases")
    shell.run("mappings", "edit", "Hook", "Purchases (Copy)", "--name", "All", "--trigger", 'type = "track"')
    shell.run("mappings", "edit", "Hook", "All", "--set", 'data={"@literal": 1}', "--unset", "batch_keys")
    edited = shell.read("mappings", "show", "Hook", "All")
    assert (edited["name"], edited["enabled"]) == ("All", False) and "batch_keys" not in edited["settings"]
    (shell.folder / "event.json").write_text(json.dumps(EVENT))
    other = 'event = "Other"'
    shell.run("test", "mapping", "Hook", "Purchases", "--event", "event.json", "--trigger", other, status=1)
    assert not sink.requests(), "it did not match"
    shell.run("test", "event", "Hook", "--event", "event.json")
    assert bodies(sink) == [EVENT["properties"]]
    assert "The event meets it." in shell.run("test", "trigger", 'event = "Bought"', "--event", "event.json")
    wrong = shell.run("test", "trigger", "event = Bought and", "--event", "event.json", status=1)
    assert "^" in wrong
    shell.run("mappings", "preset", "Hook", "Send all events")
    shell.run("mappings", "remove", "Hook", "All", "--yes")
    assert {each["name"] for each in shell.read("mappings", "list", "Hook")} == {
        "Purchases",
        "Send all events",
    }
    shell.run("destinations", "set", "Hook", "sharedSecret=x", "--name", "Renamed")
    copy = shell.read("destinations", "add", "actions-webhook", "--copy-settings-from", "Renamed")
    assert copy["settings"]["sharedSecret"] == "••••••••"
    shell.run("destinations", "remove", "shop/Renamed", "--yes")
    assert [each["id"] for each in shell.read("destinations", "list")] == [copy["id"]]
