"""What the code says of the API's shapes: the docstrings under the fields of structs and typed dicts.

Python forgets them when it runs, so they are read from the source. One that begins with "Ours" marks what
Segment's API has not.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import inspect as types

OURS = re.compile(r"Ours\b[.:;,]?\s*")


def classes(kinds: Iterable[Any]) -> Iterator[type]:
    """The structs and typed dicts that `kinds` are made of, each once."""
    seen: set[type] = set()
    waiting: list[Any] = list(types.multi_type_info(kinds))
    while waiting:
        info = waiting.pop()
        if isinstance(info, types.StructType | types.TypedDictType):
            if info.cls in seen:
                continue
            seen.add(info.cls)
            yield info.cls
        for name in info.__struct_fields__:
            value = getattr(info, name)
            several = value if isinstance(value, tuple) else (value,)
            waiting += (each for each in several if isinstance(each, types.Type | types.Field))


@cache
def fields(kind: type) -> dict[str, str]:
    """What is said of each field, by its name in JSON."""
    said: dict[str, str] = {}
    # A typed dict knows only by `__orig_bases__` what it was derived from.
    for base in (*kind.__bases__, *getattr(kind, "__orig_bases__", ())):
        if isinstance(base, type) and base.__module__.startswith("onward."):
            said |= fields(base)
    said |= _own_fields(kind)
    if issubclass(kind, msgspec.Struct):
        names = {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
        return {names.get(name, name): text for name, text in said.items()}
    return said


def marked(text: str) -> tuple[str, bool]:
    """`(text, ours)`: a docstring without its mark, and whether it had one."""
    found = OURS.match(text)
    if found is None:
        return text, False
    rest = text[found.end() :]
    return rest[:1].upper() + rest[1:], True


def paragraphs(text: str) -> list[str]:
    """Of a docstring, each in one line."""
    return [" ".join(each.split()) for each in re.split(r"\n\s*\n", inspect.cleandoc(text)) if each.strip()]


@cache
def _own_fields(kind: type) -> dict[str, str]:
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}  # made without source: nothing is said of it
    said: dict[str, str] = {}
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for statement, after in pairwise(body):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            said[statement.target.id] = "\n\n".join(paragraphs(after.value.value))
    return said
