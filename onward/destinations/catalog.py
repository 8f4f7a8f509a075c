"""Every destination that Onward can deliver to: those of its own, and Segment's open-source ones.

Where there are both, Onward's own answers: it has the same slug, actions and fields, and is faster.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from onward.destinations import (
    amazon_eventbridge,
    amplitude,
    aws_kinesis,
    aws_s3,
    aws_sqs,
    google_ads_lists,
    google_analytics_4,
    google_cloud_pubsub,
    http_api,
    kafka,
    mixpanel,
    pinterest_audiences,
    s3,
    segment,
    sftp,
    webhook,
)
from onward.destinations.bridge import definitions
from onward.destinations.definition import Definition

NATIVE: tuple[Definition, ...] = (
    webhook.DEFINITION,
    segment.DEFINITION,
    kafka.DEFINITION,
    sftp.DEFINITION,
    google_cloud_pubsub.DEFINITION,
    s3.DEFINITION,
    aws_s3.DEFINITION,
    aws_kinesis.DEFINITION,
    amazon_eventbridge.DEFINITION,
    aws_sqs.DEFINITION,
    pinterest_audiences.DEFINITION,
    google_ads_lists.DEFINITION,
    http_api.DEFINITION,
    amplitude.DEFINITION,
    mixpanel.DEFINITION,
    google_analytics_4.DEFINITION,
)
"""Onward's own, in Python."""


class UnknownDestinationError(KeyError):
    """No such entry; the message names what was asked for."""

    def __str__(self) -> str:
        return str(self.args[0])


class Catalogue(Mapping[str, Definition]):
    """Definitions by slug. Those of the bridge are made when they are asked for."""

    def __init__(
        self, bridged: Mapping[str, Definition] | None = None, native: Iterable[Definition] = NATIVE
    ) -> None:
        """`bridged`: by slug; an entry that is native too is left out."""
        self.native = {definition.slug: definition for definition in native}
        self._bridged: Mapping[str, Definition] = bridged or {}
        self._slugs = (*self.native, *(slug for slug in self._bridged if slug not in self.native))

    def __getitem__(self, slug: str) -> Definition:
        """Raises `UnknownDestinationError`."""
        found = self.native.get(slug) or self._bridged.get(slug)
        if found is None:
            there = f"{len(self)} others: `onward catalog list`"
            if not self._bridged:
                there += "; Segment's are not installed: `onward catalog update`, and a restart"
            raise UnknownDestinationError(f"the catalogue has no destination {slug!r} ({there})")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._slugs)

    def __len__(self) -> int:
        return len(self._slugs)


def open_catalogue(folder: Path) -> Catalogue:
    """The catalogue with what is installed in `folder` (`onward catalog update`), which may be nothing."""
    return Catalogue(definitions.load(folder))
