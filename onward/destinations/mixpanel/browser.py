"""The browser of a user agent under Mixpanel's names. Pure."""

import re
from functools import lru_cache
from typing import Final, NamedTuple


class _Browser(NamedTuple):
    name: str
    mark: re.Pattern[str]
    """What tells it from those that come after it."""
    version: re.Pattern[str] | None
    """Its group is the version."""


def _browser(name: str, mark: str, before_version: str | None = None, flags: int = 0) -> _Browser:
    version = None if before_version is None else re.compile(rf"{before_version}([0-9]+(?:\.[0-9]+)+)")
    return _Browser(name, re.compile(mark, flags), version)


_BROWSERS: Final = (
    _browser("Opera Mini", r"(?=.*Mini).* OPR/", flags=re.DOTALL),
    _browser("Opera", " OPR/", "(?:Opera|OPR)/"),
    _browser("BlackBerry", "BlackBerry|PlayBook|BB10", "BlackBerry ", re.IGNORECASE | re.ASCII),
    _browser("Internet Explorer Mobile", "IEMobile|WPDesktop", "rv:"),
    _browser("Samsung Internet", "SamsungBrowser/", "SamsungBrowser/"),
    _browser("Microsoft Edge", "Edge|Edg/", "Edge?/"),
    _browser("Facebook Mobile", "FBIOS"),
    _browser("Chrome", "Chrome", "Chrome/"),
    _browser("Chrome iOS", "CriOS", "CriOS/"),
    _browser("UC Browser", "UCWEB|UCBrowser", "(?:UCBrowser|UCWEB)/"),
    _browser("Firefox iOS", "FxiOS", "FxiOS/"),
    _browser("Mobile Safari", r"(?=.*iPhone).*Safari", "Version/", re.DOTALL),
    _browser("Safari", "Safari", "Version/"),
    # (In small letters: Segment's destination finds no version of it, and reports go by that.)
    _browser("Android Mobile", "Android", r"android\s"),
    _browser("Konqueror", "Konqueror", "Konqueror:"),
    _browser("Firefox", "Firefox", "Firefox/"),
    _browser("Internet Explorer", "MSIE|Trident/", "(?:rv:|MSIE )"),
    _browser("Mozilla", "Gecko", "rv:"),
)


@lru_cache(maxsize=16_384)
def browser_of(user_agent: str) -> tuple[str, str | None]:
    """Name and version; an empty name if it is none that is known."""
    for browser in _BROWSERS:
        if browser.mark.search(user_agent):
            found = browser.version and browser.version.search(user_agent)
            return browser.name, found[1] if found else None
    return "", None
