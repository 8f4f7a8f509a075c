"""Several workspaces from the command line."""

import json
from pathlib import Path

import pytest
import yaml

from onward.cli import main
from onward.settings import Settings
from onward.workspace.store import Store
from onward.workspace.tokens import find_token


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_each_is_configured_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, file = str(tmp_path / "data"), tmp_path / "workspace.yaml"
    added = json.loads(run(capsys, "workspaces", "add", "second", "--name", "Two", "--json", "--data", data))
    listed = json.loads(run(capsys, "workspaces", "list", "--json", "--data", data))
    assert [(each["slug"], each["name"]) for each in listed] == [("default", "Default"), ("second", "Two")]

    store = Store.open(Settings(data=Path(data)), {})
    with store.reading() as session:
        token = find_token(session, added["token"])
        assert token is not None and token.workspace_id == listed[1]["id"]

    sources = [{"slug": "web", "type": "javascript"}]
    first = yaml.safe_load(run(capsys, "export", "--data", data))
    file.write_text(yaml.safe_dump({"sources": sources}))
    run(capsys, "apply", str(file), "--yes", "--workspace", "second", "--data", data)
    assert yaml.safe_load(run(capsys, "export", "--data", data)) == first
    exported = yaml.safe_load(run(capsys, "export", "--workspace", "second", "--data", data))
    assert [each["slug"] for each in exported["sources"]] == ["web"]


@pytest.mark.parametrize("command", [["export"], ["apply", "FILE", "--yes"]])
def test_one_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    data, file = str(tmp_path / "data"), tmp_path / "workspace.yaml"
    file.write_text("sources: []\n")
    run(capsys, "workspaces", "add", "second", "--data", data)
    arguments = [str(file) if each == "FILE" else each for each in command]
    assert main([*arguments, "--workspace", "nope", "--data", data]) == 2
    assert "there is no workspace nope" in capsys.readouterr().err
    assert main(["workspaces", "add", "second", "--data", data]) == 2
    assert "already" in capsys.readouterr().err
