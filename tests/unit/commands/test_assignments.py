"""`--set name=value`: what a value on the command line stands for."""

from pathlib import Path
from typing import Any

import pytest

from onward.commands import assignments
from onward.commands.common import CommandError

OPTIONS = [
    {"name": "key", "type": "password"},
    {"name": "url", "type": "string"},
    {"name": "retries", "type": "number"},
    {"name": "verbose", "type": "boolean"},
    {"name": "region", "type": "select"},
    {"name": "extra", "type": "map"},
    {"name": "tags", "type": "array"},
]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("url=a=b", "a=b"),
        ("url=", ""),
        ("url=123", "123"),
        ("url=true", "true"),
        ("retries=3", 3),
        ("verbose=false", False),
        ("region=eu", "eu"),
        ("region=2", 2),
        ('extra={"a":1}', {"a": 1}),
        ("tags=a, b", ["a", "b"]),
        ('tags=["a",1]', ["a", 1]),
        ("key=$SECRET", "s3cret"),
        ("key=$$SECRET", "$SECRET"),
        ("key=@@handle", "@handle"),
        ("key=pa$$word", "pa$$word"),
        ("key=$SECRET-not", "$SECRET-not"),
        ("unknown=7", "7"),
    ],
)
def test_settings_are_typed_by_the_catalogue(monkeypatch: pytest.MonkeyPatch, text: str, value: Any) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    assert assignments.settings([text], OPTIONS) == {text.partition("=")[0]: value}


def test_secrets_come_from_files_less_their_last_newline(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("-----BEGIN\nabc\n-----END\n")
    given = assignments.settings([f"key=@{tmp_path / 'key'}"], OPTIONS)
    assert given == {"key": "-----BEGIN\nabc\n-----END"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f=$.properties.email", {"@path": "$.properties.email"}),
        ("f=$", {"@path": "$."}),
        ("f=$['a b']", {"@path": "$['a b']"}),
        ("f=plain text", "plain text"),
        ("f=42", 42),
        ("f=01234", "01234"),
        ("f=null", None),
        ('f="42"', "42"),
        ('f={"@template": "{{event}}"}', {"@template": "{{event}}"}),
        ("f=$SECRET", "s3cret"),
        ("f=", ""),
    ],
)
def test_fields_are_paths_json_or_texts(monkeypatch: pytest.MonkeyPatch, text: str, value: Any) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    assert assignments.mapping([text]) == {"f": value}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key", "--set key: write it as name=value"),
        ("=x", "--set =x: write it as name=value"),
        ("key=$NOT_THERE_AT_ALL", "key: the environment variable NOT_THERE_AT_ALL is not set"),
        ("key=@/nowhere/at/all", "key: can't read /nowhere/at/all: No such file or directory"),
        ("retries=many", "retries: this must be JSON"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_of_a_secret_is_said(text: str, told: str) -> None:
    with pytest.raises(CommandError) as error:
        assignments.settings([text], OPTIONS)
    assert str(error.value).startswith(told)
