"""`GET /v1/projects/{writeKey}/settings`: what analytics.js and the mobile SDKs ask for first (spec §18.1).

There are no device-mode destinations, so the only integration is Segment.io: where to send.
"""

import hashlib
import re

import orjson

from onward.pipeline.governance import Governance
from onward.tracking.answers import JSON, NO_SUCH_KEY, Answer, answer
from onward.workspace.snapshot import Source

PATH = re.compile(r"/v1/projects/([^/]{1,765})/settings")
MAX_AGE = 60
"""Seconds that browsers may keep the settings."""

_HOST = re.compile(rb"[A-Za-z0-9._\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


def settings(source: Source | None, key: str, host: bytes, scheme: str, known: bytes | None) -> Answer:
    """The settings of the source with this write key, as seen from the host that was asked.

    `known` is the request's If-None-Match; a 404 answers keys that no source has.
    """
    if source is None:
        return NO_SUCH_KEY
    seen_as = host.decode() if _HOST.fullmatch(host) else "localhost"
    body = orjson.dumps(document(key, seen_as, scheme, source.governance))
    etag = b'"%s"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()
    headers = ((b"etag", etag), (b"cache-control", b"public, max-age=%d" % MAX_AGE))
    if known is not None and (known.strip() == b"*" or etag in known):
        return Answer(304, b"", headers, cached=True)
    return answer(200, body, JSON, *headers)._replace(cached=True)


def document(key: str, host: str, scheme: str, governance: Governance | None = None) -> dict[str, object]:
    """The settings document."""
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": f"{host}/v1",
                "protocol": scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "bundledConfigIds": [],
                "unbundledConfigIds": [],
                "maybeBundledConfigIds": {},
                "retryQueue": True,
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": plan(governance),
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }


def plan(governance: Governance | None) -> dict[str, dict[str, object]]:
    """Which events libraries keep from device-mode destinations, and from which (spec §5).

    That is unplanned events, where they are blocked, and the toggles of the schema. What a library keeps
    back it still sends here, where it is blocked with its code.
    """
    track: dict[str, object] = {"__default": {"enabled": True, "integrations": {}}}
    found: dict[str, dict[str, object]] = {
        "track": track,
        "identify": {"__default": {"enabled": True}},
        "group": {"__default": {"enabled": True}},
    }
    if governance is None:
        return found
    planned: set[str] | None = None
    if governance.plan is not None and not governance.track.allow_unplanned_events:
        planned = {rule.key for rule in governance.plan.rules if rule.kind == "TRACK"}
        track["__default"] = {"enabled": False, "integrations": {}}
        track.update({name: {"enabled": True, "integrations": {}} for name in sorted(planned)})
    for event in governance.events:
        if planned is not None and event.kind == "TRACK":
            enabled = event.name in planned
        else:
            enabled = event.enabled or governance.plan is not None
        shown = {"enabled": enabled, "integrations": event.integrations}
        if event.kind == "TRACK":
            track[event.name] = shown
        elif event.kind in ("IDENTIFY", "GROUP"):
            found[event.kind.lower()]["__default"] = shown
    return found
