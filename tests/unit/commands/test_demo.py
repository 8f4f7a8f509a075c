"""What the demo keeps and says: its token survives every start, and a start that died."""

from pathlib import Path

from onward.demo import instructions, keep_token
from onward.settings import Settings


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


def test_what_is_said_names_the_way_in(tmp_path: Path) -> None:
    settings = Settings(token="t")
    link = "http://127.0.0.1:8080/invite#abc"
    first = instructions(settings, "wk", 8081, tmp_path / "sink.jsonl", link)
    assert link in first and "/sign-in" not in first
    later = instructions(settings, "wk", 8081, tmp_path / "sink.jsonl", None)
    assert "http://127.0.0.1:8080/sign-in" in later and "/invite" not in later
