"""Credentials for a call: the destination's own key, or those of the role that it names.

A role is assumed by AWS STS with the destination's key if it has one, else with Onward's own
(`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` of its environment). Onward's own key does
nothing else: it signs no other request, it asks for no role without an external ID, and it goes to AWS or to
`AWS_ENDPOINT_URL_STS` only, so that nobody who may add a destination gets more than the role's owner gave.

What STS gave is kept until five minutes before its end; a refusal is kept for a moment, so that a wrong role
costs one request in five seconds. Any number of calls wait for the same request. If the process dies here,
the next one asks STS again.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import msgspec

from onward.destinations.aws.client import send
from onward.destinations.aws.endpoints import Service, is_aws, service
from onward.destinations.aws.errors import AwsError, element
from onward.destinations.aws.fields import Access, access
from onward.destinations.aws.sigv4 import Credentials
from onward.destinations.definition import Call
from onward.destinations.outcome import discarded, retry
from onward.pipeline.timestamps import parse

EARLY = 300.0
"""Seconds before their end at which credentials are no longer used."""
REFUSED = 5.0
"""Seconds that a refusal is kept."""
MOST = 1000
"""Roles that are kept; there is one for each destination at most."""

_FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


class _Assumed(msgspec.Struct):
    task: "asyncio.Task[tuple[Credentials, float]]"
    until: float = float("inf")
    """When it is asked for again, on the clock of the epoch; infinite while it is under way."""


_Key = tuple[str, str, str, str]
_roles: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, _Assumed]]" = WeakKeyDictionary()


async def credentials(call: Call, region: str, *, environment: Mapping[str, str] = os.environ) -> Credentials:
    """What to sign a request in the region with. Raises `AwsError`."""
    found = access(call.settings)
    own = Credentials(found.access_key_id, found.secret_access_key) if found.access_key_id else None
    if not found.role_arn and own is not None:
        return own
    base = own or _environments(environment)
    if own is None and not found.external_id:
        raise AwsError(
            discarded("INVALID_SETTINGS", "the external ID is empty; a role is assumed with one only")
        )
    sts = service("sts", region, _endpoint(found, environment, own is not None))
    key = (found.role_arn, found.external_id, base.access_key_id, sts.base)
    roles = _roles.setdefault(asyncio.get_running_loop(), {})
    role = roles.get(key)
    if role is None or role.until <= time.time():
        if len(roles) >= MOST:
            roles.clear()
        role = roles[key] = _Assumed(asyncio.create_task(_assume(call, sts, base, found)))
        role.task.add_done_callback(lambda task: _keep(role, task))
    assumed, _ = await asyncio.shield(role.task)
    return assumed


def forget(call: Call) -> None:
    """Ask STS again next time: AWS says that what it gave is over."""
    roles = _roles.get(asyncio.get_running_loop(), {})
    found = access(call.settings)
    for key in [key for key in roles if key[:2] == (found.role_arn, found.external_id)]:
        if roles[key].task.done():
            del roles[key]


def _keep(role: _Assumed, task: "asyncio.Task[tuple[Credentials, float]]") -> None:
    if task.cancelled():
        role.until = 0.0
    elif task.exception() is not None:
        role.until = time.time() + REFUSED
    else:
        role.until = task.result()[1] - EARLY


def _environments(environment: Mapping[str, str]) -> Credentials:
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        raise AwsError(
            discarded(
                "INVALID_SETTINGS",
                "Onward has no AWS key to assume the role with: start it with AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or give the destination an access key",
            )
        )
    return Credentials(key, secret, environment.get("AWS_SESSION_TOKEN", ""))


def _endpoint(found: Access, environment: Mapping[str, str], own_key: bool) -> str:
    """Where STS is: with the service that stands in for AWS only if the key is the destination's."""
    if own_key and found.endpoint_url and not is_aws(found.endpoint_url):
        return found.endpoint_url
    return environment.get("AWS_ENDPOINT_URL_STS", "")


async def _assume(call: Call, sts: Service, base: Credentials, found: Access) -> tuple[Credentials, float]:
    """The role's credentials and when they end, in seconds since the epoch. Raises `AwsError`."""
    form = {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": found.role_arn,
        "RoleSessionName": f"onward-{call.destination_id}"[:64],
    }
    if found.external_id:
        form["ExternalId"] = found.external_id
    response = await send(call, sts, base, headers=_FORM, body=urlencode(form).encode())
    text = response.body.decode("utf-8", "replace")
    given = [element(text, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    if not all(given):
        raise AwsError(retry("503", f"{sts.base} gave no credentials for {found.role_arn}"))
    end = parse(element(text, "Expiration"))
    return Credentials(*given), end / 1000 if end is not None else time.time() + 3600


async def who_am_i(call: Call, region: str) -> str:
    """The ARN that requests are made as. Raises `AwsError`."""
    signing = await credentials(call, region)
    found = access(call.settings)
    sts = service("sts", region, _endpoint(found, os.environ, bool(found.access_key_id)))
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    response = await send(call, sts, signing, headers=_FORM, body=body)
    return element(response.body.decode("utf-8", "replace"), "Arn")
