"""Lists and objects in queries, in every spelling that an SDK of Segment's uses."""

from typing import Any

import msgspec
import pytest
from litestar import Request

from onward.api.query import read_query
from onward.workspace.errors import Invalid


class Rule(msgspec.Struct):
    key: str
    version: int = 1


class Asked(msgspec.Struct, rename="camel"):
    user_ids: list[str] | None = None
    rules: list[Rule] | None = None
    name: str | None = None


def read(query: str) -> Asked:
    scope: Any = {"type": "http", "query_string": query.encode(), "headers": [], "path": "/", "method": "GET"}
    return read_query(Request(scope), Asked)


@pytest.mark.parametrize(
    "query",
    [
        "userIds[0]=a&userIds[1]=b",
        "userIds.0=a&userIds.1=b",
        "userIds[]=a&userIds[]=b",
        "userIds=a&userIds=b",
        "userIds=a,b",
        "userIds=a,,b&userIds.5=",
    ],
)
def test_a_list_is_spelt_in_many_ways(query: str) -> None:
    assert read(query).user_ids == ["a", "b"]


@pytest.mark.parametrize(
    "query",
    [
        "rules[0][key]=a&rules[0][version]=2&rules[1][key]=b",
        "rules[0].key=a&rules[0].version=2&rules[1].key=b",
        "rules.0[key]=a&rules.0[version]=2&rules.1[key]=b",
        "rules.1.key=b&rules.0.key=a&rules.0.version=2",
    ],
)
def test_objects_in_a_list_too(query: str) -> None:
    assert read(query).rules == [Rule("a", 2), Rule("b")]


def test_an_empty_item_is_none() -> None:
    assert read("userIds.0=").user_ids == []
    assert read("other=1").user_ids is None


def test_what_is_no_list_is_given_once() -> None:
    with pytest.raises(Invalid, match="once") as failure:
        read("name=a&name=b")
    assert failure.value.field == "name"
