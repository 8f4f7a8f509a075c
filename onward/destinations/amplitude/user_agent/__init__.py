"""What Amplitude is told of a device from its user agent: system, maker, model, kind.

Segment's destination asks ua-parser-js 0.7.33 (MIT), and a project's reports go by its names, so the rules
here recognise what it recognises, first match first. They are compared with it on thousands of real user
agents in `tests/conformance/test_user_agents.py`. Python's own parsers name things otherwise (`Mac OS X`
where this says `Mac OS`), which would split every report in two.

Pure. Results are kept by user agent: a stream has few different ones, and a miss costs some 100 µs.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from onward.destinations.amplitude.user_agent import browsers, devices, systems
from onward.pipeline.javascript import WHITESPACE

LONGEST = 350
"""Of a longer user agent only so many characters are read."""


class Described(NamedTuple):
    system: str | None
    browser: str | None
    browser_major: str | None
    manufacturer: str | None
    model: str | None
    kind: str | None
    """`mobile`, `tablet`, `smarttv`, `console`, `wearable` or `embedded`; None for computers."""


@lru_cache(maxsize=16_384)
def describe(user_agent: str) -> Described:
    if len(user_agent) > LONGEST:
        user_agent = user_agent.lstrip(WHITESPACE)[:LONGEST]
    browser, major = browsers.recognise(user_agent)
    device = devices.recognise(user_agent)
    return Described(systems.recognise(user_agent), browser, major, *device)


def properties(user_agent: str | None, hints: Mapping[str, str] | None) -> dict[str, str]:
    """The members of an Amplitude event; `hints` are client hints (`model`, `platformVersion`), which win.

    As in Segment's: the browser stands in for a system that is not known, its major version for the
    system's, and the system for a model that is not known.
    """
    if not user_agent:
        return {}
    found = describe(user_agent)
    hints = hints or {}
    told = {
        "os_name": found.system if found.system is not None else found.browser,
        "os_version": hints.get("platformVersion", found.browser_major),
        "device_manufacturer": found.manufacturer,
        "device_model": hints.get("model", found.model if found.model is not None else found.system),
        "device_type": found.kind,
    }
    return {name: value for name, value in told.items() if value is not None}
