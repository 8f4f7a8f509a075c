"""Unmodified clients, pointed at Onward by nothing but their host setting, deliver what they were told.

Every client makes the same calls, through a real server, to a real sink.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from clients import PYTHON, javascript_clients, python_client, run_deno
from harness import Onward, Sink, Source, wait_until

PYTHON_CLIENTS = {
    "segment-analytics-python": "segment.analytics.client",
    "analytics-python": "analytics.client",
    "rudder-sdk-python": "rudderstack.analytics.client",
}
"""Packages, and the module with the client. All call themselves analytics-python."""

ORDER = {"revenue": 12.5, "items": [1, 2], "note": "Grüße"}


@pytest.fixture(scope="module")
def onward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Onward]:
    """One server for all clients; each has a source and a sink of its own."""
    server = Onward(tmp_path_factory.mktemp("clients") / "onward").start()
    yield server
    server.close()


@pytest.fixture
def source(onward: Onward, sink: Sink) -> Source:
    """A source whose every event goes to the sink."""
    source = onward.create_source(f"client-{sink.port}")
    onward.create_webhook(source, sink.url)
    return source


@pytest.fixture(scope="module")
def javascript() -> Path:
    return javascript_clients()


def arrived(sink: Sink, count: int) -> dict[str, dict[str, Any]]:
    """The events at the sink by type, each of which came once."""
    events = sink.wait_for_events(count)
    by_type = {event["type"]: event for event in events}
    assert len(events) == len(by_type) == count, [event["type"] for event in events]
    return by_type


def check_common(event: dict[str, Any], library: str) -> None:
    """What every event has, whoever sent it (spec §4.1)."""
    assert event["messageId"]
    assert event["context"]["library"]["name"] == library
    assert event["context"]["library"]["version"]
    now = datetime.now(UTC)
    for name in ("timestamp", "originalTimestamp", "sentAt", "receivedAt"):
        assert abs(datetime.fromisoformat(event[name]) - now) < timedelta(minutes=2), name


def check_server_calls(by_type: dict[str, dict[str, Any]]) -> None:
    """The calls that `calls.py` and `calls.js` make."""
    assert by_type.keys() == {"identify", "track", "page", "screen", "group", "alias"}
    assert {event["userId"] for event in by_type.values()} == {"user-7"}
    assert by_type["identify"]["anonymousId"] == "anon-7"
    assert (by_type["track"]["event"], by_type["track"]["properties"]) == ("Order Completed", ORDER)
    page, screen = by_type["page"], by_type["screen"]
    assert page["name"] == "Start"
    assert page["properties"]["url"] == "https://example.com/start"
    assert screen["name"] == "Cart"
    assert screen["properties"]["count"] == 3
    assert (by_type["group"]["groupId"], by_type["group"]["traits"]) == ("group-1", {"name": "Acme"})
    assert by_type["alias"]["previousId"] == "anon-7"


@pytest.mark.timeout(400)  # the first run installs the client
@pytest.mark.parametrize("name", PYTHON_CLIENTS)
def test_python_client(name: str, onward: Onward, source: Source, sink: Sink) -> None:
    done = subprocess.run(
        [sys.executable, "-S", str(PYTHON / "calls.py"), PYTHON_CLIENTS[name], source.write_key, onward.url],
        env={"PYTHONPATH": str(python_client(name)), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    by_type = arrived(sink, 6)
    check_server_calls(by_type)
    for event in by_type.values():
        check_common(event, "analytics-python")
    identify = by_type["identify"]
    # RudderStack's client has the traits of an identify in the context only.
    traits = identify["context"]["traits"] if name == "rudder-sdk-python" else identify["traits"]
    assert traits == {"email": "ada@example.com", "plan": "pro"}


@pytest.mark.timeout(400)
def test_node_client(onward: Onward, source: Source, sink: Sink, javascript: Path) -> None:
    run_deno("run", "--allow-all", "--no-prompt", "calls.js", source.write_key, onward.url)
    by_type = arrived(sink, 6)
    check_server_calls(by_type)
    for event in by_type.values():
        check_common(event, "@segment/analytics-node")
    assert by_type["identify"]["traits"] == {"email": "ada@example.com", "plan": "pro"}


# --- analytics.js in a browser ---

PAGE = """<!doctype html><meta charset="utf-8"><title>Shop</title>
<script src="/node_modules/@segment/analytics-next/dist/umd/index.js"></script>
<script>
  window.done = (async () => {
    const [analytics] = await AnalyticsNext.AnalyticsBrowser.load(CONFIGURATION);
    await analytics.identify("user-7", { email: "ada@example.com", plan: "pro" });
    await analytics.track("Order Completed", { revenue: 12.5, items: [1, 2], note: "Grüße" });
    await analytics.page("Docs", "Start", { section: "intro" });
    await analytics.group("group-1", { name: "Acme" });
    await analytics.screen("Shop", "Cart", { count: 3 });
    await analytics.alias("user-7", "visitor-1");
  })();
</script>
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def shop(tmp_path: Path, onward: Onward, source: Source, javascript: Path) -> Iterator[str]:
    """A web site on an origin of its own, whose page makes the calls; its address."""
    configuration = json.dumps({"writeKey": source.write_key, "cdnURL": onward.url})
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "node_modules").symlink_to(javascript / "node_modules")
    (tmp_path / "site" / "index.html").write_text(PAGE.replace("CONFIGURATION", configuration))
    handler = partial(Quiet, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.timeout(400)
def test_analytics_js(shop: str, sink: Sink, chromium: Any) -> None:
    """Settings come from Onward's CDN address, events go where they say, all across origins."""
    page = chromium.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(f"{request.url}: {request.failure}"))
    page.goto(f"{shop}/?utm_source=letter&utm_campaign=spring")
    page.evaluate("window.done")
    wait_until(lambda: problems or sink.stats()["items"] >= 6, what="analytics.js sends six events")
    assert not problems
    by_type = arrived(sink, 6)
    assert by_type.keys() == {"identify", "track", "page", "screen", "group", "alias"}
    for event in by_type.values():
        check_common(event, "analytics.js")
        context = event["context"]
        assert context["ip"] == "127.0.0.1"
        assert "Chrom" in context["userAgent"]
        assert (context["page"]["title"], context["page"]["path"]) == ("Shop", "/")
        assert context["campaign"] == {"source": "letter", "name": "spring"}
        assert event["anonymousId"]
    assert by_type["identify"]["userId"] == "user-7"
    assert by_type["identify"]["traits"] == {"email": "ada@example.com", "plan": "pro"}
    assert (by_type["track"]["event"], by_type["track"]["properties"]) == ("Order Completed", ORDER)
    assert (by_type["page"]["category"], by_type["page"]["name"]) == ("Docs", "Start")
    assert by_type["page"]["properties"]["section"] == "intro"
    assert by_type["page"]["properties"]["url"].startswith(shop)
    assert (by_type["screen"]["name"], by_type["screen"]["properties"]["count"]) == ("Cart", 3)
    assert (by_type["group"]["groupId"], by_type["group"]["traits"]) == ("group-1", {"name": "Acme"})
    assert (by_type["alias"]["userId"], by_type["alias"]["previousId"]) == ("user-7", "visitor-1")
