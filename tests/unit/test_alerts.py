"""Alerts at work: said once, resolved once, over every channel, also over restarts."""

import asyncio
import json
import shutil
import socketserver
import threading
import time
from typing import Any

import pytest
from sqlalchemy import select

from onward.alerts import ATTEMPTS, Alerts
from onward.delivery.report import DeliveryReport
from onward.delivery.state.protocol import Changes, Count
from onward.delivery.state.sqlite import SqliteStateStore
from onward.destinations.catalog import Catalogue
from onward.egress.http import EgressError, Response
from onward.egress.notify import Message, NotSent, mail
from onward.eventlog import open_reader
from onward.eventlog.protocol import Position
from onward.metering import alerting
from onward.metering.functions import FunctionStore
from onward.metering.outcomes import Tally
from onward.metering.store import Counted, UsageStore, Volume
from onward.settings import Settings
from onward.workspace import alerts as rules
from onward.workspace.alerts import Channel
from onward.workspace.destinations import create_destination
from onward.workspace.entities import Alert, AlertMessage, Notification
from onward.workspace.errors import Invalid
from onward.workspace.secrets import MASK
from onward.workspace.sources import create_source
from onward.workspace.store import Actor, Store
from onward.workspace.watch import SnapshotWatcher

ACTOR = Actor(id="test")
HOOK = Channel(type="WEBHOOK", address="https://example.com/hook?key=hush")


class Client:
    """A way out that keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.down = False

    async def send(self, request: Any) -> Response:
        if self.down:
            raise EgressError("ECONNREFUSED", "nobody there")
        self.sent.append((request.url, json.loads(request.body)))
        return Response(status=200, headers={}, body=b"")


class Rig:
    def __init__(self, folder: Any) -> None:
        self.settings = Settings(data=folder)
        self.store = Store.open(self.settings, Catalogue())
        self.state = SqliteStateStore(folder)
        self.usage = UsageStore(folder)
        self.client = Client()
        with self.change() as editor:
            source = create_source(editor, slug="web", kind="python")
            made = create_destination(
                editor, source, definition="actions-webhook", name="Shop", enabled=True, settings={}
            )
            self.source, self.destination = source.id, made.id
        self.state.open_destination(self.destination, Position())
        self.restart()

    def change(self) -> Any:
        return self.store.changing(self.store.default_workspace_id(), ACTOR)

    def restart(self) -> None:
        watcher = SnapshotWatcher.open(self.settings)

        def current() -> Any:
            watcher.refresh()
            return watcher.current

        self.alerts = Alerts(
            self.settings, self.store.engine, self.store.cipher, current,
            DeliveryReport(self.state, open_reader(self.settings.data)), self.usage,
            FunctionStore(self.settings.data), self.client,  # type: ignore[arg-type]
        )  # fmt: skip

    def rule(self, kind: Any, **more: Any) -> str:
        with self.change() as editor:
            more = {"channels": [HOOK, Channel(type="IN_APP")]} | more
            return rules.create_alert(editor, name=f"When {kind}", kind=kind, **more).id

    def look(self, now: float | None = None) -> list[str]:
        at = int((time.time() if now is None else now) * 1000)
        self.client.sent.clear()
        self.alerts.look(at)
        asyncio.run(self.alerts.send_due(at))
        return [f"{body['status']}: {body['summary']}" for _, body in self.client.sent]

    def settle(self, delivered: int, discarded: int, **more: Any) -> None:
        changes = Changes()
        changes.count(Count("delivered", "successes.attempt.1", "s", "track", "A", ""), delivered)
        changes.count(Count("discarded", "400", "s", "track", "A", ""), discarded)
        for name, value in more.items():
            setattr(changes, name, value)
        self.state.commit([(self.destination, changes)], time.time())


@pytest.fixture
def rig(fresh: Any, tmp_path: Any) -> Any:
    shutil.copytree(fresh, tmp_path, dirs_exist_ok=True)
    rig = Rig(tmp_path)
    yield rig
    rig.state.close()


def test_what_is_broken_is_said_once_and_what_is_mended_too(rig: Rig) -> None:
    rig.rule("DELIVERY_RATE", threshold=90)
    assert rig.look() == []
    rig.settle(80, 20)
    (said,) = rig.look()
    assert said.startswith("TRIGGERED: Shop delivered 80.00 % of 100 events")
    assert rig.client.sent[0][0] == HOOK.address
    for _ in range(2):
        rig.restart()
        assert rig.look() == [], "the same trouble is said once, also after a restart"
    rig.settle(105, 0)  # 90.2 %: above the threshold, but with nothing to spare
    assert rig.look() == []
    rig.settle(400, 0)
    (said,) = rig.look()
    assert said.startswith("RESOLVED")
    with rig.store.reading() as session:
        assert [each.status for each in session.scalars(select(Notification))] == ["TRIGGERED", "RESOLVED"]


def test_a_message_is_tried_again_and_outlives_a_restart(rig: Rig) -> None:
    rig.rule("DELIVERY_RATE", threshold=90)
    rig.settle(0, 100)
    rig.client.down = True
    assert rig.look() == []
    rig.client.down = False
    rig.restart()
    assert rig.look() == [], "not before its time"
    assert len(rig.look(time.time() + 60)) == 1
    rig.settle(10_000, 0)
    rig.client.down = True
    for minutes in range(ATTEMPTS):
        rig.look(time.time() + 60 + 3600 * minutes)
    with rig.store.reading() as session:
        assert session.scalars(select(AlertMessage)).all() == [], "given up on"


def test_a_channel_that_can_not_be_read_holds_up_no_other(rig: Rig) -> None:
    spoilt = rig.rule("DELIVERY_RATE", threshold=90)
    rig.rule("DELIVERY_RATE", threshold=91)
    with rig.change() as editor:
        alert = editor.session.get_one(Alert, spoilt)
        alert.secrets = dict.fromkeys(alert.secrets, next(iter(alert.secrets.values()))[:-8] + "AAAAAAA=")
    rig.settle(0, 100)
    assert len(rig.look()) == 1
    with rig.store.reading() as session:
        assert [each.alert_id for each in session.scalars(select(AlertMessage))] == [spoilt], "tried again"


def test_whatever_goes_wrong_the_web_process_goes_on(rig: Rig) -> None:
    rig.rule("DELIVERY_RATE", threshold=90)

    async def two_looks() -> None:
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()

        def broken() -> Any:
            loop.call_soon_threadsafe(asked.set)
            raise RuntimeError("a defect")

        rig.alerts._snapshot = broken
        running = asyncio.create_task(rig.alerts.forever())
        await asked.wait()
        sent = await asyncio.to_thread(rig.alerts._due, 0)  # whatever the look left behind has passed by now
        assert sent == [] and not running.done()
        running.cancel()

    asyncio.run(two_looks())


def test_pauses_backlogs_silence_volume_and_the_disk(rig: Rig) -> None:
    rig.rule("BREAKER_OPEN", minutes=5)
    rig.rule("BACKLOG_AGE", minutes=30)
    rig.rule("SOURCE_SILENT", minutes=60)
    rig.rule("SOURCE_VOLUME", minutes=60, threshold=50)
    rig.rule("DISK_FREE", threshold=0.1)
    rig.rule("FUNCTION_QUOTA")
    now = time.time()
    minute = int(now // 60)
    volume = {Volume(minute - 100, "track", "A", ""): 200, Volume(minute - 2, "track", "A", ""): 190}
    rig.usage.commit({rig.source: ("w", Counted(Position(1, 390), volume))})
    assert rig.look(now) == []
    rig.settle(0, 0, breaker=now)
    assert rig.look(now + 60) == []
    (said,) = rig.look(now + 601)
    assert "Shop has failed as a whole for 10 minutes" in said
    said = " ".join(rig.look(now + 65 * 60))
    assert "web has sent no event for 6" in said and "-100 % against the 190" in said
    rig.settle(0, 0, breaker=0.0)
    assert "RESOLVED: Shop takes events again." in rig.look(now + 66 * 60)


def test_rules_that_are_gone_or_off_say_no_more(rig: Rig) -> None:
    id = rig.rule("DELIVERY_RATE")
    rig.settle(0, 100)
    assert len(rig.look()) == 1
    with rig.change() as editor:
        rules.update_alert(editor, rules.get_alert(editor.session, editor.workspace.id, id), enabled=False)
    assert rig.look() == []
    with rig.change() as editor:
        rules.update_alert(editor, rules.get_alert(editor.session, editor.workspace.id, id), enabled=True)
    assert len(rig.look()) == 1, "it is looked at anew"
    with rig.change() as editor:
        rules.delete_alert(editor, rules.get_alert(editor.session, editor.workspace.id, id))
    assert rig.look() == []


def test_addresses_are_secrets(rig: Rig) -> None:
    id = rig.rule("DISK_FREE")
    with rig.change() as editor:
        alert = rules.get_alert(editor.session, editor.workspace.id, id)
        assert rules.shown(alert)[0]["address"] == MASK and "hush" not in str(alert.secrets)
        kept = [Channel(type="WEBHOOK", address=MASK), Channel(type="EMAIL", address="a@example.com")]
        rules.update_alert(editor, alert, channels=kept)
        assert rules.opened(alert, editor.cipher)[0].address == HOOK.address
        both = [*kept, Channel(type="WEBHOOK", address="https://example.com/second")]
        rules.update_alert(editor, alert, channels=both)
        shown = [Channel(**each) for each in rules.shown(alert)]
        rules.update_alert(editor, alert, channels=[shown[2], shown[0]])
        swapped = ["https://example.com/second", HOOK.address]
        assert [each.address for each in rules.opened(alert, editor.cipher)] == swapped
        rules.update_alert(editor, alert, channels=[Channel(**rules.shown(alert)[1])])
        assert [each.address for each in rules.opened(alert, editor.cipher)] == [HOOK.address]
        for wrong in (
            [Channel(type="SLACK", address=MASK)],
            [Channel(type="WEBHOOK", address=f"{MASK} 2")],
            [Channel(type="EMAIL", address="a@b, c@d")],
            [Channel(type="WEBHOOK", address="ftp://x")],
            [Channel(type="IN_APP", address="x")],
        ):
            with pytest.raises(Invalid):
                rules.update_alert(editor, alert, channels=wrong)
        for field, value in (("threshold", 0.0), ("minutes", 0), ("source_id", rig.source)):
            with pytest.raises(Invalid):
                rules.update_alert(editor, alert, **{field: value})


@pytest.mark.parametrize(("share", "broken"), [(None, False), (79.0, False), (80.0, True), (120.0, True)])
def test_quotas(share: float | None, broken: bool) -> None:
    assert alerting.function_quota(share, 80).broken == broken


def test_too_few_events_say_nothing() -> None:
    assert not alerting.delivery_rate("d", Tally(delivered=1, discarded=9), 95, 60, False).broken
    assert not alerting.source_volume("s", 0, 50, 10, 60, False).broken
    assert alerting.disk_free(int(5.2 * 2**30), 5, True).broken, "not mended before there is room to spare"


class Post(socketserver.StreamRequestHandler):
    """A mail server that takes everything."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        letter: list[bytes] | None = None
        for line in self.rfile:
            if letter is not None:
                if line == b".\r\n":
                    self.server.letters.append(b"".join(letter).decode())  # type: ignore[attr-defined]
                    letter = None
                    self.wfile.write(b"250 taken\r\n")
                else:
                    letter.append(line)
            elif line[:4].upper() == b"DATA":
                letter = []
                self.wfile.write(b"354 go on\r\n")
            elif line[:4].upper() == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 yes\r\n")


MESSAGE = Message(
    alert_id="a", name="Rate\nof\r\nBcc: x@example.com", type="T", status="TRIGGERED",
    summary="Shop delivered nothing.", target="", time="now",
)  # fmt: skip


async def test_mail() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        server.letters = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = Settings(
            smtp_host="127.0.0.1",
            smtp_port=server.server_address[1],
            smtp_security="none",
            smtp_from="o@x.de",
        )
        await mail(settings, "ops@example.com", MESSAGE)
        (letter,) = server.letters  # type: ignore[attr-defined]
        server.shutdown()
    assert "To: ops@example.com" in letter and "Shop delivered nothing." in letter
    assert "Subject: Alert: Rate of Bcc: x@example.com" in letter and "\r\nBcc:" not in letter
    with pytest.raises(NotSent, match="smtp_host"):
        await mail(Settings(), "ops@example.com", MESSAGE)
