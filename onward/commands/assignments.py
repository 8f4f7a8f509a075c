"""`--set name=value`: settings and fields from the command line, secrets from elsewhere.

A value is taken as it is written, except for these:

    key=@FILE      the content of a file, its last newline dropped
    key=$NAME      an environment variable (write '$NAME' in quotes, or the shell puts it in)
    key=@@x, $$x   the text @x, $x
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onward.commands.common import CommandError

VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
PATH = re.compile(r"\$(?=[.\[]|$)")
"""How a path into the event begins: `$.properties.email`, or `$` alone for the whole event."""


def split(texts: Sequence[str], flag: str = "--set") -> dict[str, str]:
    """Raises `CommandError` for what is no assignment."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise CommandError(f"{flag} {text}: write it as name=value")
        values[name] = value
    return values


def fetched(name: str, text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text that a value stands for."""
    if text.startswith(("@@", "$$")):
        return text[1:]
    if text.startswith("@"):
        return _content(name, text[1:]).removesuffix("\n").removesuffix("\r")
    if found := VARIABLE.fullmatch(text):
        if found[1] not in environment:
            raise CommandError(f"{name}: the environment variable {found[1]} is not set")
        return environment[found[1]]
    return text


def settings(texts: Sequence[str], options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Settings by the options of the catalogue: texts as they are, all else as JSON."""
    kinds = {option["name"]: option["type"] for option in options}
    return {
        name: _typed(name, fetched(name, value), kinds.get(name, "string"))
        for name, value in split(texts).items()
    }


def mapping(texts: Sequence[str]) -> dict[str, Any]:
    """Fields of a mapping: `$.…` is a path into the event, JSON is JSON, anything else is a text."""
    return {name: _mapped(name, value) for name, value in split(texts).items()}


def read_json(file: str) -> Any:
    """A JSON file; `-` is standard input."""
    return _parsed(file, _content("-" if file == "-" else file, file))


def _mapped(name: str, text: str) -> Any:
    if PATH.match(text):
        return {"@path": "$." if text == "$" else text}
    text = fetched(name, text)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _typed(name: str, text: str, kind: str) -> Any:
    if kind in ("string", "password"):
        return text
    if kind == "select" or kind == "array":
        try:
            return json.loads(text)
        except ValueError:
            return [part.strip() for part in text.split(",")] if kind == "array" else text
    return _parsed(name, text)


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"{name}: this must be JSON ({error})") from None


def _content(name: str, file: str) -> str:
    import sys

    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise CommandError(f"{name}: can't read {file}: {why}") from None
