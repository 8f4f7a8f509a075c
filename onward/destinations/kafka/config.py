"""Settings into the configuration of librdkafka. Pure.

The names are librdkafka's (`CONFIGURATION.md` of its repository). What Segment's settings mean is taken from
its open-source destination: a CA, key or certificate is pasted without its first and last line (with them it
does as well), SSL is on when a CA is given or when it is enabled, and brokers are a list with commas.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Config = dict[str, str | int | bool]

CLIENT_ID = "segment-actions-kafka-producer"
PASSWORD_MECHANISMS = {"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512"}
CLIENT_CERTIFICATE = "client-cert-auth"
NONE = "none"
MECHANISMS = (*PASSWORD_MECHANISMS, CLIENT_CERTIFICATE, NONE)

LARGEST_MESSAGE = 10_000_000
"""Bytes; what the broker takes is for it to say."""
RECORD_BATCH = 1_000_000
"""Bytes of one write to a partition; brokers take 1,048,588 unless told otherwise (`message.max.bytes`)."""

_HOST_AND_PORT = re.compile(r"(\[[0-9a-fA-F:.]+]|[^:\[\]/\s]+):(\d{1,5})")


class SettingsError(ValueError):
    """The settings can't work; the message names the one at fault and the remedy."""


def brokers(settings: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Hosts (IPv6 without brackets) and ports; raises `SettingsError`."""
    found: list[tuple[str, int]] = []
    for part in str(settings.get("brokers") or "").split(","):
        text = part.strip()
        if not text:
            continue
        match = _HOST_AND_PORT.fullmatch(text)
        if match is None or not 0 < int(match[2]) <= 65535:
            raise SettingsError(f"brokers: {text[:100]!r} is not host:port, such as kafka.example.com:9092")
        found.append((match[1].strip("[]"), int(match[2])))
    if not found:
        raise SettingsError("brokers is empty: it should be host:port, or several of them with commas")
    return found


def servers(brokers: Sequence[tuple[str, int]]) -> str:
    """As librdkafka reads them."""
    return ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in brokers)


def config(
    settings: Mapping[str, Any],
    *,
    timeout: float,
    record_batch: int = RECORD_BATCH,
    alone: bool = False,
    idempotent: bool = True,
) -> Config:
    """What a producer is made of; raises `SettingsError`.

    `timeout`: seconds for one message. `record_batch`: bytes of a write to a partition. `alone`: write every
    message by itself. `idempotent`: let the broker drop what the library repeats, which it may have no
    permission for (`IdempotentWrite`, before Kafka 3).
    """
    milliseconds = max(1000, int(timeout * 1000))
    made: Config = {
        "bootstrap.servers": servers(brokers(settings)),
        "client.id": settings.get("clientId") or CLIENT_ID,
        "acks": "all",
        "enable.idempotence": idempotent,
        # As Java's and KafkaJS's: events of one key stay in the partition that they have been in.
        "partitioner": "murmur2_random",
        "message.max.bytes": LARGEST_MESSAGE,
        "batch.size": record_batch,
        "message.timeout.ms": milliseconds,
        "request.timeout.ms": milliseconds,
        "socket.timeout.ms": milliseconds,
        "socket.connection.setup.timeout.ms": milliseconds,
        # How long a topic may be unknown until that is final: enough for a broker to create it.
        "topic.metadata.propagation.max.ms": int(milliseconds * 0.6),
        "reconnect.backoff.max.ms": 2000,
        "queue.buffering.max.kbytes": 65_536,
        "statistics.interval.ms": 10_000,
        "log_level": 2,  # what goes wrong with a connection is told by outcomes
        "enable.metrics.push": False,
        "allow.auto.create.topics": True,
    }
    if alone:
        made |= {"batch.num.messages": 1, "linger.ms": 0}
    sasl, tls = _sasl(settings), _tls(settings)
    made["security.protocol"] = ("SASL_" if sasl else "") + ("SSL" if tls is not None else "PLAINTEXT")
    return made | sasl | (tls or {})


def _sasl(settings: Mapping[str, Any]) -> dict[str, str]:
    mechanism = settings.get("mechanism") or "plain"
    if mechanism in (CLIENT_CERTIFICATE, NONE):
        return {}
    if mechanism not in PASSWORD_MECHANISMS:
        raise SettingsError(f"mechanism is {mechanism!r}; it may be {', '.join(MECHANISMS)}")
    username, password = settings.get("username"), settings.get("password")
    if not username or not password:
        raise SettingsError(f"username and password are required for the mechanism {mechanism}")
    return {
        "sasl.mechanism": PASSWORD_MECHANISMS[mechanism],
        "sasl.username": username,
        "sasl.password": password,
    }


def _tls(settings: Mapping[str, Any]) -> dict[str, str | bool] | None:
    """None for none. Verified by the system's authorities where no other is given."""
    authority = settings.get("ssl_ca")
    certificate = settings.get("mechanism") == CLIENT_CERTIFICATE
    if certificate and not (settings.get("ssl_key") and settings.get("ssl_cert")):
        raise SettingsError("ssl_key and ssl_cert are required for the mechanism client-cert-auth")
    if not authority and settings.get("ssl_enabled") is False:
        if certificate:
            raise SettingsError("ssl_enabled is off, but the mechanism client-cert-auth needs SSL")
        return None
    made: dict[str, str | bool] = {}
    if authority:
        made["ssl.ca.pem"] = _pem(authority, "CERTIFICATE")
    if certificate:
        made["ssl.key.pem"] = _pem(settings["ssl_key"], "PRIVATE KEY")
        made["ssl.certificate.pem"] = _pem(settings["ssl_cert"], "CERTIFICATE")
    if settings.get("ssl_reject_unauthorized_ca") is False:
        made["enable.ssl.certificate.verification"] = False
    return made


def _pem(text: str, kind: str) -> str:
    text = text.strip()
    return text if text.startswith("-----BEGIN ") else f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----"
