"""Who may come in, from the command line, on a data folder without a server."""

import io
import json
import shutil
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from onward.api.app import api_state, create_api
from onward.cli import main
from onward.delivery.report import DeliveryReport
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog import open_reader
from onward.settings import Settings
from onward.workspace import people, sessions
from onward.workspace.entities import AuditEvent, Session, User
from onward.workspace.ids import resource_id
from onward.workspace.store import Actor, Store
from onward.workspace.tokens import find_token

PASSWORD = "correct horse battery"


@pytest.fixture
def data(fresh: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fresh, tmp_path / "data"))


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert main(list(arguments)) == status, capsys.readouterr().err
    output = capsys.readouterr()
    return output.err if status else output.out


def audited(data: Path) -> list[tuple[str, str]]:
    with Store.open(Settings(data=data), {}).reading() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.timestamp)).all()
        return [(event.type, event.actor) for event in events if event.actor.startswith("onward")]


async def test_whoever_is_locked_out_gets_in(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run(capsys, "people", "invite", "Ada@Example.com", "--role", "owner", "--data", str(data))
    link = said.strip().rpartition(" ")[2]
    assert link.startswith("http://127.0.0.1:8080/invite#")
    listed = json.loads(run(capsys, "people", "list", "--json", "--data", str(data)))
    assert listed == [{"email": "ada@example.com", "name": "", "state": "invited", "roles": ["owner"]}]

    state = SqliteStateStore(data)
    report = DeliveryReport(state, open_reader(data))
    app = create_api(api_state(Settings(data=data), {}, lambda source, count: [], report))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward/api") as browser:
        body = {"token": link.partition("#")[2], "name": "Ada", "password": "forgotten at once"}
        assert (await browser.post("/invites/accept", json=body)).status_code == 200
        assert (await browser.get("/session")).status_code == 200

        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        said = run(capsys, "people", "password", "ada@example.com", "--data", str(data))
        assert said == "ada@example.com has a new password. Sessions ended: 1.\n"
        assert (await browser.get("/session")).status_code == 401
        signed_in = await browser.post("/session", json={"email": "ada@example.com", "password": PASSWORD})
        assert signed_in.status_code == 200
    state.close()
    shown = run(capsys, "people", "list", "--data", str(data))
    assert shown.splitlines()[-1].split() == ["ada@example.com", "Ada", "user", "owner"]
    assert audited(data) == [
        ("Users Invited", "onward people invite"),
        ("User Password Changed", "onward people password"),
    ]


def test_tokens_come_and_go(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data", str(data)]
    added = json.loads(run(capsys, "tokens", "add", "ci", "--role", "source-read-only", "--json", *where))
    store = Store.open(Settings(data=data), {})
    with store.reading() as session:
        assert find_token(session, added["token"]) is not None
    listed = json.loads(run(capsys, "tokens", "list", "--json", *where))
    assert [(each["name"], each["roles"]) for each in listed] == [
        ("ONWARD_TOKEN", ["owner"]),
        ("ci", ["source-read-only"]),
    ]
    assert added["token"] not in str(listed)
    run(capsys, "tokens", "add", "ci", *where)
    assert "2 tokens are named ci" in run(capsys, "tokens", "remove", "ci", *where, status=2)
    run(capsys, "tokens", "remove", listed[1]["id"], *where)
    with store.reading() as session:
        assert find_token(session, added["token"]) is None
    assert [type for type, _ in audited(data)] == ["Token Created", "Token Created", "Token Deleted"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["people", "invite", "nobody"], "'nobody' is no e-mail address"),
        (["people", "invite", "a@b.co", "--role", "king"], "there is no role king"),
        (["people", "password", "eve@example.com"], "there is no user eve@example.com"),
        (["tokens", "add", "x", "--role", "king"], "there is no role king"),
        (["tokens", "remove", "x"], "there is no token x"),
        (["tokens", "list", "--workspace", "nope"], "there is no workspace nope"),
    ],
)
def test_mistakes_are_told_and_change_nothing(
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert told in run(capsys, *arguments, "--data", str(data), status=2)
    assert audited(data) == []


def test_a_password_that_is_too_easy_ends_no_session(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(Settings(data=data), {})
    with store.changing(store.default_workspace_id(), Actor(id="test")) as editor:
        made, _ = people.invite(editor, "ada@example.com")
        user = User(id=resource_id(), email="ada@example.com", name="Ada", created_at=1, updated_at=1)
        people.accept(editor, made, user)
        sessions.begin(editor.session, user, editor.now, "")
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    told = run(capsys, "people", "password", "ada@example.com", "--data", str(data), status=2)
    assert "10 to 256 characters" in told
    with store.reading() as session:
        assert session.scalar(select(Session.hash)) is not None


def test_a_folder_that_is_none_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["people", "list"], ["tokens", "add", "x"]):
        assert "no data folder" in run(capsys, *command, "--data", str(tmp_path / "none"), status=2)
    assert not (tmp_path / "none").exists()


def test_changing_the_secret_key_is_in_the_audit_trail(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "secrets", "rotate", "--data", str(data))
    assert audited(data) == [("Secret Key Rotated", "onward secrets rotate")]
