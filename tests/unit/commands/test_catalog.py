"""`onward catalog`, on a catalogue with nothing installed: Onward's own destinations."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from onward import cli
from onward.destinations.catalog import NATIVE


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ONWARD_CATALOG", str(tmp_path / "catalog"))
    monkeypatch.setenv("COLUMNS", "200")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["catalog", *arguments]) == 0
    return capsys.readouterr().out


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json"))


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["catalog", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("onward: ") and output.err.count("\n") == 1
    return output.err


def test_list_says_how_to_have_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["catalog", "list"]) == 0
    output = capsys.readouterr()
    for definition in NATIVE:
        assert f"{definition.slug} " in output.out
    assert f"{len(NATIVE)} destinations." in output.out
    assert "onward catalog update" in output.err


def test_list_as_json_with_filters(capsys: pytest.CaptureFixture[str]) -> None:
    assert {each["slug"] for each in read(capsys, "list")} == {definition.slug for definition in NATIVE}
    found = read(capsys, "list", "--search", "http signed", "--category", "raw data", "--method", "alias")
    assert [each["slug"] for each in found] == ["actions-webhook"]
    assert found[0]["bulk"] is True and found[0]["connectionModes"]["cloud"]["server"] is True
    assert read(capsys, "list", "--search", "no such thing") == []


def test_list_says_how_many_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "list", "--search", "standardwebhooks actions-webhook signed")
    assert out == f"0 of {len(NATIVE)} destinations.\n"


def test_show_all_of_a_destination(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "show", "actions-webhook")
    for told in (
        "614a3c7d791c91c41bae7599",
        "sharedSecret",
        "up to 4000, bulk from 1000",
        "POST, PUT, PATCH",
    ):
        assert told in out
    assert run(capsys, "show", "614a3c7d791c91c41bae7599") == out


def test_show_lists_several_actions_and_one_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "show", "actions-segment")
    assert "sendTrack" in out and "sendAlias" in out and "event_name" not in out
    out = run(capsys, "show", "actions-segment", "--action", "sendTrack")
    assert "event_name" in out and '{"@path": "$.event"}' in out and "sendAlias" not in out


def test_show_as_json_is_what_the_public_api_says(capsys: pytest.CaptureFixture[str]) -> None:
    view = read(capsys, "show", "actions-segment")
    assert view["supportedMethods"]["pageview"] is True
    action = read(capsys, "show", "actions-segment", "--action", "sendTrack")
    assert action == next(each for each in view["actions"] if each["slug"] == "sendTrack")


def test_charts(capsys: pytest.CaptureFixture[str]) -> None:
    for chart in ("methods", "modes", "categories"):
        out = run(capsys, "charts", chart)
        assert all(definition.name in out for definition in NATIVE)
    assert "Raw Data" in run(capsys, "charts", "categories")
    assert {each["slug"] for each in read(capsys, "charts", "categories")["Raw Data"]} >= {"actions-webhook"}
    assert read(capsys, "charts", "methods", "--search", "webhook")[0]["methods"][0] == "track"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "actions-webhok"], "did you mean actions-webhook"),
        (["show", "webhook"], "did you mean actions-webhook"),
        (["show", "zzzz"], "`onward catalog list` has all"),
        (["show", "actions-webhook", "--action", "post"], "actions-webhook has no action post; it has: send"),
        (["list", "--category", "Nope"], "--category: there is no category Nope; there are: "),
        (["list", "--method", "pageview"], "--method"),
        (["charts", "nope"], "nope"),
        (["show"], "SLUG"),
        (["lst"], "lst"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    assert told in fails(capsys, *arguments)


def test_a_registry_that_cannot_be_reached_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen: connections are refused
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{taken.getsockname()[1]}/")
        monkeypatch.setenv("DENO_DIR", str(tmp_path / "deno"))
        assert cli.main(["catalog", "update", "--folder", str(tmp_path / "new")]) == 2
    output = capsys.readouterr()
    told = output.err[output.err.index("onward: ") :]
    assert "npm registry" in told and "Connection refused" in told and told.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_completion_knows_the_commands() -> None:
    script = cli.app.generate_completion(prog_name="onward", shell="bash")
    for word in ("catalog", "charts", "--category", "reverse_etl", "modes"):
        assert word in script
