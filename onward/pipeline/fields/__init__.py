"""An action's fields applied to a mapped payload: coercion and validation (spec §9.5, §9.6).

What Segment's actions-core does between mapping and action: empty values are dropped, single values become
lists where a field is `multiple`, types are coerced where that loses nothing, unknown keys go, and what is
still wrong is told in one sentence per fault. Payloads may share objects with events, so nothing is changed
in place: the result is a copy as far as it differs.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from onward.pipeline.fields.checks import Fault, ObjectCheck
from onward.pipeline.fields.quick import UNSETTLED, quick
from onward.pipeline.fields.spec import FieldLike, FieldSchema
from onward.pipeline.javascript import UNDEFINED, type_of

__all__ = ["FieldLike", "FieldSchema", "Invalid", "Validator", "compile_fields", "validate_payload"]


class Invalid(NamedTuple):
    """Why a payload can't be sent (`PAYLOAD_VALIDATION_FAILED`)."""

    message: str
    """A sentence for each fault: `Email must be a string but it was an object.`"""
    paths: tuple[str, ...]
    """The fields at fault, as JSON pointers."""

    def __str__(self) -> str:
        return self.message


Payload = dict[str, Any]
Validator = Callable[..., tuple[Payload, Invalid | None]]


def compile_fields(fields: Mapping[str, FieldLike]) -> Validator:
    """A function `(payload, *, batch=False) -> (payload, problem)`, to be made once per action.

    For events that are sent one by one, empty strings at the top are dropped; for those in a batch they
    stay. With a problem, the payload is of no use. Raises ValueError for a field that makes no sense.
    """
    if not fields:
        return lambda payload, *, batch=False: (payload, None)
    root = ObjectCheck(fields)
    members = {key: (member.plain, quick(member)) for key, member in root.members.items()}
    required = frozenset(root.required)

    def validate(payload: Any, *, batch: bool = False) -> tuple[Payload, Invalid | None]:
        if root.conditionals or type(payload) is not dict:
            return _in_full(root, payload, batch)
        checked = {}
        for key, value in payload.items():
            member = members.get(key)
            if member is None:
                continue
            plain, settle = member
            if type(value) is not plain or not value:
                if value == "" and not batch:
                    continue
                value = settle(value)
                if value is UNDEFINED:
                    continue
                if value is UNSETTLED:
                    return _in_full(root, payload, batch)
            checked[key] = value
        if required <= checked.keys():
            return checked, None
        return _in_full(root, payload, batch)

    return validate


def _in_full(root: ObjectCheck, payload: Any, batch: bool) -> tuple[Payload, Invalid | None]:
    """The steps one after the other, for payloads with conditions or faults: it gives faults their order."""
    if type(payload) is not dict:
        return payload, _invalid([Fault("", _not_an_object(payload))])
    pruned = root.prune(payload, empty_text=not batch)
    for key, value in pruned.items():
        if (member := root.members.get(key)) and member.item and type(value) is not list:
            pruned[key] = [value]
    faults: list[Fault] = []
    checked = root.check(pruned, "", faults)
    return checked, _invalid(faults) if faults else None


def validate_payload(
    fields: Mapping[str, FieldLike], payload: Payload, *, batch: bool = False
) -> tuple[Payload, Invalid | None]:
    """`compile_fields` and its function in one, for previews."""
    return compile_fields(fields)(payload, batch=batch)


def _not_an_object(payload: Any) -> str:
    kind = type_of(payload)
    found = "undefined" if payload is None else f"{'an' if kind == 'array' else 'a'} {kind}"
    return f"the root value must be an object but it was {found}"


def _invalid(faults: list[Fault]) -> Invalid:
    sentences = [f"{fault.message[:1].upper()}{fault.message[1:]}." for fault in faults]
    return Invalid(" ".join(sentences), tuple(dict.fromkeys(fault.path for fault in faults)))
