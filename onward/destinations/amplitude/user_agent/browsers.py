"""Browsers: patterns in the order in which they are tried.

A pattern's group `v` is the version; its group `name` is the browser as the user agent writes it, which
goes into the `{}` of the rule's name.
"""

import re
from typing import Final

_WEBKIT: Final = (
    "flock|rockmelt|midori|epiphany|silk|skyfire|ovibrowser|bolt|iron|vivaldi|iridium|phantomjs|bowser|"
    "quark|qupzilla|falkon|rekonq|puffin|brave|whale|qqbrowserlite|qq|duckduckgo"
)
_GECKO: Final = "icedragon|iceweasel|camino|chimera|fennec|maemo browser|minimo|conkeror|klar"
_GECKO_LAST: Final = "seamonkey|k-meleon|icecat|iceape|firebird|phoenix|palemoon|basilisk|waterfox"
_OTHERS: Final = (
    r"polaris|lynx|dillo|icab|doris|amaya|w3m|netsurf|sleipnir|obigo|mosaic|(?:go|ice|up)[. ]?browser"
)

_RULES: Final[tuple[tuple[str, str], ...]] = (
    (r"\b(?:crmo|crios)/(?P<v>[\w.]+)", "Chrome"),
    (r"edg(?:e|ios|a)?/(?P<v>[\w.]+)", "Edge"),
    # Opera with its own engine
    (r"(?P<name>opera mini)/(?P<v>[-\w.]+)", "{}"),
    (r"(?P<name>opera [mobiletab]{3,6})\b.+version/(?P<v>[-\w.]+)", "{}"),
    (r"(?P<name>opera)(?:.+version/|[/ ]+)(?P<v>[\w.]+)", "{}"),
    (r"opios[/ ]+(?P<v>[\w.]+)", "Opera Mini"),
    (r"\bopr/(?P<v>[\w.]+)", "Opera"),
    (r"(?P<name>kindle)/(?P<v>[\w.]+)", "{}"),
    (r"(?P<name>lunascape|maxthon|netfront|jasmine|blazer)[/ ]?(?P<v>[\w.]*)", "{}"),
    (r"(?P<name>avant |iemobile|slim)(?:browser)?[/ ]?(?P<v>[\w.]*)", "{}"),
    (r"(?P<name>ba?idubrowser)[/ ]?(?P<v>[\w.]+)", "{}"),
    (r"(?:ms|\()(?P<name>ie) (?P<v>[\w.]+)", "{}"),
    (rf"(?P<name>{_WEBKIT})/(?P<v>[-\w.]+)", "{}"),
    (r"(?P<name>weibo)__(?P<v>[\d.]+)", "{}"),
    (r"(?:\buc? ?browser|juc.+ucweb)[/ ]?(?P<v>[\w.]+)", "UCBrowser"),
    (r"microm.+\bqbcore/(?P<v>[\w.]+)", "WeChat(Win) Desktop"),
    (r"\bqbcore/(?P<v>[\w.]+).+microm", "WeChat(Win) Desktop"),
    (r"micromessenger/(?P<v>[\w.]+)", "WeChat"),
    (r"konqueror/(?P<v>[\w.]+)", "Konqueror"),
    (r"trident.+rv[: ](?P<v>[\w.]{1,9})\b.+like gecko", "IE"),
    (r"yabrowser/(?P<v>[\w.]+)", "Yandex"),
    (r"(?P<name>avast|avg)/(?P<v>[\w.]+)", "{} Secure Browser"),
    (r"\bfocus/(?P<v>[\w.]+)", "Firefox Focus"),
    (r"\bopt/(?P<v>[\w.]+)", "Opera Touch"),
    (r"coc_coc\w+/(?P<v>[\w.]+)", "Coc Coc"),
    (r"dolfin/(?P<v>[\w.]+)", "Dolphin"),
    (r"coast/(?P<v>[\w.]+)", "Opera Coast"),
    (r"miuibrowser/(?P<v>[\w.]+)", "MIUI Browser"),
    (r"fxios/(?P<v>[-\w.]+)", "Firefox"),
    (r"\bqihu|(?:qi?ho?o?|360)browser", "360 Browser"),
    (r"(?P<name>oculus|samsung|sailfish|huawei)browser/(?P<v>[\w.]+)", "{} Browser"),
    (r"(?P<name>comodo_dragon)/(?P<v>[\w.]+)", "{}"),
    (r"(?P<name>electron)/(?P<v>[\w.]+) safari", "{}"),
    (r"(?P<name>tesla)(?: qtcarbrowser|/(?P<v>20\d\d\.[-\w.]+))", "{}"),
    (r"(?P<name>qqbrowser|baiduboxapp|2345explorer)[/ ]?(?P<v>[\w.]+)", "{}"),
    # Of these the version is not told
    (r"(?P<name>metasr)[/ ]?[\w.]", "{}"),
    (r"(?P<name>lbbrowser)", "{}"),
    (r"\[(?P<name>linkedin)app\]", "{}"),
    # Browsers inside apps
    (r"(?:fban/fbios|fb_iab/fb4a)(?!.+fbav)|;fbav/(?P<v>[\w.]+);", "Facebook"),
    (r"safari (?P<name>line)/(?P<v>[\w.]+)", "{}"),
    (r"\b(?P<name>line)/(?P<v>[\w.]+)/iab", "{}"),
    (r"(?P<name>chromium|instagram)[/ ](?P<v>[-\w.]+)", "{}"),
    (r"\bgsa/(?P<v>[\w.]+) .*safari/", "GSA"),
    (r"headlesschrome(?:/(?P<v>[\w.]+)| )", "Chrome Headless"),
    (r" wv\).+chrome/(?P<v>[\w.]+)", "Chrome WebView"),
    (r"droid.+ version/(?P<v>[\w.]+)\b.+safari", "Android Browser"),
    (r"(?P<name>chrome|omniweb|arora|[tizenoka]{5} ?browser)/v?(?P<v>[\w.]+)", "{}"),
    (r"version/(?P<v>[\w.,]+) .*mobile/\w+ safari", "Mobile Safari"),
    (r"version/(?P<v>[\w(.|,)]+) .*(?P<name>mobile ?safari|safari)", "{}"),
    (r"webkit.+?(?P<name>mobile ?safari|safari)(?P<build>/[\w.]+)", "{}"),
    (r"(?P<name>webkit|khtml)/(?P<v>[\w.]+)", "{}"),
    # Gecko
    (r"(?:navigator|netscape\d?)/(?P<v>[-\w.]+)", "Netscape"),
    (r"mobile vr; rv:(?P<v>[\w.]+)\).+firefox", "Firefox Reality"),
    (r"ekiohf.+(?P<name>flow)/(?P<v>[\w.]+)", "{}"),
    (r"(?P<name>swiftfox)", "{}"),
    (rf"(?P<name>{_GECKO})[/ ]?(?P<v>[\w.+]+)", "{}"),
    (rf"(?P<name>{_GECKO_LAST})/(?P<v>[-\w.]+)\Z", "{}"),
    (r"(?P<name>firefox)/(?P<v>[\w.]+)", "{}"),
    (r"(?P<name>mozilla)/(?P<v>[\w.]+) .+rv:.+gecko/\d", "{}"),
    (rf"(?P<name>{_OTHERS})[-/ ]?v?(?P<v>[\w.]+)", "{}"),
    (r"(?P<name>links) \((?P<v>[\w.]+)", "{}"),
    (r"(?P<name>cobalt)/(?P<branch>[\w.]+)", "{}"),
)
_COMPILED: Final = [(re.compile(pattern, re.IGNORECASE | re.ASCII), name) for pattern, name in _RULES]
_NEITHER_DIGIT_NOR_POINT: Final = re.compile(r"[^\d.]", re.ASCII)
_BRANCH: Final = re.compile("master.|lts.")
"""What Cobalt's version says of where it was built from."""
_OLD_SAFARI: Final = (("/8", "1"), ("/1", "1"), ("/3", "1"), *((f"/41{n}", "2") for n in "2679"))
"""Safari before 3.0 told its build instead of its version: how a build begins, and the major version."""


def recognise(user_agent: str) -> tuple[str | None, str | None]:
    """Name and major version."""
    for pattern, name in _COMPILED:
        if found := pattern.search(user_agent):
            groups = found.groupdict()
            return name.format((groups.get("name") or "").replace("_", " ")), _major(groups)
    return None, None


def _major(groups: dict[str, str | None]) -> str | None:
    if build := groups.get("build"):
        return next((major for start, major in _OLD_SAFARI if build.startswith(start)), None)
    version = groups.get("v")
    if branch := groups.get("branch"):
        version = _BRANCH.sub("", branch, count=1)
    return _NEITHER_DIGIT_NOR_POINT.sub("", version).split(".")[0] if version else None
