"""Formats of text fields, as ajv-formats and Segment's own `date-like` define them."""

import re
from collections.abc import Callable

from onward.pipeline.javascript import number_to_string, to_number
from onward.pipeline.javascript_dates import MAX_TIME, parse_dayjs

LABELS = {
    "date-time": "date and time",
    "email": "email address",
    "hostname": "hostname",
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
    "uri": "URI",
    "uri-reference": "URI Reference",
}
"""How messages call a format; others by their names."""

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:z|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.IGNORECASE | re.ASCII,
)
_EMAIL = re.compile(
    # Possessive, so that no text takes more than one pass: what ends a run can't belong to it.
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]++)*+"
    r"@[a-z0-9](?:-*+[a-z0-9]++)*+(?:\.[a-z0-9](?:-*+[a-z0-9]++)*+)++",
    re.IGNORECASE | re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9-]+", re.IGNORECASE | re.ASCII)
_TIMESTAMP = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_IPV4 = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}")


def _uri_patterns(extra: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A URI and a URI reference (RFC 3986, appendix A), an authority also after a single slash.

    `extra` is a character more that hosts, paths and queries may have.
    """
    char = rf"(?:[a-z0-9._~!$&'{extra}()*+,;=:@-]|%[0-9a-f]{{2}})"
    host = rf"(?:[a-z0-9._~!$&'{extra}()*+,;=-]|%[0-9a-f]{{2}})*"
    user = r"(?:[a-z0-9._~!$&'()*+,;=:-]|%[0-9a-f]{2})*"
    authority = rf"(?:{user}@)?(?:\[(?P<ip>[^\]]*)\]|{host})(?::[0-9]*)?"
    rootless = rf"{char}+(?:/{char}*)*"
    path = rf"(?:/?/{authority}(?:/{char}*)*|/(?:{rootless})?|{rootless})"
    tail = rf"(?:\?(?:[/?]|{char})*)?(?:#(?:[/?]|{char})*)?"
    scheme = r"[a-z][a-z0-9+.-]*:"
    flags = re.IGNORECASE | re.ASCII
    return re.compile(scheme + path + tail, flags), re.compile(f"(?:{scheme})?{path}?{tail}", flags)


_URI, _URI_REFERENCE = _uri_patterns("")[0], _uri_patterns('"')[1]
_FUTURE_IP = re.compile(r"v[0-9a-f]+\.[a-z0-9._~!$&'()*+,;=:-]+", re.IGNORECASE | re.ASCII)


def is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if not found:
        return False
    year, month, day = map(int, found.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= month <= 12 and 1 <= day <= days[month - 1]


def is_time(text: str) -> bool:
    """A time of day; the zone may be missing."""
    found = _TIME.fullmatch(text)
    if not found:
        return False
    hour, minute, second = map(int, found.groups())
    return (hour <= 23 and minute <= 59 and second <= 59) or (hour, minute, second) == (23, 59, 60)


def is_date_time(text: str) -> bool:
    day, *rest = re.split(r"[tT\s\ufeff]", text)
    return len(rest) == 1 and is_date(day) and is_time(rest[0])


def is_timestamp(text: str) -> bool:
    """What nearly all dates of events look like; all of them are dates."""
    return _TIMESTAMP.fullmatch(text) is not None


def is_date_like(text: str) -> bool:
    """What dayjs reads as a date, or a count of seconds since the epoch."""
    if is_timestamp(text):
        return True
    number = to_number(text)
    if number_to_string(number) == text:
        return abs(number) * 1000 <= MAX_TIME
    return abs(parse_dayjs(text)) <= MAX_TIME


def is_email(text: str) -> bool:
    return bool(_EMAIL.fullmatch(text))


def is_hostname(text: str) -> bool:
    labels = text.removesuffix(".").split(".")
    return len(text.removesuffix(".")) <= 253 and all(
        len(label) <= 63 and _LABEL.fullmatch(label) and label[0] != "-" != label[-1] for label in labels
    )


def is_ipv4(text: str) -> bool:
    return bool(_IPV4.fullmatch(text))


def is_ipv6(text: str) -> bool:
    head, compressed, tail = text.partition("::")
    if "::" in tail or tail[:1] == ":" or head[-1:] == ":":
        return False
    groups = [*(head.split(":") if head else ()), *(tail.split(":") if tail else ())]
    size = len(groups)
    if groups and "." in groups[-1]:
        if not is_ipv4(groups.pop()):
            return False
        size += 1
    if not all(re.fullmatch(r"[0-9a-fA-F]{1,4}", group) for group in groups):
        return False
    return size <= 7 if compressed else size == 8


def is_uri(text: str) -> bool:
    return _is_uri(_URI.fullmatch(text))


def is_uri_reference(text: str) -> bool:
    return _is_uri(_URI_REFERENCE.fullmatch(text))


def _is_uri(found: re.Match[str] | None) -> bool:
    return found is not None and (found["ip"] is None or _is_ip_literal(found["ip"]))


def _is_ip_literal(text: str) -> bool:
    return is_ipv6(text) or bool(_FUTURE_IP.fullmatch(text))


def anything(text: str) -> bool:
    return True


FORMATS: dict[str, Callable[[str], bool]] = {
    "text": anything,
    "password": anything,
    "binary": anything,
    "date-like": is_date_like,
    "date": is_date,
    "time": is_time,
    "date-time": is_date_time,
    "email": is_email,
    "hostname": is_hostname,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
    "uri": is_uri,
    "uri-reference": is_uri_reference,
    "uuid": lambda text: bool(_UUID.fullmatch(text)),
}
