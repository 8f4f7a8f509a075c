"""Functions to start from: `templates/*.js`, each with what is said of it as JSON in the comment at its top.

They are part of the product and of its tests: each runs there in the sandbox against a server.
"""

from functools import cache
from importlib.resources import files

import msgspec

from onward.workspace.function_catalogue import FunctionSetting
from onward.workspace.functions import Kind

KINDS: tuple[Kind, ...] = ("DESTINATION", "INSERT_DESTINATION", "SOURCE", "INSERT_SOURCE")


class Template(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    title: str
    description: str
    kind: Kind
    settings: list[FunctionSetting]
    code: str


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    description: str
    kind: Kind
    settings: list[FunctionSetting]


@cache
def templates() -> tuple[Template, ...]:
    """All, by kind and slug."""
    folder = files(__package__)
    found = [
        _read(file.name.removesuffix(".js"), file.read_text())
        for file in folder.iterdir()
        if file.name.endswith(".js")
    ]
    return tuple(sorted(found, key=lambda each: (KINDS.index(each.kind), each.slug)))


def find(slug: str) -> Template | None:
    return next((each for each in templates() if each.slug == slug), None)


def _read(slug: str, text: str) -> Template:
    head, _, code = text.removeprefix("/*").partition("*/\n")
    said = msgspec.json.decode(head, type=_Head)
    return Template(slug=slug, code=code, **msgspec.structs.asdict(said))
