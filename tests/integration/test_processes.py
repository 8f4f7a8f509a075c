"""The process tree: it starts, stops, restarts what dies, and leaves nothing behind."""

import base64
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import TIMEOUT, TOKEN, Onward, Program, Sink, free_port, http, wait_until


def runs(pid: int) -> bool:
    """Whether the process is there and not just waiting to be buried."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def command(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run an onward command that ends by itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    return subprocess.run(
        [sys.executable, "-m", "onward", *arguments],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Onward]:
    """One server for the tests that neither stop it nor mind what else is on it."""
    server = Onward(tmp_path_factory.mktemp("shared") / "onward").start()
    yield server
    server.close()


def test_pages(shared: Onward) -> None:
    assert http("GET", f"{shared.url}/healthz").json() == {"alive": True}
    ready = http("GET", f"{shared.url}/readyz").json()
    assert ready["ready"]
    assert ready["checks"] == {"log": "ok", "configuration": "ok", "delivery-0": "ok"}
    landing = http("GET", f"{shared.url}/")
    assert landing.headers["content-type"].startswith("text/html")
    assert b"Onward" in landing.body
    assert http("GET", f"{shared.url}/nothing").status == 404
    assert http("POST", f"{shared.url}/readyz", b"").status == 405
    head = http("HEAD", f"{shared.url}/metrics")
    assert (head.status, head.body) == (200, b"")
    assert http("GET", f"{shared.url}/api/").status in (401, 404)
    assert http("GET", f"{shared.url}/api/sources").status == 401


def test_metrics_add_up(onward: Onward, sink: Sink) -> None:
    source = onward.create_source("shop")
    kept = onward.create_webhook(source, sink.url)
    onward.create_webhook(source, sink.url, name="Purchases", trigger='event = "Bought"')
    events = [{"type": "track", "userId": "u", "event": name} for name in ("Bought", "Seen", "Seen")]
    onward.send(source, events)
    onward.send(source, [{"type": "track", "userId": "u", "event": "Seen", "messageId": "m"}] * 2)
    onward.send(source, [{"type": "track", "userId": "u"}])  # no event name: a discard
    sink.wait_for_events(5)

    def settled() -> dict[str, float]:
        figures = onward.metrics()
        pending = [value for name, value in figures.items() if "pending_events" in name]
        done = figures['onward_events_received_total{source="shop"}'] == 4 and not any(pending)
        return figures if done and 'onward_events_duplicate_total{source="shop"}' in figures else {}

    wait_until(
        lambda: settled().get('onward_events_duplicate_total{source="shop"}'), what="ledger is flushed"
    )
    figures = settled()
    assert figures['onward_events_duplicate_total{source="shop"}'] == 1
    discarded = {name: value for name, value in figures.items() if "events_discarded" in name}
    assert sum(discarded.values()) == 1
    books = {name: value for name, value in figures.items() if f'destination="{kept}"' in name}
    outcomes = [value for name, value in books.items() if "outcomes" in name]
    received = next(value for name, value in books.items() if "destination_events_total" in name)
    assert received == sum(outcomes) == 4
    purchases = {
        outcome: next(
            value
            for name, value in figures.items()
            if 'name="Purchases"' in name and f'outcome="{outcome}"' in name
        )
        for outcome in ("delivered", "filtered", "discarded")
    }
    assert purchases == {"delivered": 1, "filtered": 3, "discarded": 0}


@pytest.mark.parametrize("role", ["web", "delivery-0"])
def test_what_is_killed_comes_back_and_the_crash_is_visible(onward: Onward, role: str) -> None:
    killed = onward.kill(role)
    wait_until(lambda: onward.pids().get(role) not in (None, killed), what=f"{role} is restarted")
    onward.wait_ready()
    crash = http("GET", f"{onward.url}/readyz").json()["crashes"][role]
    assert crash["restarts"] == 1
    assert "SIGKILL" in crash["last_exit"]
    assert onward.metrics()[f'onward_process_restarts_total{{role="{role}"}}'] == 1
    lines = [json.loads(line) for line in onward.log.read_text().splitlines() if line.startswith("{")]
    assert any(line["event"] == "process died" and line["died"] == role for line in lines)


def test_a_delivery_process_that_is_away_makes_the_server_unready(onward: Onward) -> None:
    pid = onward.pids()["delivery-0"]
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: not onward.ready(), what="a stopped process is noticed")
        state = http("GET", f"{onward.url}/readyz")
        assert state.status == 503
        assert state.json()["checks"]["delivery-0"].startswith("no heartbeat")
    finally:
        os.kill(pid, signal.SIGCONT)
    onward.wait_ready()


def test_nothing_outlives_a_killed_supervisor(onward_factory: Callable[..., Onward]) -> None:
    onward = onward_factory(workers=2).start()
    pids = onward.pids()
    assert pids.keys() == {"web", "delivery-0", "delivery-1"}
    onward.kill()
    wait_until(lambda: not any(runs(pid) for pid in pids.values()), timeout=5, what="the children are gone")
    onward.start()
    assert not set(pids.values()) & set(onward.pids().values())


def test_a_stopped_tree_leaves_no_process_and_no_heartbeat(onward: Onward) -> None:
    pids = onward.pids()
    onward.stop()
    assert not any(runs(pid) for pid in pids.values())
    assert not list((onward.data / "run").glob("*.beat"))


def test_ctrl_c_in_a_terminal_stops_everything(tmp_path: Path) -> None:
    """The terminal signals the whole foreground group; only the supervisor may act on it."""
    onward = Onward(tmp_path / "onward")
    with onward.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "onward", "serve"],
            env={**os.environ, **onward.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
            # As a terminal starts it; what started the tests may have meant SIGINT to be ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        wait_until(onward.ready, what="ready")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(TIMEOUT) == 0, onward.tail()
        assert "died" not in onward.tail()
    finally:
        if process.poll() is None:
            process.kill()


def test_a_stop_delivers_what_is_in_flight(onward: Onward, sink: Sink) -> None:
    source = onward.create_source()
    onward.create_webhook(source, sink.url)
    onward.send(source, [{"type": "track", "userId": "u", "event": "Warm"}])
    sink.wait_for_events(1)
    sink.behave(latency=1.0)
    onward.send(source, [{"type": "track", "userId": "u", "event": "Late"}])
    wait_until(lambda: sink.stats()["waiting"], what="the request is in flight")
    onward.stop()
    assert [event["event"] for event in sink.events()] == ["Warm", "Late"]
    onward.start()
    figures = onward.metrics()
    delivered = next(value for name, value in figures.items() if 'outcome="delivered"' in name)
    assert delivered == 2


def test_clients_that_never_finish_do_not_hold_up_a_stop(onward: Onward) -> None:
    """One idles on a kept connection, one sends half a request, one half a head."""
    halves = (
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /v1/t HTTP/1.1\r\ncontent-length: 9\r\n\r\n{",
        b"POS",
    )
    clients = [socket.create_connection(("127.0.0.1", onward.port)) for _ in halves]
    for client, half in zip(clients, halves, strict=True):
        client.sendall(half)
    assert clients[0].recv(4096).startswith(b"HTTP/1.1 200")
    onward.stop()
    assert "process killed" not in onward.tail()
    assert "exception" not in onward.tail()
    for client in clients:
        client.close()


def test_a_data_folder_serves_once(shared: Onward) -> None:
    other = command("serve", "--data", str(shared.data), "--port", str(free_port()))
    assert other.returncode == 2
    assert f"in use by another onward serve (pid {shared.program.process.pid})" in other.stderr
    assert shared.ready()


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0"])
def test_names_and_wildcards_can_be_listened_on(onward_factory: Callable[..., Onward], host: str) -> None:
    onward = onward_factory(host=host).start()  # asks for readiness at 127.0.0.1
    assert f'"address":"{onward.url}"' in onward.log.read_text()


def test_a_name_that_is_no_host_is_named(tmp_path: Path) -> None:
    other = command("serve", "--data", str(tmp_path / "other"), "--host", "nosuchhost.invalid")
    assert other.returncode == 2
    assert "can't listen on nosuchhost.invalid:8080" in other.stderr


@pytest.mark.parametrize("name", ["serve", "demo"])
def test_a_taken_port_is_an_error_that_names_it(shared: Onward, tmp_path: Path, name: str) -> None:
    other = command(name, "--data", str(tmp_path / "other"), "--port", str(shared.port))
    assert other.returncode == 2
    assert f"can't listen on 127.0.0.1:{shared.port}" in other.stderr
    assert "--port" in other.stderr


def test_another_secret_key_is_told_at_the_start(onward: Onward, sink: Sink) -> None:
    onward.create_webhook(onward.create_source(), sink.url)
    onward.stop()
    key = base64.b64encode(os.urandom(32)).decode()
    other = command("serve", **onward.environment, ONWARD_SECRET_KEY=key)
    assert other.returncode == 2
    assert "secret key" in other.stderr
    assert "Traceback" not in other.stderr


def test_a_damaged_log_ends_the_start_with_its_name(onward: Onward) -> None:
    onward.send(onward.create_source(), [{"type": "track", "userId": "u", "event": "E"}])
    onward.stop()
    newest = max((onward.data / "log").glob("*.db"))
    for file in newest.parent.glob(f"{newest.name}*"):
        file.write_bytes(b"garbage" * 1000)
    other = command("serve", **onward.environment)
    assert other.returncode == 2
    assert str(newest) in other.stderr
    assert other.stderr.splitlines()[-1].endswith("process can't start; its own message is above.")


def test_a_token_is_made_and_shown_once(tmp_path: Path) -> None:
    onward = Onward(tmp_path / "onward")
    del onward.environment["ONWARD_TOKEN"]
    try:
        onward.start()
        found = re.search(r"shown this once: (\S+)", onward.log.read_text())
        assert found
        headers = {"authorization": f"Bearer {found[1]}"}
        assert http("GET", f"{onward.url}/api/sources", headers=headers).status == 200
        onward.stop()
        onward.start()
        assert onward.log.read_text().count("shown this once") == 1
        assert http("GET", f"{onward.url}/api/sources", headers=headers).status == 200
    finally:
        onward.close()


def test_the_first_owner_signs_in_by_the_link_that_is_shown(tmp_path: Path) -> None:
    onward = Onward(tmp_path / "onward")
    try:
        onward.start()
        found = re.search(r"Become the owner here.*: (\S+)/invite#(\S+)", onward.log.read_text())
        assert found and found[1] == onward.url
        assert b'<div id="root">' in http("GET", f"{onward.url}/invite").body
        body = {"token": found[2], "name": "Ada", "email": "ada@example.com", "password": "a long password"}
        joined = http("POST", f"{onward.url}/api/invites/accept", body)
        assert joined.status == 200, joined.body
        cookie = joined.headers["set-cookie"].partition(";")[0]
        assert http("GET", f"{onward.url}/api/sources", headers={"cookie": cookie}).status == 200
        onward.restart()
        assert onward.log.read_text().count("Become the owner") == 1
        assert http("GET", f"{onward.url}/api/sources", headers={"cookie": cookie}).status == 200
    finally:
        onward.close()


def test_secrets_are_not_on_command_lines_nor_in_environments(shared: Onward) -> None:
    for pid in shared.pids().values():
        command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
        assert TOKEN.encode() not in command_line
        assert b"_web" in command_line or b"_delivery" in command_line


def test_the_data_folder_is_for_its_owner_alone(shared: Onward) -> None:
    shared.send(shared.create_source("private"), [{"type": "track", "userId": "u", "event": "E"}])
    found = [shared.data, *shared.data.rglob("*")]
    assert {"config.db", "state.db", "ingest.db", "log"} <= {path.name for path in found}
    open_to_others = [path for path in found if path.exists() and path.stat().st_mode & 0o077]
    assert not open_to_others


# --- apply, export and send on a server that runs ---

WORKSPACE = """
sources:
  - slug: website
    type: javascript
    writeKeys: [websiteKey0123456789]
destinations:
  - source: website
    type: actions-webhook
    name: Hook
    enabled: true
    subscriptions:
      - name: Tracks
        action: send
        trigger: type = "track"
        enabled: true
        mapping: {{url: "{url}", method: POST, data: {{"@path": "$."}}, enable_batching: true}}
"""


def test_apply_takes_effect_on_a_running_server_and_export_gives_it_back(
    shared: Onward, sink: Sink, tmp_path: Path
) -> None:
    file = tmp_path / "workspace.yaml"
    file.write_text(WORKSPACE.format(url=sink.url))
    data = ("--data", str(shared.data))
    tried = command("apply", str(file), "--dry-run", *data, **shared.environment)
    assert "3 to add, 0 to change, 0 to delete." in tried.stdout
    assert "website" not in {source["slug"] for source in shared.api("GET", "/sources")["sources"]}
    refused = command("apply", str(file), *data, **shared.environment)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    applied = command("apply", str(file), "--yes", *data, **shared.environment)
    assert applied.returncode == 0, applied.stderr
    start = time.monotonic()
    settings = f"{shared.url}/v1/projects/websiteKey0123456789/settings"
    wait_until(lambda: http("GET", settings).status == 200, what="tracking knows the source")
    assert time.monotonic() - start < 2
    exported = command("export", *data, **shared.environment)
    assert "websiteKey0123456789" in exported.stdout
    file.write_text(exported.stdout)
    assert (
        "Nothing to change." in command("apply", str(file), "--dry-run", *data, **shared.environment).stdout
    )


def test_send_delivers_a_file_as_an_sdk_would(shared: Onward, sink: Sink, tmp_path: Path) -> None:
    source = shared.create_source()
    shared.create_webhook(source, sink.url, enable_batching=True, batch_size=100)
    events = [{"type": "track", "userId": f"user-{n}", "event": "Imported"} for n in range(1000)]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(map(json.dumps, events)))
    sent = command("send", str(file), "--write-key", source.write_key, "--url", shared.url)
    assert sent.returncode == 0, sent.stderr
    summary = json.loads(sent.stdout)
    assert (summary["sent"], summary["failed"], summary["requests"]) == (1000, 0, 10)
    arrived = sink.wait_for_events(1000)
    assert sorted(event["userId"] for event in arrived) == sorted(event["userId"] for event in events)


def test_send_retries_and_says_what_failed(sink: Sink, tmp_path: Path) -> None:
    """Against a sink in place of a server: first it fails, then it takes everything."""
    file = tmp_path / "events.ndjson"
    file.write_text('{"type":"track","userId":"u","event":"E"}\n' * 3)
    sink.behave(status=400)
    refused = command("send", str(file), "--write-key", "k", "--url", f"http://127.0.0.1:{sink.port}")
    assert refused.returncode == 2
    assert "3 events were not taken; the last answer was: 400" in refused.stderr
    sink.behave(status=503)
    log = tmp_path / "send.log"
    program = Program(["send", str(file), "--write-key", "k", "--url", f"http://127.0.0.1:{sink.port}"], log)
    wait_until(lambda: sink.stats()["statuses"].get("503", 0) >= 2, what="a retry")
    sink.behave(status=None)
    assert program.process.wait(30) == 0, program.tail()
    summary = json.loads(program.tail().splitlines()[-1])
    assert (summary["sent"], summary["failed"]) == (3, 0)
    assert summary["retries"] >= 2
    bodies = [json.loads(request["body"])["batch"] for request in sink.requests()[1:]]
    assert all(body == bodies[0] for body in bodies), "a retry repeats the messageIds"


# --- the demo ---


def test_the_demo_does_what_it_prints(tmp_path: Path) -> None:
    port = next(port for port in iter(free_port, None) if is_free(port + 1))
    log = tmp_path / "demo.log"
    environment = {"ONWARD_DATA": str(tmp_path / "data"), "ONWARD_DISK_RESERVE_BYTES": "0"}
    tokens = []
    for _ in range(2):  # the second start finds everything in place
        log.unlink(missing_ok=True)
        demo = Program(["demo", "--port", str(port), "--workers", "1"], log, environment)
        try:
            wait_until(lambda: "Ctrl-C stops everything" in log.read_text(), what="the demo is ready")
            text = log.read_text()
            post, tail, get = re.findall(r"^  ((?:curl|tail) .*)$", text, re.MULTILINE)
            before = arrivals(tail)
            assert "success" in shell(post)
            wait_until(lambda t=tail, b=before: arrivals(t) > b, what="the event arrives")  # type: ignore[misc]
            assert json.loads(json.loads(shell(tail))["body"])["event"] == "Order Completed"
            assert json.loads(shell(get))["data"]["sources"][0]["slug"] == "demo"
            tokens.append(re.search(r"token (\S+):", text)[1])  # type: ignore[index]
            assert demo.terminate() == 0, demo.tail()
        finally:
            if demo.alive:
                demo.kill()
    assert tokens[0] == tokens[1]


def is_free(port: int) -> bool:
    try:
        http("GET", f"http://127.0.0.1:{port}/", timeout=1)
    except OSError:
        return True
    return False


def shell(line: str) -> str:
    """What a printed command prints, `curl` played by this test."""
    words = shlex.split(line)
    if words[0] == "tail":
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout
    headers: dict[str, str] = {}
    url, body, rest = "", None, words[1:]
    while rest:
        word = rest.pop(0)
        if word == "-u":
            headers["authorization"] = "Basic " + base64.b64encode(rest.pop(0).encode()).decode()
        elif word == "-H":
            name, _, value = rest.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = rest.pop(0).encode()
        else:
            url = word
    return http("POST" if body else "GET", url, body, headers).body.decode()


def arrivals(tail: str) -> int:
    path = Path(shlex.split(tail)[-1])
    return len(path.read_bytes().splitlines()) if path.exists() else 0
