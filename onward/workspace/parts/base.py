"""What all parts of a document share: strict shapes, variables for secrets, what a part is about."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from onward.workspace.errors import Conflict, Invalid
from onward.workspace.secrets import MASK

Json = dict[str, Any]
P = TypeVar("P")
E = TypeVar("E")


class Part(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    pass


@dataclass(frozen=True, kw_only=True)
class Options:
    environment: Mapping[str, str]
    prune: bool = False


VARIABLE = re.compile(r"(\$+)\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A whole value such as `${TOKEN}` stands for a variable; `$${TOKEN}` for the text `${TOKEN}`."""


def variable(*words: str) -> str:
    """What stands for a secret, such as `${WEBSITE_MY_WEBHOOK_SHARED_SECRET}`."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", " ".join(words))
    name = re.sub(r"[^A-Z0-9]+", "_", split.upper()).strip("_")
    return f"${{{name if not name[:1].isdigit() else f'_{name}'}}}"


def written(settings: Mapping[str, Any], secrets: Iterable[str], *words: str) -> Json:
    """Settings for a document, each secret a variable named after `words` and itself."""
    values = {name: _escaped(value) for name, value in settings.items()}
    return dict(sorted((values | {name: variable(*words, name) for name in secrets}).items()))


def resolved(settings: Mapping[str, Any], secrets: Container[str], options: Options, *words: str) -> Json:
    """Settings with variables replaced. An unset one keeps the secret that `written` wrote it for."""
    values = dict(settings)
    for name, value in settings.items():
        found = VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            continue
        if len(found[1]) > 1:
            values[name] = value[1:]
        elif found[2] in options.environment:
            values[name] = options.environment[found[2]]
        elif name in secrets and value == variable(*words, name):
            values[name] = MASK
        else:
            raise Invalid(f"the environment variable {found[2]} is not set", field=f"settings.{name}")
    return values


def canonical(name: Callable[[Any], str]) -> Callable[[Any], tuple[str, bytes]]:
    """Orders parts of one kind by name, and those of one name by content."""
    return lambda part: (name(part), msgspec.json.encode(part, order="deterministic"))


def paired(
    parts: Sequence[P], there: Sequence[tuple[P, E]], name: Callable[[P], str]
) -> tuple[list[E | None], list[E]]:
    """For each part the thing it is about, or None; and the things that no part is about.

    Names need not be unique, so of things with one name those that are as the document wants them are
    found first, and the others in their order.
    """
    rest = list(there)
    found: dict[int, E] = {}
    for same in (lambda part, other: part == other, lambda part, other: name(part) == name(other)):
        for index, part in enumerate(parts):
            match = next((pair for pair in rest if index not in found and same(part, pair[0])), None)
            if match is not None:
                found[index] = match[1]
                rest.remove(match)
    return [found.get(index) for index in range(len(parts))], [entity for _, entity in rest]


def portions(items: Sequence[E], most: int) -> Iterator[Sequence[E]]:
    """The items, at most so many at a time."""
    for start in range(0, len(items), most):
        yield items[start : start + most]


def refuse_twins(where: str, keys: Sequence[str]) -> None:
    seen = set()
    for index, key in enumerate(keys):
        if key in seen:
            raise Conflict(f"{key} is in the document twice", field=f"{where}[{index}]")
        seen.add(key)


def only(found: Sequence[E], what: str, name: str, field: str) -> E:
    """The one thing of a name; raises `Invalid` if there is none, or more than one."""
    if len(found) != 1:
        raise Invalid(
            f"there is no {what} {name}" if not found else f"there are {len(found)} {what}s named {name}",
            field=field,
        )
    return found[0]


def _escaped(value: Any) -> Any:
    return f"${value}" if isinstance(value, str) and VARIABLE.fullmatch(value) else value
