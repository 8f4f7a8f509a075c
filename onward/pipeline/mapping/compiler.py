"""Compile whole mappings: the root directive, the check, and what every run has in common."""

from collections.abc import Callable, Mapping
from typing import Any

from onward.pipeline.javascript import UNDEFINED, truthy, type_of
from onward.pipeline.mapping import directives  # noqa: F401 (registers the directives)
from onward.pipeline.mapping.errors import MappingError, Problem
from onward.pipeline.mapping.nodes import Mode, Resolver, compile_node, directive, failure, without_undefined
from onward.pipeline.mapping.validation import check_node
from onward.pipeline.types import Event

ROOT = "__segment_internal_directive"
"""A key whose directive takes the rest of the mapping as its `mapping` (spec §9.4)."""

Function = Callable[[Event], Any]


def validate(mapping: Any) -> list[Problem]:
    """What is wrong with a mapping, in the words of Segment's mapping kit; empty if nothing is."""
    if type(mapping) is not dict:
        return [Problem("/", f"should be an object but it is {type_of(mapping)}")]
    try:
        return check_node(with_root_directive(mapping), ())
    except MappingError as error:
        return [Problem("/", error.message)]
    except RecursionError:
        return [Problem("/", "is nested too deeply")]


def compile_mapping(mapping: Mapping[str, Any]) -> Function:
    problems = validate(mapping)
    if problems:
        raise MappingError(" ".join(map(str, problems)), problems)
    try:
        resolve = compile_node(with_root_directive(dict(mapping)), Mode.PAYLOAD)
    except RecursionError:
        raise MappingError("the mapping is nested too deeply") from None

    def run(event: Event) -> Any:
        if type(event) is not dict:
            raise MappingError(f"data must be an object, got {type_of(event)}")
        try:
            value = resolve(event)
        except RecursionError:
            raise MappingError("the event is nested too deeply for this mapping") from None
        return None if value is UNDEFINED else value

    return run


def with_root_directive(mapping: dict[str, Any]) -> dict[str, Any]:
    """The mapping that is meant where there is a root directive; a new object, nothing is changed."""
    if ROOT not in mapping:
        return mapping
    root = mapping[ROOT]
    if type(root) is dict and len(root) > 1:
        raise MappingError("The root mapping must only have a single directive object")
    name, options = next(iter(root.items()), ("", None)) if type(root) is dict else ("", None)
    if type(options) is list:
        return {name: options}
    if type(options) is not dict:
        raise MappingError("The root directive must be an object")
    return {name: {**options, "mapping": {key: value for key, value in mapping.items() if key != ROOT}}}


@directive("@transform")
def transform(options: Any, mode: Mode) -> Resolver:
    """Map the data to new data, and then that. A mapping within a mapping: checked as one when it runs."""
    if type(options) is not dict:
        return failure('@transform requires an object with an "apply" key and a "mapping" key')
    for key in ("mapping", "apply"):
        if not truthy(options.get(key)):
            return failure(f'@transform requires a "{key}" key')
    if type(options["apply"]) is not dict:
        return failure('@transform "apply" key should be an object')
    if problems := validate(options["apply"]):
        return failure(" ".join(map(str, problems)))
    apply = compile_node(with_root_directive(options["apply"]), Mode.RAW)
    resolve = compile_node(options["mapping"], Mode.RAW)

    def transformed(data: Any) -> Any:
        data = {} if data is UNDEFINED else data
        if type(data) is not dict:
            raise MappingError(f"data must be an object, got {type_of(data)}")
        value = resolve(without_undefined(apply(data), items=False))
        return value if mode is Mode.RAW else _visible(value, mode)

    return transformed


def _visible(value: Any, mode: Mode) -> Any:
    if mode is Mode.PAYLOAD:
        return without_undefined(value, items=True)
    if type(value) is dict:
        return {key: without_undefined(item, items=True) for key, item in value.items()}
    if type(value) is list:
        return [without_undefined(item, items=True) for item in value]
    return value
