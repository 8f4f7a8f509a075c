"""From an event to the payload that an action gets: the mapping, then the action's fields (spec §9.6).

Both in one pass where it can be known beforehand that this comes to the same: each member is settled as soon
as it is resolved, and constants are settled once, when it is compiled. Whatever is out of order with an
event is left to the two steps one after the other, which word it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from onward.pipeline import mapping as mappings
from onward.pipeline.fields import FieldLike, Invalid, compile_fields
from onward.pipeline.fields.checks import ObjectCheck
from onward.pipeline.fields.coercion import coerce, fits
from onward.pipeline.fields.quick import UNSETTLED, quick
from onward.pipeline.javascript import UNDEFINED
from onward.pipeline.mapping import MappingError
from onward.pipeline.mapping.compiler import ROOT
from onward.pipeline.mapping.nodes import Mode, Resolver, compile_node
from onward.pipeline.mapping.nodes import is_static as is_constant
from onward.pipeline.mapping.reserved import without_reserved
from onward.pipeline.mapping.validation import is_directive
from onward.pipeline.types import Event

Builder = Callable[[Event], Any]
"""From an event to a payload. Raises MappingError, and RejectedError if the fields don't take it."""


class RejectedError(MappingError):
    """A payload that the action's fields don't take."""

    def __init__(self, invalid: Invalid) -> None:
        super().__init__(invalid.message)
        self.invalid = invalid


def compile(
    mapping: Mapping[str, Any], fields: Mapping[str, FieldLike] | None, *, batches: bool = False
) -> Builder:
    """A function for every event, to be made once per subscription.

    Without `fields` payloads are as the mapping makes them. `batches` says whether the action takes several
    payloads at once: if the payload asks for that, empty texts stay. Raises ValueError for a mapping that
    isn't valid and for fields that make no sense.
    """
    mapping = without_reserved(mapping)
    exact = _in_two_steps(mapping, fields, batches)
    return _in_one_pass(mapping, fields, batches, exact) or exact if fields else exact


def _in_two_steps(
    mapping: Mapping[str, Any], fields: Mapping[str, FieldLike] | None, batches: bool
) -> Builder:
    build = mappings.compile(mapping)
    if fields is None:
        return build
    validate = compile_fields(fields)

    def exact(event: Event) -> Any:
        payload = build(event)
        if type(payload) is not dict:
            return payload
        payload, invalid = validate(payload, batch=batches and is_batched(payload))
        if invalid is not None:
            raise RejectedError(invalid)
        return payload

    return exact


def is_batched(payload: Mapping[str, Any]) -> bool:
    """Whether a payload asks to be sent with others."""
    asked = payload.get("enable_batching")
    return asked is True or (not fits(asked, ("boolean",)) and coerce(asked, ("boolean",)) == (True, True))


def _in_one_pass(
    mapping: dict[str, Any], fields: Mapping[str, FieldLike], batches: bool, exact: Builder
) -> Builder | None:
    """None where the steps must follow each other for every event."""
    root = ObjectCheck(fields)
    if ROOT in mapping or is_directive(mapping) or root.conditionals:
        return None
    if not is_constant(mapping.get("enable_batching")):
        return None
    batch = batches and is_batched(mapping)
    required = frozenset(root.required)
    shape: dict[str, Any] = {}
    members: list[tuple[str, Resolver, type | None, Callable[[Any], Any]]] = []
    unknown: list[Resolver] = []
    for key, node in mapping.items():
        check = root.members.get(key)
        if check is None:
            if not is_constant(node):
                unknown.append(compile_node(node, Mode.PAYLOAD))
        elif is_constant(node):
            value = UNDEFINED if node == "" and not batch else quick(check)(node)
            if value is UNSETTLED:
                return None
            if value is not UNDEFINED:
                shape[key] = value
        else:
            shape[key] = UNDEFINED
            members.append((key, compile_node(node, Mode.PAYLOAD), check.plain, quick(check)))
    if not required <= shape.keys():
        return None

    def build(event: Event) -> Any:
        if type(event) is not dict:
            return exact(event)
        built = shape.copy()
        try:
            for key, resolve, plain, settle in members:
                value = resolve(event)
                if type(value) is not plain or not value:
                    if value is not UNDEFINED:
                        value = UNDEFINED if value == "" and not batch else settle(value)
                    if value is UNDEFINED:
                        if key in required:
                            return exact(event)
                        del built[key]
                        continue
                    if value is UNSETTLED:
                        return exact(event)
                built[key] = value
            for resolve in unknown:
                resolve(event)  # an action doesn't know it, but it may fail
        except (MappingError, RecursionError):
            return exact(event)
        return built

    return build
