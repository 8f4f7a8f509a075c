"""`onward demo`: serve with a workspace that shows the road: a source, a webhook, and a sink at its end.

Safe to start again and again: what is there is kept, and only the webhook's address follows the sink's.
"""

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import msgspec
from sqlalchemy import select

from onward.destinations.catalog import open_catalogue
from onward.roles import PRIVATE, run_folder
from onward.settings import Settings
from onward.supervisor import Role, address_of, check_address, serve
from onward.workspace import destinations, sources, subscriptions, tokens
from onward.workspace.bootstrap import bootstrap
from onward.workspace.entities import Source
from onward.workspace.store import Actor, Editor, Store

SLUG = "demo"
FOLDER = Path("data/demo")
LOOPBACK = ("127.0.0.0/8", "::1/128")


def run(settings: Settings) -> None:
    """Blocking, until SIGTERM or SIGINT. The sink listens on the port after the server's."""
    os.umask(PRIVATE)
    if settings.data == Settings().data:
        settings = msgspec.structs.replace(settings, data=FOLDER)  # keep out of what `serve` would use
    port = settings.port + 1
    check_address(settings.host, settings.port)
    check_address("127.0.0.1", port)
    settings = msgspec.structs.replace(
        settings,
        token=settings.token or keep_token(settings.data),
        egress_allow=(*settings.egress_allow, *LOOPBACK),
    )
    record = settings.data.resolve() / "sink.jsonl"
    sink = Role("sink", ["_sink", "--port", str(port), "--out", str(record)], grace=2.0)

    def prepare(settings: Settings, owner_link: str | None) -> None:
        write_key = set_up(settings, f"http://127.0.0.1:{port}/")
        text = instructions(settings, write_key, port, record, owner_link)
        threading.Thread(
            target=_announce, args=(settings, lambda: print(text, flush=True)), daemon=True
        ).start()

    serve(settings, prepare, (sink,))


def keep_token(data: Path) -> str:
    """The demo's token, the same on every start, readable by its owner only. Raises `DataFolderError`."""
    run_folder(data)
    path = data / "demo.token"
    if not path.exists() or not path.stat().st_size:  # empty: we died before the token was written
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(tokens.generate())
    return path.read_text()


def set_up(settings: Settings, sink: str) -> str:
    """Make or update the demo's source and webhook; the source's write key."""
    store = Store.open(settings, open_catalogue(settings.catalog_folder))
    try:
        workspace_id = bootstrap(settings).workspace_id
        with store.changing(workspace_id, Actor(id="demo")) as editor:
            source = _source(editor)
            _webhook(editor, source, sink)
            return source.write_keys[0].key
    finally:
        store.engine.dispose()


def _source(editor: Editor) -> Source:
    found = editor.session.scalar(
        select(Source).where(Source.workspace_id == editor.workspace.id, Source.slug == SLUG)
    )
    return found or sources.create_source(editor, slug=SLUG, kind="http-api", name="Demo")


def _webhook(editor: Editor, source: Source, url: str) -> None:
    mapping = {"url": url, "method": "POST", "data": {"@path": "$."}}
    found = next((each for each in source.destinations if each.name == "Demo sink"), None)
    if found is None:
        destination = destinations.create_destination(
            editor, source, definition="actions-webhook", name="Demo sink", enabled=True
        )
        subscriptions.create_subscription(
            editor,
            destination,
            name="Send everything",
            action="send",
            trigger=editor.catalogue["actions-webhook"].actions["send"].default_trigger,
            mapping=mapping,
            enabled=True,
        )
        return
    for subscription in found.subscriptions:
        if subscription.name == "Send everything" and subscription.mapping.get("url") != url:
            subscriptions.update_subscription(
                editor, subscription, mapping={**subscription.mapping, "url": url}
            )


def instructions(
    settings: Settings, write_key: str, sink_port: int, record: Path, owner_link: str | None
) -> str:
    """What to do with a demo that runs."""
    address = address_of(settings)
    way_in = (
        f"Become its owner in a browser, once and within a week:\n\n  {owner_link}"
        if owner_link
        else f"Sign in in a browser: {address}/sign-in"
    )
    event = json.dumps({"userId": "ada", "event": "Order Completed", "properties": {"revenue": 42}})
    if record.is_relative_to(Path.cwd()):
        record = record.relative_to(Path.cwd())
    return f"""
Onward is ready: {address}

{way_in}

Send an event to the source "Demo" (write key {write_key}):

  curl -u {write_key}: -H 'content-type: application/json' {address}/v1/track -d '{event}'

See it arrive at the sink on http://127.0.0.1:{sink_port}:

  tail -n 1 {record}

Ask the Public API with the owner's token {settings.token}:

  curl -H 'authorization: Bearer {settings.token}' {address}/api/sources

Ctrl-C stops everything.
"""


def _announce(settings: Settings, say: Callable[[], None]) -> None:
    """Speak when every part works, so that what is told can be done at once."""
    url = f"{address_of(settings)}/readyz"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(url, timeout=2):
                return say()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
