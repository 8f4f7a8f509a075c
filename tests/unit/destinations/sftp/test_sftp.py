"""Against a real SFTP server in this process, of asyncssh's."""

import asyncio
import csv
import io
import re
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.definition import Call
from onward.destinations.outcome import DELIVERED
from onward.destinations.sftp import DEFINITION, EVENTS, MODEL, connect
from onward.destinations.sftp.connect import SftpError, private_key
from onward.destinations.sftp.send import file_name, path
from onward.egress.client import HttpClient
from onward.egress.guard import Guard

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
USER_KEY = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
NAME = re.compile(r"events__2026-01-02T03-04-05-678Z_[0-9a-f]{12}\.csv")


class Behaviour:
    """How the server behaves, and what it saw."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.opened: list[bytes] = []
        self.seen: list[set[str]] = []
        """The files there at each write."""
        self.posix_rename = True
        self.rename = True
        self.fails: type[asyncssh.SFTPError] | None = None
        self.drops_at: int | None = None
        self.lost_answer = False
        self.offsets: list[int] = []
        self.stalls = False

    async def before_write(self, offset: int) -> None:
        while self.stalls:
            await asyncio.sleep(0.01)

    @property
    def files(self) -> dict[str, str]:
        return {
            p.relative_to(self.root).as_posix(): p.read_text() for p in self.root.rglob("*") if p.is_file()
        }


def server_of(behaviour: Behaviour):
    class Server(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
            super().__init__(channel, chroot=bytes(behaviour.root))

        def open(self, path, pflags, attrs):
            behaviour.opened.append(path)
            if behaviour.fails:
                raise behaviour.fails("no")
            return super().open(path, pflags, attrs)

        async def write(self, file, offset, data):
            behaviour.seen.append(set(behaviour.files))
            behaviour.offsets.append(offset)
            await behaviour.before_write(offset)
            if behaviour.drops_at is not None and offset >= behaviour.drops_at:
                self.channel.get_connection().abort()
            return super().write(file, offset, data)

        def posix_rename(self, oldpath, newpath):
            if not behaviour.posix_rename:
                raise asyncssh.SFTPOpUnsupported("no such extension")
            super().posix_rename(oldpath, newpath)
            if behaviour.lost_answer:
                self.channel.get_connection().abort()

        def rename(self, oldpath, newpath):
            if not behaviour.rename:
                raise asyncssh.SFTPPermissionDenied("renaming is not allowed")
            if Path(self.map_path(newpath).decode()).exists():
                raise asyncssh.SFTPFailure("it exists")
            return super().rename(oldpath, newpath)

    return Server


class Login(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("ada", "s3cret")

    def public_key_auth_supported(self):
        return True

    def validate_public_key(self, username, key):
        return username == "ada" and key == USER_KEY.convert_to_public()


@pytest.fixture
async def server(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    behaviour = Behaviour(root)
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Login,
        server_host_keys=[HOST_KEY],
        sftp_factory=server_of(behaviour),
    )
    behaviour.port = listener.get_port()
    yield behaviour
    listener.close()
    behaviour.stalls = False
    await listener.wait_closed()


@pytest.fixture
async def call(server):
    client = HttpClient(Guard(["127.0.0.0/8", "::1"]))

    def make(events: int = 0, timeout: float = 5.0, mapping=None, http=None, **settings) -> Call:
        return Call(
            settings={
                "auth_type": "password",
                "sftp_host": "127.0.0.1",
                "sftp_port": server.port,
                "sftp_username": "ada",
                "sftp_password": "s3cret",
                **settings,
            },
            http=http or client,
            timeout=timeout,
            workspace_id="ws",
            source_id="src",
            destination_id="dst",
            events=[{"messageId": f"m{n}", "receivedAt": "2026-01-02T03:04:05.678Z"} for n in range(events)],
            mapping={"columns": {}} if mapping is None else mapping,
        )

    yield make
    await client.close()


def payload(columns: dict, **more) -> dict:
    return {
        "columns": columns,
        "filename_prefix": "events",
        "file_extension": "csv",
        "delimiter": ",",
        "sftp_folder_path": "/",
        "enable_batching": True,
        "batch_size": 100_000,
        **more,
    }


def mapping(*columns: str) -> dict:
    return {"columns": {column: {"@path": f"$.{column}"} for column in columns}}


async def test_a_batch_becomes_a_file(server, call):
    payloads = [
        payload(
            {"user_id": f"u{n}", "properties": {"plan": 'the "best"', "n": 2.0}, "empty": None},
            audience_action_column_name="audience_action",
            batch_size_column_name="batch_size",
            traits_or_props={"vip": n == 0},
            computation_key="vip",
        )
        for n in range(2)
    ]
    made = call(events=2, mapping=mapping("user_id", "properties", "empty", "absent"))
    assert await EVENTS.perform(made, payloads) == [DELIVERED] * 2
    ((name, text),) = server.files.items()
    assert NAME.fullmatch(name)
    assert text == (
        "user_id,properties,empty,absent,audience_action,batch_size\n"
        '"u0","{""plan"":""the \\""best\\"""",""n"":2}","","","true","2"\n'
        '"u1","{""plan"":""the \\""best\\"""",""n"":2}","","","false","2"'
    )


async def test_columns_are_those_of_the_mapping_in_its_order(server, call):
    made = call(mapping={"columns": {"b": {"@path": "$.b"}, "dropped": "", "a": "text"}})
    await MODEL.perform(made, [payload({"a": "text", "b": 1})])
    assert list(server.files.values()) == ['b,a\n"1","text"']
    as_they_come = call(mapping={"columns": {"@path": "$.properties"}})
    await MODEL.perform(as_they_come, [payload({"x": 1}), payload({"y": True, "x": [1]})])
    assert 'x,y\n"1",""\n"[1]","true"' in server.files.values()


@pytest.mark.parametrize(
    ("delimiter", "between"), [(",", ","), ("|", "|"), ("tab", "\t"), (";", ";"), (":", ":")]
)
async def test_delimiters(server, call, delimiter, between):
    made = call(mapping=mapping(f"a{delimiter}b", "c"))
    await MODEL.perform(made, [payload({f"a{delimiter}b": f"x{between}y", "c": 1}, delimiter=delimiter)])
    (text,) = server.files.values()
    header = "atabb" if delimiter == "tab" else "ab"
    assert text == f'{header}{between}c\n"x{between}y"{between}"1"'


async def test_what_belongs_elsewhere_gets_a_file_of_its_own(server, call):
    for folder in ("in", "out"):
        (server.root / folder).mkdir()
    folders = ["/in", "out/", "/in", "/nowhere"]
    payloads = [payload({"n": n}, sftp_folder_path=folder) for n, folder in enumerate(folders)]
    outcomes = await MODEL.perform(call(events=4, mapping=mapping("n")), payloads)
    assert [outcome.kind for outcome in outcomes] == ["delivered"] * 3 + ["discarded"]
    assert (outcomes[3].code, "no folder /nowhere" in outcomes[3].message) == ("MESSAGE_REJECTED", True)
    assert {name.split("/")[0]: text for name, text in server.files.items()} == {
        "in": 'n\n"0"\n"2"',
        "out": 'n\n"1"',
    }


async def test_what_cannot_be_written_costs_only_itself(server, call):
    payloads = [
        payload({"n": 1}),
        payload({"n": {"a": 2**70}}),
        payload("text"),
        payload({"n": 2}),
        payload({"n": 3}, file_extension="exe"),
        payload({"n": 3}, delimiter="!"),
    ]
    outcomes = await MODEL.perform(call(events=6, mapping=mapping("n")), payloads)
    kinds = ["delivered", "discarded", "discarded", "delivered", "discarded", "discarded"]
    assert [outcome.kind for outcome in outcomes] == kinds
    assert "columns is not an object" in outcomes[2].message
    assert "file_extension is 'exe'" in outcomes[4].message
    assert "delimiter is '!'" in outcomes[5].message
    assert list(server.files.values()) == ['n\n"1"\n"2"']


async def test_without_columns_there_is_no_file(server, call):
    (outcome,) = await MODEL.perform(call(), [payload({})])
    assert (outcome.code, outcome.message) == ("MESSAGE_REJECTED", "the mapping names no columns")
    assert server.files == {}


async def test_nobody_sees_half_a_file(server, call):
    big = payload({"n": "x" * 10_000_000})
    assert await MODEL.perform(call(events=1, mapping=mapping("n")), [big]) == [DELIVERED]
    assert len(server.seen) > 1
    assert all(name.startswith(".") and name.endswith(".part") for names in server.seen for name in names)
    (name,) = server.files
    assert NAME.fullmatch(name)


async def test_an_upload_that_breaks_off_is_retried_and_leaves_one_file(server, call):
    server.drops_at = 1
    big, made = payload({"n": "x" * 10_000_000}), call(events=1, mapping=mapping("n"))
    (outcome,) = await MODEL.perform(made, [big])
    assert (outcome.kind, outcome.code) == ("retry", "ECONNRESET")
    assert all(name.endswith(".part") for name in server.files)
    server.drops_at = None
    assert await MODEL.perform(made, [big]) == [DELIVERED]
    ((name, text),) = server.files.items()
    assert NAME.fullmatch(name) and len(text) == 10_000_004


async def test_a_lost_answer_makes_no_second_file(server, call):
    server.lost_answer = True
    made = call(events=1, mapping=mapping("n"))
    (outcome,) = await MODEL.perform(made, [payload({"n": 1})])
    assert outcome.kind == "retry"
    server.lost_answer = False
    opened = len(server.opened)
    assert await MODEL.perform(made, [payload({"n": 1})]) == [DELIVERED]
    assert len(server.opened) == opened  # it was there, whole
    assert list(server.files.values()) == ['n\n"1"']


async def test_other_events_are_another_file(server, call):
    for event in ("m0", "m1"):
        made = call(mapping=mapping("n"))
        made = Call(
            **{
                **{n: getattr(made, n) for n in made.__struct_fields__},
                "events": [{"messageId": event, "receivedAt": "2026-01-02T03:04:05.678Z"}],
            }
        )
        assert await MODEL.perform(made, [payload({"n": 1})]) == [DELIVERED]
    assert len(server.files) == 2


async def test_a_server_without_posix_rename_will_do(server, call):
    server.posix_rename = False
    made = call(events=1, mapping=mapping("n"))
    assert await MODEL.perform(made, [payload({"n": 1})]) == [DELIVERED]
    (name,) = server.files
    (server.root / name).write_text("older, of another size")
    assert await MODEL.perform(made, [payload({"n": 1})]) == [DELIVERED]
    assert server.files == {name: 'n\n"1"'}


async def test_a_server_that_allows_no_renaming_says_so_and_can_be_written_to(server, call):
    server.posix_rename = server.rename = False
    (outcome,) = await MODEL.perform(call(events=1, mapping=mapping("n")), [payload({"n": 1})])
    assert (outcome.kind, outcome.code) == ("discarded", "403")
    assert "renaming is not allowed" in outcome.message and "sftp_temporary_name" in outcome.message
    direct = call(events=1, mapping=mapping("n"), sftp_temporary_name=False)
    server.opened.clear()
    assert await MODEL.perform(direct, [payload({"n": 1})]) == [DELIVERED]
    assert all(b".part" not in name for name in server.opened)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (asyncssh.SFTPPermissionDenied, ("discarded", "403")),
        (asyncssh.SFTPNoSuchFile, ("discarded", "MESSAGE_REJECTED")),
        (asyncssh.SFTPFailure, ("retry", "RETRY")),
    ],
)
async def test_answers_of_the_server(server, call, failure, expected):
    server.fails = failure
    (outcome,) = await MODEL.perform(call(events=1, mapping=mapping("n")), [payload({"n": 1})])
    assert (outcome.kind, outcome.code) == expected


async def test_with_the_standard_strategy_one_write_follows_the_other(server, call):
    async with relay(server.port) as (port, sent):
        ahead = []

        async def before_write(offset: int) -> None:
            ahead.append(sum(sent) - offset)

        server.before_write = before_write
        big = payload({"n": "x" * 1_000_000})
        assert await MODEL.perform(call(mapping=mapping("n"), sftp_port=port), [big]) == [DELIVERED]
    assert len(ahead) >= 3
    assert max(ahead) < 262_144 + 20_000


async def test_with_the_concurrent_strategy_writes_do_not_wait_for_answers(server, call):
    async with relay(server.port) as (port, sent):

        async def before_write(offset: int) -> None:
            async with asyncio.timeout(10):
                while sum(sent) < 1_000_000:
                    await asyncio.sleep(0.01)

        server.before_write = before_write
        made = call(mapping=mapping("n"), sftp_port=port, uploadStrategy="concurrent")
        assert await MODEL.perform(made, [payload({"n": "x" * 1_000_000})]) == [DELIVERED]
    assert server.offsets == sorted(server.offsets) and len(server.offsets) == 31


@asynccontextmanager
async def relay(port: int):
    """A port in front of the server's, and the sizes of what came that way."""
    sent: list[int] = []

    async def pump(reader, writer, sizes) -> None:
        while data := await reader.read(65_536):
            sizes.append(len(data))
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader, writer) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            pump(reader, inner_writer, sent), pump(inner_reader, writer, []), return_exceptions=True
        )

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield listener.sockets[0].getsockname()[1], sent
    listener.close()


@pytest.mark.parametrize("form", ["pkcs1-pem", "pkcs8-pem", "openssh"])
async def test_a_key_lets_in_however_it_was_pasted(server, call, form):
    key = USER_KEY.export_private_key(form).decode()
    one_line = " ".join(key.split("\n"))
    for text in (key, key.replace("\n", "\r\n"), one_line, key.replace("\n", ""), f"\n  {key}"):
        made = call(auth_type="ssh_key", sftp_ssh_key=text, sftp_password=None)
        assert await DEFINITION.test(made) is None


async def test_wrong_credentials_are_final(server, call):
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    for settings in ({"sftp_password": "guess"}, {"auth_type": "ssh_key", "sftp_ssh_key": other}):
        (outcome,) = await MODEL.perform(call(mapping=mapping("n"), **settings), [payload({"n": 1})])
        assert (outcome.kind, outcome.code) == ("discarded", "401")
        assert "guess" not in outcome.message
        assert "refuses" in await DEFINITION.test(call(**settings))


async def test_the_servers_key_is_checked_where_it_is_given(server, call):
    public = HOST_KEY.export_public_key().decode()
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    another = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode()
    for text in (public, f"# comment\n127.0.0.1 {public}", f"{other}{public}", ""):
        assert await DEFINITION.test(call(sftp_host_key=text)) is None
    for text in (other, another):
        (outcome,) = await MODEL.perform(call(mapping=mapping("n"), sftp_host_key=text), [payload({"n": 1})])
        assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert server.files == {}
    assert "is not a public key" in await DEFINITION.test(call(sftp_host_key="ssh-ed25519 nonsense"))


async def test_addresses_that_are_not_public_are_refused(server, call):
    strict = HttpClient(Guard())
    for host in ("127.0.0.1", "localhost", "10.0.0.1", "[::1]", "169.254.169.254"):
        made = call(mapping=mapping("n"), sftp_host=host, http=strict)
        (outcome,) = await MODEL.perform(made, [payload({"n": 1})])
        assert (outcome.kind, outcome.code) == ("discarded", "BLOCKED_ADDRESS")


async def test_the_socket_goes_to_the_address_that_was_judged(server, call):
    async def lookup(host: str):
        assert host == "sftp.example"
        return [(connect.socket.AF_INET, "127.0.0.1")]

    client = HttpClient(Guard(["127.0.0.1/32"]), lookup=lookup)
    assert await DEFINITION.test(call(sftp_host="sftp.example", http=client)) is None


async def test_a_server_that_is_not_there_is_retried(server, call):
    async with closed_port() as port:
        (outcome,) = await MODEL.perform(call(mapping=mapping("n"), sftp_port=port), [payload({"n": 1})])
    assert (outcome.kind, outcome.code) == ("retry", "ECONNREFUSED")


async def test_what_is_no_ssh_server_is_retried_in_time(server, call):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    async def other(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    for serve, code in ((silent, "ETIMEDOUT"), (other, "ECONNRESET")):
        listener = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        made = call(mapping=mapping("n"), sftp_port=port, timeout=0.5)
        (outcome,) = await MODEL.perform(made, [payload({"n": 1})])
        assert (outcome.kind, outcome.code) == ("retry", code), outcome
        listener.close()


async def test_an_upload_that_stalls_can_be_given_up(server, call):
    server.stalls = True
    sending = asyncio.create_task(MODEL.perform(call(events=1, mapping=mapping("n")), [payload({"n": 1})]))
    async with asyncio.timeout(5):
        while not server.offsets:
            await asyncio.sleep(0.01)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"sftp_host": ""}, "sftp_host is ''"),
        ({"sftp_host": "sftp://a/b"}, "sftp_host is 'sftp://a/b'"),
        ({"sftp_port": 70000}, "sftp_port is 70000"),
        ({"sftp_username": ""}, "sftp_username is empty"),
        ({"sftp_password": None}, "sftp_password is empty"),
        ({"auth_type": "ssh_key"}, "sftp_ssh_key is empty"),
        ({"auth_type": "ssh_key", "sftp_ssh_key": "nonsense"}, "sftp_ssh_key is not a private key"),
    ],
)
async def test_settings_that_cannot_work_are_named(server, call, settings, problem):
    (outcome,) = await MODEL.perform(call(mapping=mapping("n"), **settings), [payload({"n": 1})])
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert problem in outcome.message
    assert problem in await DEFINITION.test(call(**settings))


def test_a_key_with_a_passphrase_is_named():
    locked = USER_KEY.export_private_key("pkcs8-pem", passphrase="x").decode()
    with pytest.raises(SftpError, match="passphrase"):
        private_key(locked)


@pytest.mark.parametrize(
    ("prefix", "extension", "expected"),
    [
        ("events", "csv", "events__S.csv"),
        ("events.csv", "csv", "events__S.csv"),
        ("events.csv", "txt", "events.csv__S.txt"),
        ("", "tsv", "S.tsv"),
        (None, "psv", "S.psv"),
    ],
)
def test_names(prefix, extension, expected):
    assert file_name(prefix, extension, "S") == expected


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/", "/f"),
        ("", "f"),
        (None, "f"),
        ("in", "in/f"),
        ("/in/", "/in/f"),
        ("//in", "/in/f"),
        ("./in/../out", "out/f"),
    ],
)
def test_paths_are_joined_as_node_does(folder, expected):
    assert path(folder, "f") == expected


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))


@given(st.lists(st.lists(TEXT, min_size=2, max_size=2), min_size=1, max_size=5))
def test_a_reader_of_csv_finds_what_was_written(rows):
    from onward.destinations.aws.text import cell

    text = "\n".join(",".join(cell(value) for value in row) for row in rows)
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


@asynccontextmanager
async def closed_port():
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    yield port
