"""Files into S3: their keys and the PUT (shared by the two S3 destinations)."""

import hashlib
import re
from typing import Any

import msgspec

from onward.destinations.aws.client import send
from onward.destinations.aws.credentials import credentials, forget
from onward.destinations.aws.endpoints import Service, domain, is_region
from onward.destinations.aws.errors import EXPIRED, AwsError
from onward.destinations.aws.fields import access, setting_fields
from onward.destinations.aws.sigv4 import encode_path
from onward.destinations.definition import Call, Field
from onward.destinations.outcome import DELIVERED, Outcome, discarded

LONGEST_KEY = 1024
"""Bytes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html)."""
TIMEOUT = 60.0
"""Seconds for one upload."""
MAX_BYTES = 16_000_000
"""Of the payloads of one file, as JSON. Three batches of a destination are in memory at once."""
PROBE = "onward-connection-test.txt"

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_HOST_LABEL = re.compile(r"[a-z0-9-]{3,63}")

SETTINGS: dict[str, Field] = {
    "s3_aws_bucket_name": Field(
        label="AWS Bucket Name", description="The bucket that the files are written to.", required=True
    ),
    "s3_aws_region": Field(
        label="AWS Region Code",
        description="The region that the bucket is in, such as eu-west-1.",
        required=True,
    ),
    **setting_fields(needs="s3:PutObject on the bucket"),
}


class File(msgspec.Struct, frozen=True):
    key: str
    body: bytes
    sha256: str
    content_type: str


def in_folder(folder: Any, name: str) -> str:
    """The object's key."""
    folder = str(folder or "")
    return f"{folder}{name}" if not folder or folder.endswith("/") else f"{folder}/{name}"


async def put(call: Call, file: File) -> Outcome:
    """Writes one object; what is there under its key is replaced."""
    try:
        await _put(call, file)
    except AwsError as error:
        return error.outcome
    return DELIVERED


async def test(call: Call) -> str | None:
    """Writes a small object, as the right to do that is what delivery needs."""
    body = b"Onward can write to this bucket.\n"
    file = File(PROBE, body, hashlib.sha256(body).hexdigest(), "text/plain")
    outcome = await put(call, file)
    return None if outcome is DELIVERED else f"writing {PROBE} failed: {outcome.code}: {outcome.message}"


async def _put(call: Call, file: File) -> None:
    key = file.key.encode("utf-8", "replace").decode()
    if not 0 < len(key.encode()) <= LONGEST_KEY:
        raise AwsError(
            discarded("MESSAGE_REJECTED", f"the object's key {key[:80]!r} is longer than {LONGEST_KEY} bytes")
        )
    region = str(call.settings.get("s3_aws_region") or "").strip()
    bucket = str(call.settings.get("s3_aws_bucket_name") or "").strip()
    if not is_region(region):
        raise AwsError(
            discarded("INVALID_SETTINGS", f"s3_aws_region is {region[:50]!r}, not a region such as eu-west-1")
        )
    if not _BUCKET.fullmatch(bucket):
        raise AwsError(
            discarded("INVALID_SETTINGS", f"s3_aws_bucket_name is {bucket[:70]!r}, not a bucket's name")
        )
    base, prefix = _address(bucket, region, access(call.settings).endpoint_url)
    signing = await credentials(call, region)
    try:
        await send(
            call,
            Service("s3", region, base),
            signing,
            method="PUT",
            path=f"{prefix}/{encode_path(key)}",
            headers={"content-type": file.content_type},
            body=file.body,
            body_sha256=file.sha256,
            timeout=max(call.timeout, TIMEOUT),
        )
    except AwsError as error:
        if error.code in EXPIRED:
            forget(call)
        raise


def _address(bucket: str, region: str, endpoint: str) -> tuple[str, str]:
    """Base address and path of a bucket: a host of its own where its name can be a label of AWS's."""
    if endpoint:
        return endpoint.rstrip("/"), f"/{bucket}"
    host = f"s3.{region}.{domain(region)}"
    if _HOST_LABEL.fullmatch(bucket):
        return f"https://{bucket}.{host}", ""
    return f"https://{host}", f"/{bucket}"
