"""Every destination that Onward can deliver to."""

from collections.abc import Mapping
from types import MappingProxyType

from onward.destinations import segment, webhook
from onward.destinations.definition import Definition

CATALOG: Mapping[str, Definition] = MappingProxyType(
    {definition.slug: definition for definition in (webhook.DEFINITION, segment.DEFINITION)}
)
"""Definitions by slug."""

_BY_ID = {definition.id: definition for definition in CATALOG.values()}


class UnknownDestinationError(LookupError):
    """No such entry; the message names what was asked for and what there is."""


def get(slug: str) -> Definition:
    """The definition with this slug, such as `actions-webhook`; raises `UnknownDestinationError`."""
    try:
        return CATALOG[slug]
    except KeyError:
        known = ", ".join(sorted(CATALOG))
        raise UnknownDestinationError(f"the catalogue has no destination {slug!r}; it has: {known}") from None


def by_id(metadata_id: str) -> Definition:
    """The definition with this metadataId of the Public API; raises `UnknownDestinationError`."""
    try:
        return _BY_ID[metadata_id]
    except KeyError:
        known = ", ".join(f"{definition.id} ({definition.slug})" for definition in CATALOG.values())
        raise UnknownDestinationError(
            f"the catalogue has no destination with metadataId {metadata_id!r}; it has: {known}"
        ) from None
