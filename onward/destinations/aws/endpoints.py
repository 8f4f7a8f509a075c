"""Where the services of AWS are. Pure.

https://docs.aws.amazon.com/general/latest/gr/rande.html
"""

import re
from urllib.parse import urlsplit

import msgspec

REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "sa-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ca-central-1",
    "eu-central-1",
    "af-south-1",
    "ap-east-1",
    "ap-northeast-3",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "us-gov-east-1",
    "us-gov-west-1",
)
"""What forms offer where they offer a list: first Segment's choices, then the others."""

_REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")
_PARTITIONS = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
    ("", "aws", "amazonaws.com"),
)


class Service(msgspec.Struct, frozen=True):
    """One API in one region."""

    name: str
    """As signatures have it: `s3`, `kinesis`, `events`, `sqs`, `sts`."""
    region: str
    base: str
    """Address without a slash at its end."""


def is_region(region: object) -> bool:
    """Whether it can be a region's code, known to us or not. It becomes part of a host name."""
    return isinstance(region, str) and _REGION.fullmatch(region) is not None


def partition(region: str) -> str:
    """`aws`, `aws-cn`, …: the second part of ARNs."""
    return _partition(region)[1]


def domain(region: str) -> str:
    """What the host names of the region's services end with."""
    return _partition(region)[2]


def service(name: str, region: str, endpoint: str = "") -> Service:
    """`endpoint` is an address that stands in for AWS's own."""
    base = endpoint.strip().rstrip("/") or f"https://{name}.{region}.{domain(region)}"
    return Service(name, region, base)


def is_aws(url: str) -> bool:
    """Whether a URL leads to AWS itself, not to something that speaks its protocols."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return any(host.endswith("." + suffix) for _, _, suffix in _PARTITIONS)


def _partition(region: str) -> tuple[str, str, str]:
    return next(each for each in _PARTITIONS if region.startswith(each[0]))
