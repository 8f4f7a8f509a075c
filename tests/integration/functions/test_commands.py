"""`onward functions …`: from a file to what a person sees."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from harness import TOKEN, Onward

from onward import cli

CODE = """async function onTrack(event, settings) {
  console.log('hello', settings.name)
  if (!event.userId) throw new RetryError('nobody')
  return event.event
}
async function onBatch(events) { return events.map((e) => ({ status: e.status })) }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f.js"
    path.write_text(CODE)
    return path


def test_a_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["functions", "test", str(file)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("onTrack: OK\n")
    assert "hello" in said


def test_a_failure_tells_the_line(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"type":"track"}')
    assert cli.main(["functions", "test", str(file), "--event", str(event), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["action"], told["line"]) == ("Retry", "retry", 3)


def test_a_batch(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = tmp_path / "event.json"
    event.write_text('[{"status":200},{"status":500}]')
    assert cli.main(["functions", "dev", str(file), "--event", str(event), "--runs", "1"]) == 0
    assert "event 2: Retry" in capsys.readouterr().out
    assert cli.main(["functions", "test", str(file), "--event", str(event)]) == 1


def test_what_cannot_be_read(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["functions", "test", str(tmp_path / "none.js")]) == 2
    assert "can't read" in capsys.readouterr().err
    event = tmp_path / "event.json"
    event.write_text('{"type":"nope"}')
    assert cli.main(["functions", "test", str(file), "--event", str(event)]) == 2
    assert "it must be one of" in capsys.readouterr().err


def test_a_source_function_and_an_insert_function(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(
        "async function onRequest(request, settings) {\n"
        "  Segment.track({ event: request.json().kind, userId: request.url.searchParams.get('u') })\n}"
    )
    event = tmp_path / "request.json"
    event.write_text('{"body": {"kind": "Paid"}, "query": "u=7"}')
    assert cli.main(["functions", "test", str(file), "--event", str(event)]) == 0
    assert 'Sent: {"event": "Paid", "userId": "7", "type": "track"}' in capsys.readouterr().out
    file.write_text("async function onTrack(event) { }")
    file.with_suffix(".json").write_text('{"resourceType": "INSERT_DESTINATION"}')
    assert cli.main(["functions", "test", str(file)]) == 1
    assert "onTrack: Dropped: the function returned no event" in capsys.readouterr().out
    file.write_text("const onTrack = () => Array(600).fill().reduce((inner) => ({ inner }), {})")
    assert cli.main(["functions", "test", str(file)]) == 1
    assert "is nested too deeply" in capsys.readouterr().out


def test_from_a_template_to_a_deployed_function(
    onward: Onward, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str, status: int = 0) -> str:
        server = [] if arguments[0] in ("new", "templates") else ["--url", onward.url, "--token", TOKEN]
        assert cli.main(["functions", *arguments, *server]) == status, capsys.readouterr().err
        return capsys.readouterr().out if status == 0 else capsys.readouterr().err

    assert "slack-alert" in run("templates")
    run("new", "slack-alert", "--name", "Alarm", "--folder", str(tmp_path))
    file = tmp_path / "alarm.js"
    assert "is there already" in run(
        "new", "slack-alert", "--name", "Alarm", "--folder", str(tmp_path), status=2
    )
    assert "Added Alarm (Default), version 1.\nHandlers: onTrack." in run("save", str(file))
    file.write_text(file.read_text() + "\nasync function onPage() {}\n")
    assert "version 2.\nHandlers: onPage, onTrack.\nIt is deployed." in run("save", str(file), "--deploy")
    assert "+async function onPage() {}" in run("diff", "Alarm")
    file.write_text("async function onTrack(event) {\n  a b\n}\n")
    refused = run("save", str(file), status=2)
    assert "code: the code can't be loaded: line 2: SyntaxError" in refused
    file.write_text("async function onTrack() {}")
    assert "An older version is deployed" in run("save", str(file))
    assert "is now version 4, too" in run("restore", "Alarm", "1")
    listed = json.loads(run("versions", "Alarm", "--json"))
    assert [(each["number"], each["isLatest"], each["isDeployed"]) for each in listed] == [
        (4, True, False),
        (3, False, False),
        (2, False, True),
        (1, False, False),
    ]
    assert "Deployed Alarm (Default)." in run("deploy", "Alarm")
    (function,) = json.loads(run("list", "--json"))
    catalogue = onward.api("GET", "/catalog/destinations?category=Functions")["destinationsCatalog"]
    assert [entry["id"] for entry in catalogue] == [function["catalogId"]], "it is in the catalogue"
    assert "all of the workspace" in run("usage")
    assert "Deleted Alarm (Default)." in run("delete", function["id"])
    assert "there is no function Alarm" in run("deploy", "Alarm", status=2)


def test_dev_runs_again_when_the_file_is_saved(file: Path) -> None:
    command = [sys.executable, "-m", "onward", "functions", "dev", str(file), "--runs", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("Waiting for"):
                break
        file.write_text("async function onTrack() { return 'saved' }")
        rest = program.stdout.read()
        assert program.wait() == 0
    assert 'Returned: "saved"' in rest
