"""Signed requests to AWS, through Onward's egress.

Whatever goes wrong is an `AwsError` with the outcome in it, so that an action has one thing to catch.
"""

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from onward.destinations.aws.endpoints import Service
from onward.destinations.aws.errors import AwsError, from_answer
from onward.destinations.aws.sigv4 import Credentials, sign
from onward.destinations.definition import Call, Json
from onward.destinations.outcome import from_error, retry
from onward.egress.http import EgressError, Request, Response
from onward.egress.url import parse


async def send(
    call: Call,
    service: Service,
    credentials: Credentials,
    *,
    method: str = "POST",
    path: str = "/",
    headers: Mapping[str, str],
    body: bytes = b"",
    body_sha256: str = "",
    timeout: float = 0.0,
) -> Response:
    """A 2xx answer. `path` is percent-encoded; `timeout` defaults to the call's. Raises `AwsError`.

    Redirects are not followed: the signature holds for one host only.
    """
    url = f"{service.base}{path}"
    try:
        target = parse(url)
        where, _, query = target.path.partition("?")
        signature = sign(
            credentials,
            service=service.name,
            region=service.region,
            method=method,
            authority=target.authority,
            path=where,
            query=query,
            headers=headers,
            body_sha256=body_sha256 or hashlib.sha256(body).hexdigest(),
            now=time.time(),
        )
        response = await call.http.send(
            Request(
                method=method,
                url=url,
                headers={**headers, **signature},
                body=body,
                timeout=timeout or call.timeout,
                follow_307=False,
            )
        )
    except EgressError as error:
        raise AwsError(from_error(error)) from None
    if 200 <= response.status < 300:
        return response
    raise from_answer(response, time.time())


async def ask(
    call: Call, service: Service, credentials: Credentials, target: str, arguments: Json, version: str = "1.1"
) -> dict[str, Any]:
    """One operation of an API that speaks AWS JSON, such as `Kinesis_20131202.PutRecords`.

    Raises `AwsError`, also if the answer is not what such an API answers.
    """
    response = await send(
        call,
        service,
        credentials,
        headers={"content-type": f"application/x-amz-json-{version}", "x-amz-target": target},
        body=orjson.dumps(arguments),
    )
    try:
        answer = msgspec.json.decode(response.body or b"{}")
    except msgspec.DecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise AwsError(retry(str(response.status), f"{service.base} did not answer as {service.name} does"))
    return answer
