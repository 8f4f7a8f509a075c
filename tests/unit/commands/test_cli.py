"""What is wrong on the command line is said in one sentence, with exit status 2."""

import io
from pathlib import Path

import pytest

from onward import __version__, cli


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(list(arguments))
    output = capsys.readouterr()
    return status, output.out, output.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["serv"], "serv"),
        (["serve", "--prot", "1"], "--prot"),
        (["serve", "--port", "many"], "--port"),
        (["serve", "--config", "/dev/null/none.toml"], "/dev/null/none.toml"),
        (["sink"], "--port"),
        (["sink", "--port", "0", "--fail-rate", "2"], "fail_rate"),
        (["sink", "--port", "0", "--status", "42"], "status"),
        (["sink", "--port", "0", "--out", "/dev/null/none/x"], "/dev/null/none/x"),
        (["send", "/dev/null/none", "--write-key", "k"], "/dev/null/none"),
        (["send", "-", "--write-key", "k", "--rate", "0"], "--rate"),
        (["send", "-", "--write-key", "k", "--batch-size", "2501"], "--batch-size"),
        (["export", "--data", "/dev/null/none"], "/dev/null/none"),
        (["apply", "/dev/null/none"], "/dev/null/none"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], arguments: list[str], named: str) -> None:
    status, out, err = run(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert err.startswith("onward: ")
    assert named in err
    assert "Traceback" not in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [["serve"], ["demo"], ["apply", "--yes", "-"], ["export"]])
def test_a_data_folder_that_cannot_be_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("sources: []"))
    monkeypatch.setattr("onward.demo.check_address", lambda host, port: host)
    (tmp_path / "file").touch()
    status, out, err = run(capsys, *command, "--data", str(tmp_path / "file" / "data"))
    assert (status, out) == (2, "")
    assert str(tmp_path / "file" / "data") in err
    assert "--data" in err


def test_a_range_that_is_none_is_named_before_anything_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONWARD_EGRESS_ALLOW", "127.0.0.0/8,10.1.2.3/8")
    status, _, error = run(capsys, "serve", "--data", str(tmp_path / "data"), "--port", "0")
    assert status == 2
    assert error.startswith("onward: egress_allow: '10.1.2.3/8' is not an address range")
    assert not (tmp_path / "data").exists()


def test_an_override_that_is_none_is_named_before_anything_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONWARD_EGRESS_OVERRIDE", "*=http://127.0.0.1:9000,api.example.com=127.0.0.1")
    status, _, error = run(capsys, "serve", "--data", str(tmp_path / "data"), "--port", "0")
    assert status == 2
    assert error.startswith("onward: egress_override: 'api.example.com=127.0.0.1' can't be used")
    assert not (tmp_path / "data").exists()


def test_an_unknown_setting_in_the_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "onward.toml"
    file.write_text("prot = 8080\n")
    status, _, err = run(capsys, "serve", "--config", str(file))
    assert (status, "prot" in err) == (2, True)


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_version(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    status, out, _ = run(capsys, *arguments)
    assert (status, out.strip()) == (0, __version__)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--help")
    assert status == 0
    for command in ("serve", "demo", "sink", "send", "apply", "export", "version"):
        assert command in out
