"""Phones, tablets, televisions and the like: patterns in the order in which they are tried.

A pattern's group `m` is the model; its group `by` is the maker as the user agent writes it, where the rule
gives none. `build` is what follows a model on Android: a build number, or the end of the parentheses.
"""

import re
from typing import Any, Final, NamedTuple

from onward.pipeline.javascript import WHITESPACE

MOBILE: Final = "mobile"
TABLET: Final = "tablet"
CONSOLE: Final = "console"
TV: Final = "smarttv"
WEARABLE: Final = "wearable"
EMBEDDED: Final = "embedded"

_BUILD: Final = r"(?: bui|\))"


class _Rule(NamedTuple):
    maker: str | None
    kind: str | None
    pattern: str
    model: str = "{}"
    """What is told as the model, given what the pattern found."""
    spaced: str = ""
    """A character that stands for spaces in the model."""
    trim: bool = False


def _rules(maker: str | None, kind: str | None, *patterns: str, **more: Any) -> list[_Rule]:
    return [_Rule(maker, kind, pattern, **more) for pattern in patterns]


_RULES: Final[list[_Rule]] = [
    # Phones and tablets of the large makers
    *_rules(
        "Samsung",
        TABLET,
        r"\b(?P<m>sch-i[89]0\d|shw-m380s|sm-[ptx]\w{2,4}|gt-[pn]\d{2,4}|sgh-t8[56]9|nexus 10)",
    ),
    *_rules(
        "Samsung",
        MOBILE,
        r"\b(?P<m>(?:s[cgp]h|gt|sm)-\w+|galaxy nexus)",
        r"samsung[- ](?P<m>[-\w]+)",
        r"sec-(?P<m>sgh\w+)",
    ),
    *_rules("Apple", MOBILE, r"(?P<m>(?:ipod|iphone)\d+,\d+)"),
    *_rules("Apple", TABLET, r"(?P<m>ipad\d+,\d+)"),
    *_rules("Apple", MOBILE, r"\((?P<m>ip(?:hone|od)[\w ]*);"),
    *_rules(
        "Apple",
        TABLET,
        r"\((?P<m>ipad);[-\w),; ]+apple",
        r"applecoremedia/[\w.]+ \((?P<m>ipad)",
        r"\b(?P<m>ipad)\d\d?,\d\d?[;\]].+ios",
    ),
    *_rules("Apple", None, r"(?P<m>macintosh);"),
    *_rules("Huawei", TABLET, r"\b(?P<m>(?:ag[rs][23]?|bah2?|sht?|btv)-a?[lw]\d{2})\b(?!.+d/s)"),
    *_rules(
        "Huawei",
        MOBILE,
        r"(?:huawei|honor)(?P<m>[-\w ]+)[;)]",
        r"\b(?P<m>nexus 6p|\w{2,4}e?-[atu]?[ln][\dx][012359c][adn]?)\b(?!.+d/s)",
    ),
    *_rules(
        "Xiaomi",
        MOBILE,
        rf"\b(?P<m>poco[\w ]+){_BUILD}",
        r"\b; (?P<m>\w+) build/hm(?P=m)",
        r"\b(?P<m>hm[-_ ]?note?[_ ]?(?:\d\w)?) bui",
        rf"\b(?P<m>redmi[-_ ]?(?:note|k)?[\w ]+){_BUILD}",
        r"\b(?P<m>mi[-_ ]?(?:a\d|one|one[_ ]plus|note lte|max|cc)?[_ ]?\d?\w?[_ ]?(?:plus|se|lite)?)"
        + _BUILD,
        spaced="_",
    ),
    *_rules("Xiaomi", TABLET, rf"\b(?P<m>mi[-_ ]?pad[\w ]+){_BUILD}", spaced="_"),
    *_rules(
        "OPPO",
        MOBILE,
        r"; (?P<m>\w+) bui.+ oppo",
        r"\b(?P<m>cph[12]\d{3}|p(?:af|c[al]|d\w|e[ar])[mt]\d0|x9007|a101op)\b",
    ),
    *_rules("Vivo", MOBILE, rf"vivo (?P<m>\w+){_BUILD}", r"\b(?P<m>v[12]\d{3}\w?[at])(?: bui|;)"),
    *_rules("Realme", MOBILE, r"\b(?P<m>rmx[12]\d{3})(?: bui|;|\))"),
    *_rules(
        "Motorola",
        MOBILE,
        r"\b(?P<m>milestone|droid(?:[2-4x]| (?:bionic|x2|pro|razr))?:?(?: 4g)?)\b[\w ]+build/",
        r"\bmot(?:orola)?[- ](?P<m>\w*)",
        r"(?P<m>(?:moto[\w() ]+|xt\d{3,4}|nexus 6)(?= bui|\)))",
    ),
    *_rules("Motorola", TABLET, r"\b(?P<m>mz60\d|xoom[2 ]{0,2}) build/"),
    *_rules("LG", TABLET, r"(?P<m>[vl]k-?\d{3}) bui| 3\.[-\w; ]{10}lg?-[06cv9]{3,4}"),
    *_rules(
        "LG",
        MOBILE,
        r"(?P<m>lm(?:-?f100[nv]?|-[\w.]+)(?= bui|\))|nexus [45])",
        r"\blg[-e;/ ]+(?P<m>(?!browser|netcast|android tv)\w+)",
        r"\blg-?(?P<m>\w+) bui",
    ),
    *_rules(
        "Lenovo",
        TABLET,
        r"(?P<m>ideatab[-\w ]+)",
        r"lenovo ?(?P<m>s[56]000[-\w]+|tab[\w ]+|yt[-\w]{6}|tb[-\w]{6})",
    ),
    *_rules(
        "Nokia", MOBILE, r"(?:maemo|nokia).*(?P<m>n900|lumia \d+)", r"nokia[-_ ]?(?P<m>[-\w.]*)", spaced="_"
    ),
    *_rules("Google", TABLET, r"(?P<m>pixel c)\b"),
    *_rules("Google", MOBILE, rf"droid.+; (?P<m>pixel[\daxl ]{{0,6}}){_BUILD}"),
    *_rules(
        "Sony",
        MOBILE,
        r"droid.+ (?P<m>a?\d[0-2]{2}so|[c-g]\d{4}|so[-gl]\w+|xq-a\w[4-7][12])"
        r"(?= bui|\).+chrome/(?![1-6]?\d\.))",
    ),
    *_rules("Sony", TABLET, r"sony tablet [ps]", rf"\b(?:sony)?sgp\w+{_BUILD}", model="Xperia Tablet"),
    *_rules(
        "OnePlus",
        MOBILE,
        r" (?P<m>kb2005|in20[12]5|be20[12][59])\b",
        r"(?:one)?(?:plus)? (?P<m>a\d0\d\d)(?: b|\))",
    ),
    *_rules(
        "Amazon",
        TABLET,
        r"(?P<m>alexa)webm",
        rf"(?P<m>kf[a-z]{{2}}wi){_BUILD}",
        rf"(?P<m>kf[a-z]+){_BUILD}.+silk/",
    ),
    *_rules("Amazon", MOBILE, rf"(?P<m>(?:sd|kf)[0349hijorstuw]+){_BUILD}.+silk/", model="Fire Phone {}"),
    *_rules(None, TABLET, r"(?P<m>playbook);[-\w),; ]+(?P<by>rim)"),
    *_rules("BlackBerry", MOBILE, r"\b(?P<m>(?:bb[a-f]|st[hv])100-\d)", r"\(bb10; (?P<m>\w+)"),
    *_rules(
        "ASUS",
        TABLET,
        r"(?:\b|asus_)(?P<m>transfo[prime ]{4,10} \w+|eeepc|slider \w+|nexus 7|padfone|p00[cj])",
    ),
    *_rules("ASUS", MOBILE, r" (?P<m>z[bes]6[027][012][km][ls]|zenfone \d\w?)\b"),
    *_rules("HTC", TABLET, r"(?P<m>nexus 9)"),
    *_rules(
        None,
        MOBILE,
        r"(?P<by>htc)[-;_ ]{1,2}(?P<m>[\w ]+(?=\)| bui)|\w+)",
        r"(?P<by>zte)[- ](?P<m>[\w ]+?)(?: bui|/|\))",
        r"(?P<by>alcatel|geeksphone|nexian|panasonic|sony(?!-bra))[-_ ]?(?P<m>[-\w]*)",
        spaced="_",
    ),
    *_rules("Acer", TABLET, r"droid.+; (?P<m>[ab][1-7]-?[0178a]\d\d?)"),
    *_rules("Meizu", MOBILE, r"droid.+; (?P<m>m[1-5] note) bui", r"\bmz-(?P<m>[-\w]{2,})"),
    *_rules("Sharp", MOBILE, r"\b(?P<m>sh-?[altvz]?\d\d[a-ekm]?)"),
    # Makers that give their name
    *_rules(
        None,
        MOBILE,
        r"(?P<by>blackberry|benq|palm(?=-)|sonyericsson|acer|asus|dell|meizu|motorola|polytron)"
        r"[-_ ]?(?P<m>[-\w]*)",
        r"(?P<by>hp) (?P<m>[\w ]+\w)",
        r"(?P<by>asus)-?(?P<m>\w+)",
        r"(?P<by>microsoft); (?P<m>lumia[\w ]+)",
        r"(?P<by>lenovo)[-_ ]?(?P<m>[-\w]+)",
        r"(?P<by>jolla)",
        r"(?P<by>oppo) ?(?P<m>[\w ]+) bui",
    ),
    *_rules(
        None,
        TABLET,
        r"(?P<by>archos) (?P<m>gamepad2?)",
        r"(?P<by>hp).+(?P<m>touchpad(?!.+tablet)|tablet)",
        r"(?P<by>kindle)/(?P<m>[\w.]+)",
        r"(?P<by>nook)[\w ]+build/(?P<m>\w+)",
        r"(?P<by>dell) (?P<m>strea[kpr\d ]*[\dko])",
        r"(?P<by>le[- ]+pan)[- ]+(?P<m>\w{1,9}) bui",
        r"(?P<by>trinity)[- ]*(?P<m>t\d{3}) bui",
        r"(?P<by>gigaset)[- ]+(?P<m>q\w{1,9}) bui",
        r"(?P<by>vodafone) (?P<m>[\w ]+)(?:\)| bui)",
    ),
    # Smaller ones
    *_rules("Microsoft", TABLET, r"(?P<m>surface duo)"),
    *_rules("Fairphone", MOBILE, r"droid [\d.]+; (?P<m>fp\du?)(?: b|\))"),
    *_rules("AT&T", MOBILE, r"(?P<m>u304aa)"),
    *_rules("Siemens", MOBILE, r"\bsie-(?P<m>\w*)"),
    *_rules("RCA", TABLET, r"\b(?P<m>rct\w+) b"),
    *_rules("Dell", TABLET, r"\b(?P<m>venue[\d ]{2,7}) b"),
    *_rules("Verizon", TABLET, r"\b(?P<m>q(?:mv|ta)\w+) b"),
    *_rules("Barnes & Noble", TABLET, r"\b(?:barnes[& ]+noble |bn[rt])(?P<m>[\w+ ]*) b"),
    *_rules("NuVision", TABLET, r"\b(?P<m>tm\d{3}\w+) b"),
    *_rules("ZTE", TABLET, r"\b(?P<m>k88) b"),
    *_rules("ZTE", MOBILE, r"\b(?P<m>nx\d{3}j) b"),
    *_rules("Swiss", MOBILE, r"\b(?P<m>gen\d{3}) b.+49h"),
    *_rules("Swiss", TABLET, r"\b(?P<m>zur\d{3}) b"),
    *_rules("Zeki", TABLET, r"\b(?P<m>(?:zeki)?tb.*\b) b"),
    *_rules("Dragon Touch", TABLET, r"\b[yr]\d{2} b", r"\b(?:dragon[- ]+touch |dt)(?P<m>\w{5}) b"),
    *_rules("Insignia", TABLET, r"\b(?P<m>ns-?\w{0,9}) b"),
    *_rules("NextBook", TABLET, r"\b(?P<m>(?:nxa|next)-?\w{0,9}) b"),
    *_rules("Voice", MOBILE, r"\b(?:xtreme_)?(?P<m>v(?:1[045]|2[015]|[3469]0|7[05])) b"),
    *_rules("LvTel", MOBILE, r"\b(?:lvtel-)?(?P<m>v1[12]) b"),
    *_rules("Essential", MOBILE, r"\b(?P<m>ph-1) "),
    *_rules("Envizen", TABLET, r"\b(?P<m>v(?:100md|700na|7011|917g).*\b) b"),
    *_rules("MachSpeed", TABLET, r"\b(?P<m>trio[-\w. ]+) b"),
    *_rules("Rotor", TABLET, r"\btu_(?P<m>1491) b"),
    *_rules("Nvidia", TABLET, r"(?P<m>shield[\w ]+) b"),
    *_rules(None, MOBILE, r"(?P<by>sprint) (?P<m>\w+)"),
    *_rules("Microsoft", MOBILE, r"(?P<m>kin\.[onetw]{3})", spaced="."),
    *_rules("Zebra", TABLET, r"droid.+; (?P<m>cc6666?|et5[16]|mc[239][23]x?|vc8[03]x?)\)"),
    *_rules("Zebra", MOBILE, r"droid.+; (?P<m>ec30|ps20|tc[2-8]\d[kx])\)"),
    # Consoles
    *_rules(None, CONSOLE, r"(?P<by>ouya)", r"(?P<by>nintendo) (?P<m>[wids3utch]+)"),
    *_rules("Nvidia", CONSOLE, r"droid.+; (?P<m>shield) bui"),
    *_rules("Sony", CONSOLE, r"(?P<m>playstation [345portablevi]+)"),
    *_rules("Microsoft", CONSOLE, r"\b(?P<m>xbox(?: one)?(?!; xbox))[); ]"),
    # Televisions
    *_rules(None, TV, r"smart-tv.+(?P<by>samsung)"),
    *_rules("Samsung", TV, r"hbbtv.+maple;(?P<m>\d+)", model="SmartTV{}"),
    *_rules("LG", TV, r"nux; netcast.+smarttv|lg (?:netcast\.tv-201\d|android tv)"),
    *_rules(None, TV, r"(?P<by>apple) ?tv", model="Apple TV"),
    *_rules("Google", TV, r"crkey", model="Chromecast"),
    *_rules("Amazon", TV, rf"droid.+aft(?P<m>\w){_BUILD}"),
    *_rules("Sharp", TV, r"\(dtv[);].+(?P<m>aquos)", r"(?P<m>aquos-tv[\w ]+)\)"),
    *_rules("Sony", TV, rf"(?P<m>bravia[\w ]+){_BUILD}"),
    *_rules("Xiaomi", TV, r"(?P<m>mitv-\w{5}) bui"),
    *_rules(
        None,
        TV,
        r"\b(?P<by>roku)[\dx]*[)/](?P<m>(?:dvp-)?[\d.]*)",
        r"hbbtv/\d+\.\d+\.\d+ +\([\w ]*; *(?P<by>\w[^;]*);(?P<m>[^;]*)",
        trim=True,
    ),
    *_rules(None, TV, r"\b(?:android tv|smart[- ]?tv|opera tv|tv; rv:)\b"),
    # What one wears, and cars
    *_rules(None, WEARABLE, r"(?P<by>(?P<m>pebble))app"),
    *_rules("Google", WEARABLE, r"droid.+; (?P<m>glass) \d"),
    *_rules("Zebra", WEARABLE, r"droid.+; (?P<m>wt63?0{2,3})\)"),
    *_rules("Facebook", WEARABLE, r"(?P<m>quest(?: 2)?)"),
    *_rules(None, EMBEDDED, r"(?P<by>tesla)(?: qtcarbrowser|/[-\w.]+)"),
    # Whatever else runs Android, and what only says what kind it is
    *_rules(None, MOBILE, r"droid .+?; (?P<m>[^;]+?)(?: bui|\) applew).+? mobile safari"),
    *_rules(None, TABLET, r"droid .+?; (?P<m>[^;]+?)(?: bui|\) applew).+?(?! mobile) safari"),
    *_rules(None, TABLET, r"\b(?:tablet|tab)[;/]|\bfocus/\d(?!.+mobile)"),
    *_rules(None, MOBILE, r"phone|mobile(?:[;/]| [ \w/.]*safari)|pda(?=.+windows ce)"),
    *_rules("Generic", None, r"(?P<m>android[-\w. ]{0,9});.+buil"),
]
_COMPILED: Final = [(re.compile(rule.pattern, re.IGNORECASE | re.ASCII), rule) for rule in _RULES]


def recognise(user_agent: str) -> tuple[str | None, str | None, str | None]:
    """Maker, model and kind."""
    for pattern, rule in _COMPILED:
        if found := pattern.search(user_agent):
            groups = found.groupdict()
            return rule.maker or groups.get("by") or None, _model(rule, groups.get("m")), rule.kind
    return None, None, None


def _model(rule: _Rule, found: str | None) -> str | None:
    if "{}" not in rule.model:
        return rule.model
    if rule.trim and found is not None:
        return found.lstrip(WHITESPACE)
    if not found:
        return None
    return rule.model.format(found.replace(rule.spaced, " ") if rule.spaced else found)
