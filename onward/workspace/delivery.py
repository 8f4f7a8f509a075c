"""The delivery policy of a destination, as people write it: camelCase, only what differs (spec §11)."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from onward.workspace.function_catalogue import is_function
from onward.workspace.snapshot import DeliveryPolicy

DAY = 24 * 3600


class Delivery(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Times in seconds; see `DeliveryPolicy` for what each means."""

    max_retries: Annotated[int, Meta(ge=0, le=1000)] | UnsetType = UNSET
    retry_window: Annotated[float, Meta(ge=0, le=7 * DAY)] | UnsetType = UNSET
    backoff_base: Annotated[float, Meta(gt=0, le=DAY)] | UnsetType = UNSET
    backoff_cap: Annotated[float, Meta(gt=0, le=DAY)] | UnsetType = UNSET
    timeout: Annotated[float, Meta(ge=0.05, le=600)] | UnsetType = UNSET
    concurrency: Annotated[int, Meta(ge=1, le=10_000)] | UnsetType = UNSET
    rate_limit: Annotated[float, Meta(gt=0)] | UnsetType | None = UNSET
    batch_wait: Annotated[float, Meta(ge=0, le=3600)] | UnsetType = UNSET
    bulk_wait: Annotated[float, Meta(ge=0, le=DAY)] | UnsetType = UNSET
    batch_bytes: Annotated[int, Meta(ge=1_000, le=15_000_000)] | UnsetType = UNSET


_DEFAULT = msgspec.structs.asdict(DeliveryPolicy())
_OF_FUNCTIONS = _DEFAULT | {"batch_wait": 10.0}
"""Spec §10.4."""
_CAMEL = {field.name: field.encode_name for field in msgspec.structs.fields(Delivery)}


def merge(definition: str, stored: dict[str, Any], change: Delivery) -> dict[str, Any]:
    """What is stored of a policy after a change: only values that differ from the default, which for a
    destination that is a function is another."""
    default = _default(definition)
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    return {name: value for name, value in (stored | given).items() if value != default[name]}


def policy_of(definition: str, stored: dict[str, Any]) -> DeliveryPolicy:
    return DeliveryPolicy(**(_default(definition) | stored))


def shown(stored: dict[str, Any], definition: str | None = None) -> dict[str, Any]:
    """A stored policy in camelCase; with the defaults if it is said of which definition."""
    values = stored if definition is None else _default(definition) | stored
    return {_CAMEL[name]: value for name, value in values.items()}


def _default(definition: str) -> dict[str, Any]:
    return _OF_FUNCTIONS if is_function(definition) else _DEFAULT
