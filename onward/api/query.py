"""A request's query parameters as a struct, in the spellings that Segment's SDKs use.

A list is `ids[0]=a&ids[1]=b`, `ids.0=a&ids.1=b` (the Go SDK's way), `ids[]=a&ids[]=b`, `ids=a&ids=b` or
`ids=a,b`; empty items count for nothing. A member of an object is `pagination[count]=5` or
`pagination.count=5`. Objects in a list are `rules[0][key]=a`, `rules[0].key=a` or `rules.0[key]=a`.
Pagination itself is read by `provide_paging`.
"""

import re
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from onward.api.context import ApiRequest
from onward.workspace.errors import Invalid
from onward.workspace.shapes import located

Query = TypeVar("Query", bound=msgspec.Struct)

INDEX = re.compile(r"(?:\[[0-9]*\]|\.[0-9]{1,6})$")
MEMBER = re.compile(
    r"(?P<list>[A-Za-z]+)(?:\[(?P<index>[0-9]{1,6})\]|\.(?P<place>[0-9]{1,6}))"
    r"(?:\[(?P<bracket>[A-Za-z]+)\]|\.(?P<dot>[A-Za-z]+))"
)


def read_query(request: ApiRequest, kind: type[Query]) -> Query:
    """Raises `Invalid` with the parameter's name. Parameters that `kind` doesn't know are left alone."""
    hints = get_type_hints(kind)
    lists = {field.encode_name: _is_list(hints[field.name]) for field in msgspec.structs.fields(kind)}
    given: dict[str, Any] = {}
    for spelling, value in request.query_params.items():  # multi_items() shuffles them
        if (part := MEMBER.fullmatch(spelling)) and part["list"] in lists:
            items = given.setdefault(part["list"], {})
            if not isinstance(items, dict):
                raise Invalid("this is a list of objects, or of texts", field=part["list"])
            items.setdefault(int(part["index"] or part["place"]), {})[part["bracket"] or part["dot"]] = value
            continue
        name = INDEX.sub("", spelling)
        if name not in lists:
            continue
        if lists[name]:
            if isinstance(given.get(name), dict):
                raise Invalid("this is a list of objects", field=name)
            values = [value] if spelling != name else value.split(",")
            given.setdefault(name, []).extend(each for each in values if each)
        elif name in given:
            raise Invalid("this can be given once only", field=name)
        else:
            given[name] = value
    for name, items in given.items():
        if isinstance(items, dict):
            given[name] = [items[index] for index in sorted(items)]
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise located(str(error)) from error


def _is_list(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is list or any(_is_list(each) for each in get_args(kind))
