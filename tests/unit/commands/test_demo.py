"""The demo's token survives every start, and a start that died."""

from pathlib import Path

from onward.demo import keep_token


def test_the_token_stays(tmp_path: Path) -> None:
    token = keep_token(tmp_path)
    assert token.startswith("onward_")
    assert keep_token(tmp_path) == token
    assert (tmp_path / "demo.token").stat().st_mode & 0o777 == 0o600


def test_a_start_that_died_before_the_token_was_written_does_not_leave_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "demo.token").touch()
    token = keep_token(tmp_path)
    assert token.startswith("onward_")
    assert keep_token(tmp_path) == token
