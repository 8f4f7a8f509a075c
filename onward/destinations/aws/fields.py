"""The settings by which a destination gets into an AWS account, and what they say."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from onward.destinations.aws.errors import AwsError
from onward.destinations.definition import Field
from onward.destinations.outcome import discarded

ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_\-/]+")

_WITHOUT_KEYS = {"match": "all", "conditions": [{"fieldKey": "access_key_id", "operator": "is"}]}
_WITH_KEYS = {"match": "all", "conditions": [{"fieldKey": "access_key_id", "operator": "is_not"}]}


class Access(msgspec.Struct, frozen=True, kw_only=True):
    role_arn: str = ""
    external_id: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    endpoint_url: str = ""

    def __repr__(self) -> str:
        return f"Access({self.role_arn or self.access_key_id[:4]})"


def access(settings: Mapping[str, Any]) -> Access:
    """From the settings of any of the destinations. Raises `AwsError` if they can't do."""
    values = {
        "role_arn": settings.get("iam_role_arn") or settings.get("iamRoleArn"),
        "external_id": settings.get("iam_external_id") or settings.get("iamExternalId"),
        **{name: settings.get(name) for name in ("access_key_id", "secret_access_key", "endpoint_url")},
    }
    found = Access(**{name: value.strip() for name, value in values.items() if isinstance(value, str)})
    if bool(found.access_key_id) != bool(found.secret_access_key):
        raise AwsError(
            discarded("INVALID_SETTINGS", "access_key_id and secret_access_key are needed together")
        )
    if not found.role_arn and not found.access_key_id:
        raise AwsError(
            discarded("INVALID_SETTINGS", "neither an IAM role nor an access key is set; set one of them")
        )
    if found.role_arn and not ROLE_ARN.fullmatch(found.role_arn):
        raise AwsError(
            discarded(
                "INVALID_SETTINGS",
                f"{found.role_arn[:100]!r} is not the ARN of an IAM role, such as "
                "arn:aws:iam::123456789012:role/onward",
            )
        )
    return found


def setting_fields(
    *, role: str = "iam_role_arn", external_id: str = "iam_external_id", needs: str
) -> dict[str, Field]:
    """The settings under the names that the destination has for them; `needs` is what must be allowed."""
    return {
        role: Field(
            label="IAM role ARN",
            description=(
                f"The IAM role that Onward assumes; it needs {needs}. "
                "Such as arn:aws:iam::123456789012:role/onward."
            ),
            required=_WITHOUT_KEYS,
        ),
        external_id: Field(
            label="IAM external ID",
            description=(
                "The external ID that the role's trust policy asks for: a long random text of your own. "
                "Without it anyone who may add destinations here could use any role that trusts Onward."
            ),
            type="password",
            secret=True,
            required=_WITHOUT_KEYS,
        ),
        **key_fields(needs),
    }


def key_fields(needs: str) -> dict[str, Field]:
    return {
        "access_key_id": Field(
            label="Access key ID",
            description=(
                "An access key to sign with instead of assuming a role, or to assume the role with instead "
                f"of Onward's own. It needs {needs}, or sts:AssumeRole."
            ),
            type="password",
            secret=True,
        ),
        "secret_access_key": Field(
            label="Secret access key",
            description="The secret of the access key.",
            type="password",
            secret=True,
            required=_WITH_KEYS,
        ),
        "endpoint_url": Field(
            label="Endpoint URL",
            description=(
                "Where to send instead of AWS: something that speaks the same protocol, or a VPC endpoint, "
                "such as http://minio:9000. AWS itself if empty."
            ),
        ),
    }
