"""The directives of mappings (spec §9.4), each compiled from its options to a resolver.

Options are looked at once, when the mapping is compiled. What Segment's engine would only notice while
running (a missing option inside an array, say) becomes a resolver that fails.
"""

from typing import Any

from onward.pipeline import liquid
from onward.pipeline.javascript import (
    UNDEFINED,
    entries,
    is_blank,
    parse_json,
    stringify,
    to_string,
    truthy,
    type_of,
    utf16_units,
)
from onward.pipeline.mapping import paths
from onward.pipeline.mapping.errors import MappingError
from onward.pipeline.mapping.nodes import (
    Mode,
    Resolver,
    compile_node,
    constant,
    directive,
    failure,
    without_undefined,
)
from onward.pipeline.mapping.replace import Replacer
from onward.pipeline.mapping.templates import compile_template


@directive("@path")
def path(value: Any, mode: Mode) -> Resolver:
    if type(value) is str:
        return paths.getter(paths.without_root(value))
    return _text_first("@path", value, lambda text, data: paths.get(data, paths.without_root(text)))


@directive("@template")
def template(value: Any, mode: Mode) -> Resolver:
    if type(value) is str:
        return compile_template(value)
    return _text_first("@template", value, lambda text, data: compile_template(text)(data))


def _text_first(name: str, value: Any, run: Any) -> Resolver:
    """A directive whose text is itself the result of a directive."""
    resolve = compile_node(value, Mode.PAYLOAD)

    def resolved(data: Any) -> Any:
        text = resolve(data)
        if type(text) is not str:
            raise MappingError(f"{name}: expected string, got {type_of(text)}")
        return run(text, data)

    return resolved


@directive("@literal")
def literal(value: Any, mode: Mode) -> Resolver:
    return compile_node(value, mode)


@directive("@liquid")
def liquid_template(value: Any, mode: Mode) -> Resolver:
    try:
        render = liquid.compile(value)
    except liquid.LiquidError as error:
        return failure(str(error))

    def rendered(data: Any) -> str:
        try:
            return render(data)
        except liquid.LiquidError as error:
            raise MappingError(str(error)) from None

    return rendered


@directive("@if")
def choose(options: Any, mode: Mode) -> Resolver:
    """`blank` holds when the value is *not* blank (spec §22.31); a falsy `else` counts as none."""
    if type(options) is not dict:
        return failure('@if requires an object with an "exists" key')
    if not truthy(options.get("exists", UNDEFINED)) and not truthy(options.get("blank", UNDEFINED)):
        return failure('@if requires an "exists" key or a "blank" key')
    then = compile_node(options.get("then", UNDEFINED), mode)
    otherwise = options.get("else", UNDEFINED)
    other = compile_node(otherwise, mode) if truthy(otherwise) else constant(UNDEFINED)
    if "exists" in options:
        condition = compile_node(options["exists"], Mode.PAYLOAD)
        if options["exists"] == options.get("then") and _is_plain_path(options["exists"]):
            return _coalesce(condition, other)

        def exists(data: Any) -> Any:
            value = condition(data)
            return other(data) if value is UNDEFINED or value is None else then(data)

        return exists
    condition = compile_node(options["blank"], Mode.PAYLOAD)

    def not_blank(data: Any) -> Any:
        value = condition(data)
        return other(data) if value is UNDEFINED or value is None or is_blank(value) else then(data)

    return not_blank


def _is_plain_path(node: Any) -> bool:
    """A path that is text, whose value is the same wherever it is asked for."""
    return type(node) is dict and len(node) == 1 and type(node.get("@path")) is str


def _coalesce(first: Resolver, other: Resolver) -> Resolver:
    """The common `if there is x then x else y`, without looking for x twice."""

    def coalesced(data: Any) -> Any:
        value = first(data)
        return other(data) if value is UNDEFINED or value is None else value

    return coalesced


@directive("@case")
def case(options: Any, mode: Mode) -> Resolver:
    if type(options) is not dict:
        return failure('@case requires an object with a "operator" key')
    operator = options.get("operator")
    if not truthy(operator):
        return failure('@case requires a "operator" key')
    if not truthy(options.get("value")):
        return constant(UNDEFINED)
    resolve = compile_node(options["value"], mode)

    def cased(data: Any) -> Any:
        value = resolve(data)
        if type(value) is not str:
            return value
        if operator == "lower":
            return value.lower()
        if operator == "upper":
            return value.upper()
        raise MappingError('operator key should have a value of "lower" or "upper"')

    return cased


@directive("@replace")
def replace(options: Any, mode: Mode) -> Resolver:
    if type(options) is not dict:
        return failure('@replace requires an object with a "pattern" key')
    if not truthy(options.get("pattern")):
        return failure('@replace requires a "pattern" key')
    if not truthy(options.get("value")):
        return constant(UNDEFINED)
    resolve = compile_node(options["value"], Mode.PAYLOAD)
    replacer = Replacer.of(options)

    def replaced(data: Any) -> str:
        value = resolve(data)
        if type(value) is bool or type(value) is int or type(value) is float:
            value = to_string(value)
        return replacer(value) if type(value) is str and replacer else ""

    return replaced


@directive("@arrayPath")
def array_path(value: Any, mode: Mode) -> Resolver:
    """A list whose items are each resolved with the item as the data; an object counts as one item."""
    if type(value) is not list:
        return failure(f"@arrayPath expected array, got {type_of(value)}")
    source = value[0] if value else UNDEFINED
    shape = value[1] if len(value) > 1 else UNDEFINED
    shaped = type(shape) is dict and bool(shape)
    find = (
        paths.getter(paths.without_root(source))
        if type(source) is str
        else compile_node(source, Mode.RAW if shaped else mode)
    )
    if not shaped:
        return find
    item = compile_node(shape, mode.inner)

    def items(data: Any) -> Any:
        root = find(data)
        if type(root) is dict:
            root = [root]
        if type(root) is not list:
            return root
        if mode is not Mode.PAYLOAD:
            return [item(element) for element in root]
        return [None if (made := item(element)) is UNDEFINED else made for element in root]

    return items


@directive("@flatten")
def flatten(options: Any, mode: Mode) -> Resolver:
    if type(options) is not dict:
        return failure('@flatten requires an object with a "separator" key')
    if not truthy(options.get("separator")):
        return failure('@flatten requires a "separator" key')
    separator = compile_node(options["separator"], Mode.PAYLOAD)
    resolve = compile_node(options.get("value", UNDEFINED), Mode.RAW)
    into_arrays = not truthy(options.get("omitArrays", UNDEFINED))
    keep = mode is not Mode.PAYLOAD

    def flattened(data: Any) -> dict[str, Any]:
        between = separator(data)
        if type(between) is not str:
            raise MappingError("@flatten requires a string separator")
        flat: dict[str, Any] = {}
        _flatten(resolve(data), "", between, into_arrays, flat)
        if mode is Mode.RAW:
            return flat
        return {
            key: without_undefined(value, items=True)
            for key, value in flat.items()
            if keep or value is not UNDEFINED
        }

    return flattened


def _flatten(value: Any, prefix: str, separator: str, into_arrays: bool, flat: dict[str, Any]) -> None:
    if type(value) is dict:
        members = entries(value)
    elif type(value) is list and into_arrays:
        members = ((str(at), item) for at, item in enumerate(value))
    else:
        flat[prefix] = value
        return
    for key, item in members:
        _flatten(item, f"{prefix}{separator}{key}" if prefix else key, separator, into_arrays, flat)


@directive("@json")
def json(options: Any, mode: Mode) -> Resolver:
    if type(options) is not dict:
        return failure('@json requires an object with a "value" key')
    encoding = options.get("mode")
    if not truthy(encoding):
        return failure('@json requires a "mode" key')
    if not truthy(options.get("value")):
        return failure('@json requires a "value" key')
    resolve = compile_node(options["value"], mode)
    if encoding == "encode":
        return lambda data: stringify(resolve(data))
    if encoding == "decode":
        return lambda data: _decode(resolve(data))

    def neither(data: Any) -> Any:
        resolve(data)  # for its errors
        return UNDEFINED

    return neither


def _decode(value: Any) -> Any:
    """Text that isn't JSON stays as it is."""
    if type(value) is not str:
        return value
    try:
        return parse_json(value)
    except ValueError:
        return value


@directive("@merge")
def merge(options: Any, mode: Mode) -> Resolver:
    """Later objects win; with direction `left`, earlier ones. Strings and arrays merge by their indexes."""
    if type(options) is not dict:
        return failure('@merge requires an object with an "objects" key and a "direction" key')
    if not truthy(options.get("direction")):
        return failure('@merge requires a "direction" key')
    if not truthy(options.get("objects")):
        return failure('@merge requires a "objects" key')
    if type(options["objects"]) is not list:
        return failure(f"@merge: expected opts.array, got {type_of(options['objects'])}")
    direction = compile_node(options["direction"], Mode.PAYLOAD)
    inner = Mode.RAW if mode is Mode.RAW else Mode.MEMBERS
    sources = [compile_node(item, inner) for item in options["objects"]]
    keep = mode is not Mode.PAYLOAD

    def merged(data: Any) -> dict[str, Any]:
        objects = [source(data) for source in sources]
        if direction(data) == "left":
            objects.reverse()
        result: dict[str, Any] = {}
        for value in objects:
            if type(value) is dict:
                result.update(value)
            elif type(value) is list or type(value) is str:
                items = utf16_units(value) if type(value) is str else value
                result.update((str(at), item) for at, item in enumerate(items))
        if keep or UNDEFINED not in result.values():
            return result
        return {key: value for key, value in result.items() if value is not UNDEFINED}

    return merged


@directive("@excludeWhenNull")
def exclude_when_null(value: Any, mode: Mode) -> Resolver:
    resolve = compile_node(value, mode)
    keep = mode is not Mode.PAYLOAD

    def excluded(data: Any) -> Any:
        found = resolve(data)
        return UNDEFINED if found is None else _without_nulls(found, keep)

    return excluded


def _without_nulls(value: Any, keep: bool) -> Any:
    if type(value) is not dict:
        return value
    if keep:
        return {key: UNDEFINED if item is None else _without_nulls(item, keep) for key, item in value.items()}
    return {key: _without_nulls(item, keep) for key, item in value.items() if item is not None}
