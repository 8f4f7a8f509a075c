"""Kafka and SFTP behind a running server: events go in by the Tracking API and come out of their sockets."""

import asyncio
import csv
import io

import asyncssh
import orjson
from unit.destinations.kafka.broker import Broker

from onward.destinations.kafka import SEND
from onward.destinations.sftp import EVENTS


async def test_events_reach_kafka_and_sftp_also_over_a_kill(onward, tmp_path):
    root = tmp_path / "sftp"
    root.mkdir()
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=AnyLogin,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=bytes(root)),
    )
    async with Broker() as broker:
        source = await asyncio.to_thread(onward.create_source)
        await asyncio.to_thread(
            connect,
            onward,
            source,
            "actions-kafka",
            {"brokers": broker.address, "mechanism": "none", "ssl_enabled": False},
            SEND,
            topic="events",
            key={"@path": "$.userId"},
        )
        await asyncio.to_thread(
            connect,
            onward,
            source,
            "actions-sftp",
            {"sftp_host": "127.0.0.1", "sftp_port": listener.get_port(), "sftp_password": "s3cret"}
            | {"sftp_username": "ada", "auth_type": "password"},
            EVENTS,
            filename_prefix="events",
            batch_size=100,
        )
        sent = [f"m{n}" for n in range(300)]
        events = [{"type": "track", "event": "E", "userId": f"u{id}", "messageId": id} for id in sent]
        await asyncio.to_thread(onward.send, source, events[:200])
        await until(lambda: broker.records)
        await asyncio.to_thread(onward.kill, "delivery-0")
        await asyncio.to_thread(onward.send, source, events[200:])

        await until(lambda: set(written(broker)) >= set(sent) and set(rows(root)) >= set(sent))
        assert set(written(broker)) == set(rows(root)) == set(sent)
        assert {record.key for record in broker.records} == {f"u{id}".encode() for id in sent}
        assert len(rows(root)) == 300  # a file that is sent again replaces itself
    listener.close()


class AnyLogin(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("ada", "s3cret")


def connect(onward, source, slug, settings, action, **mapping) -> None:
    body = {"sourceId": source.id, "metadataId": slug, "enabled": False, "settings": settings}
    created = onward.api("POST", "/destinations", body)["destination"]["id"]
    defaults = {name: field.default for name, field in action.fields.items() if field.default is not None}
    subscription = {
        "name": "Everything",
        "actionId": action.slug,
        "trigger": action.default_trigger,
        "enabled": True,
        "settings": defaults | mapping,
    }
    onward.api("POST", f"/destinations/{created}/subscriptions", subscription)
    onward.api("PATCH", f"/destinations/{created}", {"enabled": True})


def written(broker) -> list[str]:
    return [orjson.loads(record.value)["messageId"] for record in broker.records]


def rows(root) -> list[str]:
    files = [path.read_text() for path in root.glob("events__*.csv")]
    return [row["message_id"] for text in files for row in csv.DictReader(io.StringIO(text))]


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.05)
