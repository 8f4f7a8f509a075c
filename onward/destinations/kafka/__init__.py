"""Kafka (`actions-kafka`): events as messages of a topic, over librdkafka.

Segment's settings, fields and behaviour, and more: brokers without authentication (mechanism `none`),
confirmation by all in-sync replicas, and an outcome for each message. Its settings for a SASL mechanism
`aws`, which it does not offer to choose, are known but of no use here either.
"""

from dataclasses import replace
from typing import Any

from onward.destinations.definition import Action, Definition, Field
from onward.destinations.kafka.config import CLIENT_CERTIFICATE, CLIENT_ID, MECHANISMS, PASSWORD_MECHANISMS
from onward.destinations.kafka.send import LARGEST_BATCH, choices, perform, test
from onward.destinations.listings import listing

SLUG = "actions-kafka"
ID = "65dde5755698cb0dab09b489"


def _if_mechanism(*mechanisms: str) -> dict[str, Any]:
    conditions = [{"fieldKey": "mechanism", "operator": "is", "value": value} for value in mechanisms]
    return {"match": "any", "conditions": conditions}


_WITH_PASSWORD = _if_mechanism(*PASSWORD_MECHANISMS)
_WITH_CERTIFICATE = _if_mechanism(CLIENT_CERTIFICATE)
_WITH_AWS = _if_mechanism("aws")

SEND = Action(
    slug="send",
    title="Send",
    description="Write a message to a topic.",
    perform=perform,
    default_trigger=" or ".join(
        f'type = "{kind}"' for kind in ("track", "identify", "page", "screen", "group")
    ),
    batches=True,
    max_batch_size=10_000,
    max_batch_bytes=LARGEST_BATCH,
    fields={
        "topic": Field(
            label="Topic",
            description="The topic to write to. The cluster's topics can be chosen from.",
            required=True,
            dynamic=True,
        ),
        "payload": Field(
            label="Payload",
            description="The message, written as JSON. By default the whole event.",
            type="object",
            required=True,
            default={"@path": "$."},
        ),
        "headers": Field(
            label="Headers",
            description="Headers of the message: names and values.",
            type="object",
            presentation="keyvalue:only",
        ),
        "partition": Field(
            label="Partition",
            description="The partition to write to. If empty, the default partition.",
            type="integer",
        ),
        "default_partition": Field(
            label="Default partition",
            description="Where messages go that name no partition. If empty too, the key decides.",
            type="integer",
        ),
        "key": Field(
            label="Message key",
            description="Messages with the same key go to the same partition, in order.",
        ),
        "enable_batching": Field(
            label="Batch data to Kafka?",
            description="Hand over several events at once.",
            type="boolean",
            default=True,
            hidden=True,
        ),
        "batch_keys": Field(
            label="Batch keys",
            description="The fields that events must have in common to be handed over together.",
            multiple=True,
            default=["topic", "partition", "default_partition"],
            hidden=True,
        ),
        "batch_bytes": Field(
            label="Batch bytes",
            description=(
                "The most bytes in one write to a partition: 1 MB if empty, 4 MB at most. "
                "What the cluster allows is its `message.max.bytes`."
            ),
            type="number",
            minimum=5000,
            default=1_000_000,
        ),
        "batch_size": Field(
            label="Batch size",
            description="The most events that are handed over at once: 1000 if empty, 10,000 at most.",
            type="number",
            default=1002,
        ),
    },
)

DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name="Kafka",
    description="Write events to a topic of Kafka, or of what speaks its protocol.",
    listing=replace(
        listing(ID, SLUG, (SEND.default_trigger,)),
        own_sockets=True,
        website="https://kafka.apache.org",
        documentation="https://kafka.apache.org/documentation/",
    ),
    settings={
        "clientId": Field(
            label="Client ID",
            description="The name by which the brokers' logs and quotas know Onward.",
            required=True,
            default=CLIENT_ID,
        ),
        "brokers": Field(
            label="Brokers",
            description="Brokers to begin with, as host:port, with commas between them.",
            required=True,
            placeholder="kafka-1.example.com:9092, kafka-2.example.com:9092",
        ),
        "mechanism": Field(
            label="Authentication mechanism",
            description=(
                "PLAIN and SCRAM need username and password, a client certificate its key and certificate."
            ),
            required=True,
            choices=MECHANISMS,
            choice_labels=("Plain", "SCRAM-SHA-256", "SCRAM-SHA-512", "Client Certificate", "None"),
            default="plain",
        ),
        "username": Field(label="Username", description="For PLAIN and SCRAM.", depends_on=_WITH_PASSWORD),
        "password": Field(
            label="Password",
            description="For PLAIN and SCRAM.",
            type="password",
            secret=True,
            depends_on=_WITH_PASSWORD,
        ),
        "accessKeyId": Field(
            label="AWS access key ID", description="Not used.", depends_on=_WITH_AWS, hidden=True
        ),
        "secretAccessKey": Field(
            label="AWS secret key",
            description="Not used.",
            type="password",
            secret=True,
            depends_on=_WITH_AWS,
            hidden=True,
        ),
        "authorizationIdentity": Field(
            label="AWS authorization identity", description="Not used.", depends_on=_WITH_AWS, hidden=True
        ),
        "ssl_enabled": Field(
            label="SSL enabled",
            description="Encrypt the connections. They are if a certificate authority is given.",
            type="boolean",
            default=True,
        ),
        "ssl_ca": Field(
            label="SSL certificate authority",
            description=(
                "The authority that vouches for the brokers, in PEM, with or without first and last line. "
                "If empty, those that the system trusts."
            ),
        ),
        "ssl_key": Field(
            label="SSL client key",
            description="The certificate's key, in PEM. Without its first and last line it must be PKCS#8.",
            type="password",
            secret=True,
            depends_on=_WITH_CERTIFICATE,
        ),
        "ssl_cert": Field(
            label="SSL client certificate",
            description="The client certificate, in PEM, with or without its first and last line.",
            depends_on=_WITH_CERTIFICATE,
        ),
        "ssl_reject_unauthorized_ca": Field(
            label="SSL: reject unauthorized certificate authorities",
            description="Off, any certificate is taken, also that of someone in between: for tests only.",
            type="boolean",
            default=True,
        ),
    },
    actions={"send": SEND},
    test=test,
    choices=choices,
)
