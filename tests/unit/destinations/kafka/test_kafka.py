"""Against a broker that speaks the protocol (`broker.py`), and librdkafka's own mock cluster."""

import asyncio
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from unit.destinations.kafka import broker as stub
from unit.destinations.kafka.broker import Broker

from onward.destinations.definition import Call
from onward.destinations.kafka import DEFINITION, SEND, link, pool
from onward.destinations.outcome import DELIVERED
from onward.egress.client import HttpClient
from onward.egress.guard import Guard


@pytest.fixture
async def client():
    client = HttpClient(Guard(["127.0.0.0/8"]))
    yield client
    for kept in pool.of_this_loop()._links.values():
        kept.close()
    await client.close()


@pytest.fixture
def to(client):
    """A call to a broker, with `settings` besides."""

    def make(broker: Broker | str, timeout: float = 5.0, **settings) -> Call:
        address = broker if isinstance(broker, str) else broker.address
        return Call(
            settings={"brokers": address, "mechanism": "none", "ssl_enabled": False, **settings},
            http=client,
            timeout=timeout,
            workspace_id="ws",
            source_id="src",
            destination_id="dst",
        )

    return make


def message(number: int = 0, **more) -> dict:
    return {"topic": "events", "payload": {"n": number}, **more}


def big(size: int, **more) -> dict:
    return {"topic": "events", "payload": {"x": "y" * size}, "partition": 0, **more}


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_payload_becomes_a_message(to):
    async with Broker() as broker:
        headers = {"a": "b", "n": 1.0, "t": True, "none": None, "list": [1, "x"], "o": {"p": 1}}
        sent = {"topic": "events", "payload": {"é": [1, None]}, "key": "user-1", "headers": headers}
        assert await SEND.perform(to(broker, clientId="me"), [sent]) == [DELIVERED]
        (record,) = broker.records
        assert (record.topic, record.key, record.value) == ("events", b"user-1", '{"é":[1,null]}'.encode())
        assert record.headers == [
            ("a", b"b"),
            ("n", b"1"),
            ("t", b"true"),
            ("none", None),
            ("list", b"1"),
            ("list", b"x"),
            ("o", b'{"p":1}'),
        ]
        assert (broker.acks, broker.clients) == ({-1}, {"me"})
        assert broker.writes[0].idempotent


async def test_a_key_decides_the_partition_as_in_javas_client(to):
    # murmur2 of the key, made positive, modulo the partitions: see KafkaProducer's default partitioner.
    async with Broker(partitions=10) as broker:
        keys = ["21", "foobar", "a-little-bit-long-string", "ключ", ""]
        await SEND.perform(to(broker), [message(key=key) for key in keys])
        expected = {key.encode(): murmur2(key.encode()) % 10 for key in keys}
        assert {record.key: record.partition for record in broker.records} == expected


def murmur2(data: bytes) -> int:
    m, word = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    full = len(data) & ~3
    for at in range(0, full, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & word
        k = (k ^ k >> 24) * m & word
        h = (h * m & word) ^ k
    if tail := data[full:]:
        h = (h ^ int.from_bytes(tail, "little")) * m & word
    h = (h ^ h >> 13) * m & word
    return (h ^ h >> 15) & 0x7FFFFFFF


def test_murmur2_is_that_of_kafkas_own_tests():
    # org.apache.kafka.common.utils.UtilsTest.testMurmur2
    assert murmur2(b"21") == -973932308 & 0x7FFFFFFF
    assert murmur2(b"foobar") == -790332482 & 0x7FFFFFFF
    assert murmur2(b"a-little-bit-long-string") == -985981536 & 0x7FFFFFFF


async def test_a_partition_wins_over_the_default_and_that_over_the_key(to):
    async with Broker(partitions=5) as broker:
        outcomes = await SEND.perform(
            to(broker),
            [
                message(0, partition=4, default_partition=3, key="k"),
                message(1, default_partition=3, key="k"),
                message(2, partition=0, default_partition=3),
            ],
        )
        assert outcomes == [DELIVERED] * 3
        assert {record.value: record.partition for record in broker.records} == {
            b'{"n":0}': 4,
            b'{"n":1}': 3,
            b'{"n":2}': 0,
        }


async def test_what_cannot_be_a_message_costs_only_itself(to):
    async with Broker() as broker:
        outcomes = await SEND.perform(
            to(broker),
            [
                message(0),
                message(1, partition=-2),
                message(2, partition=99),
                {"topic": "", "payload": {}},
                {"topic": "events", "payload": {"n": 2**70}},
                {"topic": "not a topic!", "payload": {}},
                message(6, key="\ud800"),
                message(7),
            ],
        )
        assert [outcome.kind for outcome in outcomes] == ["delivered", *["discarded"] * 6, "delivered"]
        assert [outcome.code for outcome in outcomes[1:5]] == ["MESSAGE_REJECTED"] * 4
        assert "partition is -2" in outcomes[1].message
        assert "Unknown partition" in outcomes[2].message
        assert "topic is empty" in outcomes[3].message
        assert "Integer exceeds 64-bit" in outcomes[4].message
        assert {record.value for record in broker.records} == {b'{"n":0}', b'{"n":7}'}


async def test_a_topic_that_is_not_there_is_final(to):
    async with Broker() as broker:
        outcomes = await SEND.perform(to(broker, timeout=2), [message(), {"topic": "nope", "payload": {}}])
        assert outcomes[0] == DELIVERED
        assert (outcomes[1].kind, outcomes[1].code) == ("discarded", "404")
        assert outcomes[1].message == "Broker: Unknown topic or partition (UNKNOWN_TOPIC_OR_PART)"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (stub.NOT_AUTHORIZED_TOPIC, ("discarded", "403")),
        (stub.INVALID_RECORD, ("discarded", "MESSAGE_REJECTED")),
    ],
)
async def test_refusals_are_final(to, code, expected):
    async with Broker(judge=lambda write: code) as broker:
        (outcome,) = await SEND.perform(to(broker), [message()])
        assert (outcome.kind, outcome.code) == expected
        assert outcome.message.startswith("Broker: ")


async def test_what_time_may_heal_is_retried(to):
    async with Broker(judge=lambda write: stub.NOT_ENOUGH_REPLICAS) as broker:
        (outcome,) = await SEND.perform(to(broker, timeout=1), [message()])
        assert outcome.kind == "retry"


async def test_items_of_a_batch_have_outcomes_of_their_own(to):
    async with Broker(
        judge=lambda write: stub.NOT_AUTHORIZED_TOPIC * (write.records[0].partition == 1)
    ) as broker:
        outcomes = await SEND.perform(to(broker), [message(n, partition=n % 3) for n in range(9)])
        assert [outcome.kind for outcome in outcomes] == ["delivered", "discarded", "delivered"] * 3
        assert len(broker.records) == 6


async def test_one_that_is_too_large_does_not_cost_its_neighbours(to):
    async with Broker(judge=lambda write: stub.TOO_LARGE * (write.size > 5000)) as broker:
        sizes = (1000, 2000, 6000, 3000)  # together they are too large, by itself only one is
        outcomes = await SEND.perform(to(broker), [big(size) for size in sizes])
        assert [outcome.kind for outcome in outcomes] == ["delivered", "delivered", "discarded", "delivered"]
        assert outcomes[2].code == "MESSAGE_REJECTED"
        assert "MSG_SIZE_TOO_LARGE" in outcomes[2].message
        assert sorted(len(record.value) for record in broker.records) == [1008, 2008, 3008]


async def test_batch_bytes_bounds_a_write(to):
    async with Broker() as broker:
        payloads = [big(2000, batch_bytes=5000) for _ in range(20)]
        assert await SEND.perform(to(broker), payloads) == [DELIVERED] * 20
        assert max(write.size for write in broker.writes) <= 5000
        assert len(broker.records) == 20


async def test_calls_share_a_connection_and_one_thread(to):
    async with Broker() as broker:
        before = threads()
        calls = [SEND.perform(to(broker), [message(n, partition=0)]) for n in range(50)]
        assert await asyncio.gather(*calls) == [[DELIVERED]] * 50
        await SEND.perform(to(broker), [message()])
        assert len(threads() - before) == 1
        assert broker.connections <= 2  # librdkafka keeps the one that it began with, or makes another
        assert len(broker.records) == 51


async def test_an_idle_connection_ends_and_the_next_event_opens_another(to, monkeypatch):
    monkeypatch.setattr(link, "IDLE", 0.1)
    async with Broker() as broker:
        await SEND.perform(to(broker), [message()])
        (first,) = pool.of_this_loop()._links.values()
        await until(lambda: first.ended)
        assert await SEND.perform(to(broker), [message()]) == [DELIVERED]
        (second,) = pool.of_this_loop()._links.values()
        assert second is not first


async def test_a_cluster_that_is_down_is_retried_at_once(to):
    async with Broker() as broker:
        pass
    (outcome,) = as_list(await SEND.perform(to(broker, timeout=10), [message()]))
    assert (outcome.kind, outcome.code) == ("retry", "ECONNREFUSED")
    assert "Connection refused" in outcome.message


async def test_a_broker_that_goes_silent_is_a_timeout_within_the_calls_time(to):
    async with Broker() as broker:
        call = to(broker, timeout=1)
        assert await SEND.perform(call, [message()]) == [DELIVERED]
        broker.mute = True
        started = asyncio.get_running_loop().time()
        (outcome,) = await SEND.perform(call, [message()])
        assert asyncio.get_running_loop().time() - started < 1 + 5
        assert (outcome.kind, outcome.code) == ("retry", "ETIMEDOUT")
        broker.mute = False
        assert await SEND.perform(call, [message()]) == [DELIVERED]


async def test_the_loop_goes_on_while_nobody_answers(to):
    """Whatever blocks is in the thread: a stalled broker stalls no other destination."""
    async with Broker() as broker:
        broker.mute = True
        loop = asyncio.get_running_loop()
        sending = asyncio.create_task(SEND.perform(to(broker, timeout=1), [message()]))
        longest = 0.0
        while not sending.done():
            before = loop.time()
            await asyncio.sleep(0)
            longest = max(longest, loop.time() - before)
        assert longest < 0.5
        assert as_list(sending.result())[0].kind == "retry"


async def test_a_password_is_checked(to):
    async with Broker(login=("ada", "s3cret")) as broker:
        call = to(broker, mechanism="plain", username="ada", password="s3cret")
        assert await SEND.perform(call, [message()]) == [DELIVERED]
        wrong = to(broker, mechanism="plain", username="ada", password="guess")
        (outcome,) = as_list(await SEND.perform(wrong, [message()]))
        assert (outcome.kind, outcome.code) == ("discarded", "401")
        assert "Invalid username or password" in outcome.message and "guess" not in outcome.message
        assert await DEFINITION.test(call) is None
        assert "Invalid username or password" in await DEFINITION.test(wrong)
        scram = to(broker, mechanism="scram-sha-256", username="ada", password="s3cret")
        assert "mechanism" in await DEFINITION.test(scram)
        assert len(broker.records) == 1


@pytest.mark.parametrize("bare", [True, False], ids=["without first and last line", "with them"])
async def test_certificates_of_both_sides(to, bare, tmp_path):
    authority, server, user = Authority(), None, None
    server, user = authority.issue("localhost"), authority.issue("onward")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem)
    chain = tmp_path / "server.pem"
    chain.write_text("".join(server))
    context.load_cert_chain(chain)
    key, certificate = user
    trim = (lambda pem: "\n".join(pem.strip().splitlines()[1:-1])) if bare else (lambda pem: pem)
    async with Broker(tls=context) as broker:
        broker.advertise = [("localhost", broker.port)]
        settings = {
            "brokers": f"localhost:{broker.port}",
            "mechanism": "client-cert-auth",
            "ssl_enabled": True,
            "ssl_ca": trim(authority.pem),
            "ssl_key": trim(key),
            "ssl_cert": trim(certificate),
        }
        assert await SEND.perform(to(broker, **settings), [message()]) == [DELIVERED]

        stranger = Authority().pem
        (outcome,) = as_list(await SEND.perform(to(broker, **settings | {"ssl_ca": stranger}), [message()]))
        assert (outcome.kind, outcome.code) == ("discarded", "TLS")
        trusting = settings | {"ssl_ca": stranger, "ssl_reject_unauthorized_ca": False}
        assert await SEND.perform(to(broker, **trusting), [message()]) == [DELIVERED]
        assert len(broker.records) == 2


async def test_a_broker_that_allows_no_idempotence_gets_plain_writes(to):
    async with Broker(idempotence=stub.NOT_AUTHORIZED_CLUSTER) as broker:
        assert await SEND.perform(to(broker), [message(n) for n in range(3)]) == [DELIVERED] * 3
        assert await SEND.perform(to(broker), [message(3)]) == [DELIVERED]
        assert [write.idempotent for write in broker.writes] == [False] * len(broker.writes)
        assert len(broker.records) == 4


async def test_addresses_that_are_not_public_are_refused(to):
    client = HttpClient(Guard())
    async with Broker() as broker:
        for address in (broker.address, f"localhost:{broker.port}", "[::1]:9092", "169.254.169.254:80"):
            (outcome,) = as_list(await SEND.perform(to_with(to(address), client), [message()]))
            assert (outcome.kind, outcome.code) == ("discarded", "BLOCKED_ADDRESS")
        assert broker.connections == 0


async def test_brokers_that_the_cluster_advertises_are_judged_before_the_first_message(to):
    async with Broker() as broker:
        broker.advertise = [("127.0.0.1", broker.port), ("10.0.0.1", 9092)]
        (outcome,) = as_list(await SEND.perform(to(broker), [message()]))
        assert (outcome.kind, outcome.code) == ("discarded", "BLOCKED_ADDRESS")
        assert "10.0.0.1" in outcome.message
        assert broker.records == []


async def test_a_broker_that_turns_up_later_ends_the_connection(to):
    async with Broker() as broker:
        await SEND.perform(to(broker), [message()])
        (kept,) = pool.of_this_loop()._links.values()
        nodes = '{"brokers": {"a": {"nodename": "%s"}, "b": {"nodename": ":0"}, "c": {}}}'
        kept._on_statistics(nodes % broker.address)  # what librdkafka says every ten seconds
        kept._on_statistics(nodes % "127.0.0.2:9092")
        assert await SEND.perform(to(broker), [message()]) == [DELIVERED]
        kept._on_statistics(nodes % "10.0.0.1:9092")
        await until(lambda: kept.ended)
        assert kept.refused.code == "BLOCKED_ADDRESS"
        broker.advertise = [("127.0.0.1", broker.port), ("10.0.0.1", 9092)]
        (outcome,) = as_list(await SEND.perform(to(broker), [message()]))
        assert outcome.code == "BLOCKED_ADDRESS"


async def test_one_bootstrap_server_that_is_found_will_do(client, to):
    async with Broker() as broker:
        call = to(f"gone.invalid:9092, {broker.address},")
        assert await SEND.perform(call, [message()]) == [DELIVERED]
    (outcome,) = as_list(await SEND.perform(to("gone.invalid:9092"), [message()]))
    assert outcome.kind == "retry" and outcome.code in ("ENOTFOUND", "EAI_AGAIN")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"brokers": ""}, "brokers is empty"),
        ({"brokers": " , "}, "brokers is empty"),
        ({"brokers": "kafka"}, "'kafka' is not host:port"),
        ({"brokers": "kafka:x"}, "'kafka:x' is not host:port"),
        ({"brokers": "kafka:70000"}, "'kafka:70000' is not host:port"),
        ({"brokers": "a:1,http://b:2"}, "'http://b:2' is not host:port"),
        ({"mechanism": "plain", "username": "ada"}, "username and password are required"),
        ({"mechanism": "scram-sha-512", "password": "x"}, "username and password are required"),
        ({"mechanism": "client-cert-auth", "ssl_key": "x"}, "ssl_key and ssl_cert are required"),
        ({"mechanism": "aws"}, "mechanism is 'aws'"),
        ({"ssl_ca": "nonsense"}, "these settings can't be used"),
    ],
)
async def test_settings_that_cannot_work_are_named(to, settings, problem):
    call = to("127.0.0.1:1", **settings)
    (outcome,) = as_list(await SEND.perform(call, [message()]))
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert problem in outcome.message
    assert problem in await DEFINITION.test(call)
    assert problem in (await DEFINITION.choices(call, "send", "topic", {}, None)).error


async def test_topics_can_be_chosen_from(to):
    async with Broker(topics=("b", "a")) as broker:
        page = await DEFINITION.choices(to(broker), "send", "topic", {}, None)
        assert page.choices == [{"label": "a", "value": "a"}, {"label": "b", "value": "b"}]
        assert await DEFINITION.test(to(broker)) is None
    assert "Connection refused" in await DEFINITION.test(to(broker))


async def test_librdkafkas_own_cluster_takes_it(to):
    with mock_cluster(brokers=3) as addresses:
        payloads = [message(n, key=f"user-{n % 7}", headers={"a": "b"}) for n in range(500)]
        calls = (SEND.perform(to(addresses), payloads) for _ in range(4))
        assert await asyncio.gather(*calls) == [[DELIVERED] * 500] * 4
        assert await DEFINITION.test(to(addresses)) is None


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "kafka"}


@contextmanager
def mock_cluster(brokers: int):
    producer = Producer({"test.mock.num.brokers": brokers, "bootstrap.servers": "mock", "log_level": 0})
    found = producer.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in found)
    producer.close()


def as_list(outcome):
    return outcome if isinstance(outcome, list) else [outcome]


def to_with(call: Call, client: HttpClient) -> Call:
    return Call(**{**{name: getattr(call, name) for name in call.__struct_fields__}, "http": client})


class Authority:
    """Issues certificates for a minute."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
        self.pem = self._certificate(self.name, self.key, authority=True)

    def issue(self, host: str) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return pem, self._certificate(name, key, host=host)

    def _certificate(self, name, key, *, authority: bool = False, host: str = "") -> str:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(minutes=5))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM).decode()
