"""Functions are found by their names, with the workspace's appended or not."""

from collections.abc import Iterator
from typing import Any

import pytest

from onward.commands.client import Api
from onward.commands.common import CommandError
from onward.commands.function_edits import find

FUNCTIONS = [
    {"id": "f1", "resourceType": "DESTINATION", "displayName": "Alarm (Acme (EU))"},
    {"id": "f2", "resourceType": "SOURCE", "displayName": "Hook (beta)"},
    {"id": "f3", "resourceType": "DESTINATION", "displayName": "Alarm (old) (Acme (EU))"},
]


class Answering(Api):
    def get(self, path: str, **query: object) -> dict[str, Any]:
        return {"workspace": {"name": "Acme (EU)"}}

    def all(self, path: str, name: str) -> Iterator[dict[str, Any]]:
        yield from FUNCTIONS


@pytest.mark.parametrize(
    ("key", "id"),
    [
        ("Alarm", "f1"),
        ("Alarm (Acme (EU))", "f1"),
        ("f1", "f1"),
        ("Alarm (old)", "f3"),
        ("Hook (beta)", "f2"),
        ("Hook", None),
    ],
)
def test_whatever_the_workspace_is_called(key: str, id: str | None) -> None:
    if id is None:
        with pytest.raises(CommandError, match=f"no function {key}"):
            find(Answering(), key)
    else:
        assert find(Answering(), key)["id"] == id
