"""What an error of librdkafka or of a broker means for a payload. Pure.

Names are those of the Kafka protocol (kafka.apache.org/protocol, "Error Codes") and, with an underscore
before them, of librdkafka. What time may heal is retried; what would fail again just so is discarded.
"""

from typing import Protocol

from onward.destinations.outcome import Outcome, discarded, retry


class KafkaError(Protocol):
    """`confluent_kafka.KafkaError`, as far as it is used."""

    def name(self) -> str: ...
    def str(self) -> str: ...
    def fatal(self) -> bool: ...


ERRORS_OF_ONE = frozenset(
    {
        "MSG_SIZE_TOO_LARGE",
        "RECORD_LIST_TOO_LARGE",
        "INVALID_RECORD",
        "INVALID_TIMESTAMP",
        "INVALID_MSG",
        "_INVALID_DIFFERENT_RECORD",
        "_BAD_MSG",
    }
)
"""Refusals of a whole write that one message in it, or their sum, may be the cause of."""

NO_IDEMPOTENCE = frozenset({"CLUSTER_AUTHORIZATION_FAILED", "UNSUPPORTED_FEATURE", "_UNSUPPORTED_FEATURE"})
"""A producer that failed by these for good may still be allowed to write as others do."""

_FINAL = {
    "UNKNOWN_TOPIC_OR_PART": "404",
    "_UNKNOWN_TOPIC": "404",
    "TOPIC_AUTHORIZATION_FAILED": "403",
    "CLUSTER_AUTHORIZATION_FAILED": "403",
    "SASL_AUTHENTICATION_FAILED": "401",
    "_AUTHENTICATION": "401",
    "UNSUPPORTED_SASL_MECHANISM": "INVALID_SETTINGS",
    "_INVALID_ARG": "MESSAGE_REJECTED",
    "_UNKNOWN_PARTITION": "MESSAGE_REJECTED",
    "TOPIC_EXCEPTION": "MESSAGE_REJECTED",
    "MSG_SIZE_TOO_LARGE": "MESSAGE_REJECTED",
    "RECORD_LIST_TOO_LARGE": "MESSAGE_REJECTED",
    "INVALID_RECORD": "MESSAGE_REJECTED",
    "INVALID_TIMESTAMP": "MESSAGE_REJECTED",
    "POLICY_VIOLATION": "MESSAGE_REJECTED",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT": "MESSAGE_REJECTED",
}

_FOR_NOW = {
    "_MSG_TIMED_OUT": "ETIMEDOUT",
    "_TIMED_OUT": "ETIMEDOUT",
    "_TIMED_OUT_QUEUE": "ETIMEDOUT",
    "REQUEST_TIMED_OUT": "ETIMEDOUT",
    "_TRANSPORT": "ECONNRESET",
    "_ALL_BROKERS_DOWN": "ECONNREFUSED",
    "_RESOLVE": "ENOTFOUND",
    "_SSL": "ECONNRESET",
    "THROTTLING_QUOTA_EXCEEDED": "429",
}

EXPLAINS = frozenset({"_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED", "UNSUPPORTED_SASL_MECHANISM", "_SSL"})
"""Errors of a connection that no wait heals, and that say better than a timeout why nothing goes through."""


def outcome(error: KafkaError) -> Outcome:
    name = error.name()
    message = f"{error.str()} ({name})"
    if name == "_SSL" and "certificate" in error.str().lower():
        return discarded("TLS", message)
    if name in _FINAL:
        return discarded(_FINAL[name], message)
    if name == "_TRANSPORT" and "refused" in message:
        return retry("ECONNREFUSED", message)
    return retry(_FOR_NOW.get(name, "RETRY"), message)
