"""Operating systems: patterns in the order in which they are tried.

A pattern's group `name` is the system as the user agent writes it, where the rule gives none.
"""

import re
from typing import Final

_DISTRIBUTIONS: Final = (
    "[kxln]?ubuntu|debian|suse|opensuse|gentoo|arch(?= linux)|slackware|fedora|mandriva|centos|pclinuxos|"
    "red ?hat|zenwalk|linpus|raspbian|plan 9|minix|risc os|contiki|deepin|manjaro|elementary os|sabayon|"
    "linspire"
)

_RULES: Final[tuple[tuple[str, str | None], ...]] = (
    (r"microsoft (?P<name>windows) (?:vista|xp)", None),
    (r"(?P<name>windows) nt 6\.2; arm", None),
    (r"(?P<name>windows (?:phone(?: os)?|mobile))", None),
    (r"(?P<name>windows)[/ ]?[ntce\d. ]+\w(?!.+xbox)", None),
    (r"(?:win(?=[39n])|win 9x )[nt\d.]", "Windows"),
    (r"ip[honead]{2,4}\b(?:.*os \w+ like mac|; opera)", "iOS"),
    (r"cfnetwork/.+darwin", "iOS"),
    (r"mac os x", "Mac OS"),
    (r"(?:macintosh|mac_powerpc\b)(?!.+haiku)", "Mac OS"),
    (r"droid [\w.]+\b.+(?P<name>android[- ]x86|harmonyos)", None),
    (r"(?P<name>android|webos|qnx|bada|rim tablet os|maemo|meego|sailfish)", None),
    (r"(?P<name>blackberry)\w*/", None),
    (r"(?P<name>tizen|kaios)[/ ][\w.]", None),
    (r"\((?P<name>series40);", None),
    (r"\(bb10;", "BlackBerry"),
    (r"symbian ?os|symbos|s60(?=;)|series60", "Symbian"),
    (r"mozilla/[\d.]+ \((?:mobile|tablet|tv|mobile; [\w ]+); rv:.+ gecko/[\w.]", "Firefox OS"),
    (r"web0s;.+rttv", "webOS"),
    (r"\b(?:hp)?wos(?:browser)?/[\w.]", "webOS"),
    (r"crkey/[\d.]", "Chromecast"),
    (r"cros \w+ [\w.]+\w", "Chromium OS"),
    (r"(?P<name>nintendo|playstation) [wids345portablevuch]", None),
    (r"(?P<name>xbox); +xbox [^);]", None),
    (r"\b(?P<name>joli|palm)\b", None),
    (r"(?P<name>mint)", None),
    (r"(?P<name>mageia|vectorlinux)[; ]", None),
    (rf"(?P<name>{_DISTRIBUTIONS})(?!chrom|package)", None),
    (r"(?P<name>hurd|linux)", None),
    (r"(?P<name>gnu)", None),
    (r"\b(?P<name>[-frentopcghs]{0,5}bsd|dragonfly)(?!amd|[ix346]{1,2}86)", None),
    (r"(?P<name>haiku) \w", None),
    (r"sunos", "Solaris"),
    (r"(?P<name>(?:open)?solaris)", None),
    (r"(?P<name>aix) ", None),
    (r"\b(?P<name>beos|os/2|amigaos|morphos|openvms|fuchsia|hp-ux)", None),
    (r"(?P<name>unix)", None),
)
_COMPILED: Final = [(re.compile(pattern, re.IGNORECASE | re.ASCII), name) for pattern, name in _RULES]


def recognise(user_agent: str) -> str | None:
    for pattern, name in _COMPILED:
        if found := pattern.search(user_agent):
            return name or found["name"]
    return None
