"""Addresses of Amplitude's APIs, by the region that a project's data lives in."""

from collections.abc import Mapping
from typing import Any, Final

REGIONS: Final = ("north_america", "europe")

_ADDRESSES: Final = {
    "httpapi": ("https://api2.amplitude.com/2/httpapi", "https://api.eu.amplitude.com/2/httpapi"),
    "batch": ("https://api2.amplitude.com/batch", "https://api.eu.amplitude.com/batch"),
    "identify": ("https://api2.amplitude.com/identify", "https://api.eu.amplitude.com/identify"),
    "groupidentify": (
        "https://api2.amplitude.com/groupidentify",
        "https://api.eu.amplitude.com/groupidentify",
    ),
    "usermap": ("https://api.amplitude.com/usermap", "https://api.eu.amplitude.com/usermap"),
    "usersearch": (
        "https://amplitude.com/api/2/usersearch",
        "https://analytics.eu.amplitude.com/api/2/usersearch",
    ),
    "deletions": (
        "https://amplitude.com/api/2/deletions/users",
        "https://analytics.eu.amplitude.com/api/2/deletions/users",
    ),
}


def address(api: str, settings: Mapping[str, Any]) -> str:
    """North America's if the setting says nothing that we know."""
    america, europe = _ADDRESSES[api]
    return europe if settings.get("endpoint") == "europe" else america
