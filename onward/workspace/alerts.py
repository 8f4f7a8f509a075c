"""Alerts: what they can be about, where they can be said, and how they are edited (spec §12.6).

Addresses that let in whoever knows them (of a webhook, of Slack) are secrets: sealed, and shown as a mask,
which may be sent back to keep them.
"""

import math
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.destinations import get_destination
from onward.workspace.entities import Alert
from onward.workspace.errors import Invalid, NotFound
from onward.workspace.names import check_name
from onward.workspace.secrets import MASK, Cipher
from onward.workspace.sources import get_source
from onward.workspace.store import Editor

KindName = Literal[
    "DELIVERY_RATE",
    "SOURCE_VOLUME",
    "SOURCE_SILENT",
    "BREAKER_OPEN",
    "BACKLOG_AGE",
    "FUNCTION_QUOTA",
    "DISK_FREE",
]
ChannelType = Literal["EMAIL", "SLACK", "WEBHOOK", "IN_APP"]
SECRET_CHANNELS = ("SLACK", "WEBHOOK")
MOST_CHANNELS = 10
DAY = 24 * 60
EMAIL = re.compile(r"[^@\s,;<>]{1,64}@[A-Za-z0-9.-]{1,255}")


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule can be about."""

    about: Literal["SOURCE", "DESTINATION", "WORKSPACE", "INSTALLATION"]
    means: str
    """What threshold and minutes mean."""
    threshold: float
    """Unless given."""
    least: float
    most: float
    minutes: int
    """Unless given."""


KINDS: dict[KindName, Kind] = {
    "DELIVERY_RATE": Kind(
        about="DESTINATION",
        means="Fewer than `threshold` percent of what came to an end in the last `minutes` was delivered.",
        threshold=95,
        least=0,
        most=100,
        minutes=DAY,
    ),
    "SOURCE_VOLUME": Kind(
        about="SOURCE",
        means="The last `minutes` brought `threshold` percent more or less than the same time before them.",
        threshold=50,
        least=1,
        most=100_000,
        minutes=DAY,
    ),
    "SOURCE_SILENT": Kind(
        about="SOURCE",
        means="A source that had events in the last 25 hours has had none for `minutes`.",
        threshold=0,
        least=0,
        most=0,
        minutes=60,
    ),
    "BREAKER_OPEN": Kind(
        about="DESTINATION",
        means="A destination has failed as a whole for `minutes`.",
        threshold=0,
        least=0,
        most=0,
        minutes=5,
    ),
    "BACKLOG_AGE": Kind(
        about="DESTINATION",
        means="An event has waited longer than `minutes` for its outcome.",
        threshold=0,
        least=0,
        most=0,
        minutes=60,
    ),
    "FUNCTION_QUOTA": Kind(
        about="WORKSPACE",
        means="Functions have used `threshold` percent of what they may use in a month.",
        threshold=80,
        least=1,
        most=100,
        minutes=1,
    ),
    "DISK_FREE": Kind(
        about="INSTALLATION",
        means="Less than `threshold` GiB are free on the disk.",
        threshold=5,
        least=0.1,
        most=1_000_000,
        minutes=1,
    ),
}


class Channel(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    type: ChannelType
    address: str | None = None
    """Of EMAIL an address, of SLACK and WEBHOOK an https:// URL, which shows as a mask; of IN_APP none."""


def get_alert(session: Session, workspace_id: str, id: str) -> Alert:
    """Raises `NotFound`."""
    alert = session.get(Alert, id)
    if alert is None or alert.workspace_id != workspace_id:
        raise NotFound(f"there is no alert {id}")
    return alert


def create_alert(
    editor: Editor,
    *,
    name: str,
    kind: KindName,
    channels: Sequence[Channel],
    source_id: str | None = None,
    destination_id: str | None = None,
    threshold: float | UnsetType = UNSET,
    minutes: int | UnsetType = UNSET,
    enabled: bool = True,
) -> Alert:
    known = KINDS[kind]
    alert = Alert(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        name=name,
        kind=kind,
        source_id=None,
        destination_id=None,
        threshold=known.threshold,
        minutes=known.minutes,
        enabled=enabled,
        channels=[],
        secrets={},
        created_at=editor.now,
        updated_at=editor.now,
    )
    _set(
        editor,
        alert,
        name=name,
        channels=channels,
        source_id=source_id,
        destination_id=destination_id,
        threshold=threshold,
        minutes=minutes,
    )
    editor.created(alert)
    return alert


def update_alert(
    editor: Editor,
    alert: Alert,
    *,
    name: str | UnsetType = UNSET,
    channels: Sequence[Channel] | UnsetType = UNSET,
    source_id: str | UnsetType | None = UNSET,
    destination_id: str | UnsetType | None = UNSET,
    threshold: float | UnsetType = UNSET,
    minutes: int | UnsetType = UNSET,
    enabled: bool | UnsetType = UNSET,
) -> bool:
    """Change what is given; whether anything differs. What it is about can't be changed."""
    before = audit.state(alert)
    if enabled is not UNSET:
        alert.enabled = enabled
    _set(
        editor,
        alert,
        name=name,
        channels=channels,
        source_id=source_id,
        destination_id=destination_id,
        threshold=threshold,
        minutes=minutes,
    )
    return editor.modified(alert, before)


def delete_alert(editor: Editor, alert: Alert) -> None:
    editor.deleted(alert)


def opened(alert: Alert, cipher: Cipher) -> list[Channel]:
    """Its channels with addresses in clear text."""
    return [
        Channel(
            type=each["type"],
            address=cipher.open_value(alert.secrets[str(at)], _identity(alert, at))
            if str(at) in alert.secrets
            else each["address"],
        )
        for at, each in enumerate(alert.channels)
    ]


def shown(alert: Alert) -> list[dict[str, Any]]:
    return [
        {**each, "address": mask(at) if str(at) in alert.secrets else each["address"]}
        for at, each in enumerate(alert.channels)
    ]


def mask(at: int) -> str:
    """How the address of a channel shows: told from those of others, so that it may be sent back at another
    place when channels before it are taken out."""
    return MASK if at == 0 else f"{MASK} {at + 1}"


def _set(
    editor: Editor,
    alert: Alert,
    *,
    name: str | UnsetType,
    channels: Sequence[Channel] | UnsetType,
    source_id: str | UnsetType | None,
    destination_id: str | UnsetType | None,
    threshold: float | UnsetType,
    minutes: int | UnsetType,
) -> None:
    known = KINDS[alert.kind]  # type: ignore[index]  # checked when it was made
    if name is not UNSET:
        check_name(name)
        alert.name = name
    if source_id is not UNSET:
        if source_id is not None:
            if known.about not in ("SOURCE", "DESTINATION"):
                raise Invalid(f"a {alert.kind} alert is about no source", field="sourceId")
            get_source(editor.session, alert.workspace_id, source_id)
        alert.source_id = source_id
    if destination_id is not UNSET:
        if destination_id is not None:
            if known.about != "DESTINATION":
                raise Invalid(f"a {alert.kind} alert is about no destination", field="destinationId")
            get_destination(editor.session, alert.workspace_id, destination_id)
        alert.destination_id = destination_id
    if alert.destination_id is not None:
        alert.source_id = None  # which source it is follows
    if threshold is not UNSET:
        if not math.isfinite(threshold) or not known.least <= threshold <= known.most:
            raise Invalid(f"this must be from {known.least:g} to {known.most:g}", field="threshold")
        alert.threshold = float(threshold)
    if minutes is not UNSET:
        if not 1 <= minutes <= 14 * DAY:
            raise Invalid("this must be from 1 to 20160 (14 days)", field="minutes")
        alert.minutes = minutes
    if channels is not UNSET:
        _set_channels(editor.cipher, alert, channels)


def _set_channels(cipher: Cipher, alert: Alert, channels: Sequence[Channel]) -> None:
    if len(channels) > MOST_CHANNELS:
        raise Invalid(f"at most {MOST_CHANNELS} channels are possible", field="channels")
    stored = opened(alert, cipher)
    masked = {mask(at): each for at, each in enumerate(stored) if str(at) in alert.secrets}
    kept: list[dict[str, Any]] = []
    secrets: dict[str, Any] = {}
    for at, channel in enumerate(channels):
        place, address = str(at), channel.address
        secret = channel.type in SECRET_CHANNELS
        if secret and address is not None and address.startswith(MASK):
            former = masked.get(address)
            if former is None or former.type != channel.type:
                raise Invalid("this is the mask of a secret, but none is stored", field=_field(at))
            address = former.address
        _check_address(channel.type, address, at)
        kept.append({"type": channel.type, "address": None if secret else address})
        if secret:
            unchanged = place in alert.secrets and stored[at].address == address
            identity = _identity(alert, at)
            secrets[place] = alert.secrets[place] if unchanged else cipher.seal_value(address, identity)
    alert.channels, alert.secrets = kept, secrets


def _check_address(type: ChannelType, address: str | None, at: int) -> None:
    if type == "IN_APP":
        if address is not None:
            raise Invalid("an in-app notification has no address", field=_field(at))
    elif type == "EMAIL":
        if address is None or not EMAIL.fullmatch(address):
            raise Invalid("this must be one e-mail address", field=_field(at))
    elif address is None or not re.fullmatch(r"https?://[^\s/]+\S*", address) or len(address) > 2000:
        raise Invalid("this must be a URL that begins with https://", field=_field(at))


def _field(at: int) -> str:
    return f"channels[{at}].address"


def _identity(alert: Alert, at: int) -> str:
    return f"alert/{alert.id}/{at}"
