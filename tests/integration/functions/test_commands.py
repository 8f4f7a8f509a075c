"""`onward functions …`: from a file to what a person sees."""

import json
from pathlib import Path

import pytest

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


def test_what_cannot_be_read(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["functions", "test", str(tmp_path / "none.js")]) == 2
    assert "can't read" in capsys.readouterr().err
    event = tmp_path / "event.json"
    event.write_text('{"type":"nope"}')
    assert cli.main(["functions", "test", str(file), "--event", str(event)]) == 2
    assert "it must be one of" in capsys.readouterr().err
