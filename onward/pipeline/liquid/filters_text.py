"""Filters on text, and the few that take anything. Values become text as output does."""

import base64
import re
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from onward.pipeline.javascript import UNDEFINED, WHITESPACE, entries, stringify, to_number, utf16_length
from onward.pipeline.javascript import truthy as js_truthy
from onward.pipeline.liquid.scope import LiquidError, Scope
from onward.pipeline.liquid.values import text, truthy

_SPACES = re.compile(f"[{WHITESPACE}]+")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
_CHARACTERS = {entity: char for char, entity in _ENTITIES.items()}
_CJK = "\u4e00-\u9fff\uf900-\ufaff\u3400-\u4dbf\u3040-\u309f\u30a0-\u30ff\uac00-\ud7af"
_CJK_WORD = re.compile(f"[{_CJK}]")
_OTHER_WORD = re.compile(f"[^{_CJK}{WHITESPACE}]+")


def substring(value: str, start: int, end: int) -> str:
    """String.prototype.substring within bounds, in UTF-16 units."""
    if utf16_length(value) == len(value):
        return value[start:end]
    return value.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le", "replace")


def _on_text(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of a text and of arguments as text; those not given are empty."""

    def applied(scope: Scope, value: Any, *arguments: Any) -> Any:
        result = function(text(value), *map(text, arguments))
        scope.spend(len(result))
        return result

    return applied


def _joined(name: str, function: Callable[[str, str], str]) -> Callable[..., Any]:
    def applied(scope: Scope, value: Any, *arguments: Any) -> str:
        if len(arguments) != 1:
            raise LiquidError(f"{name} expect 2 arguments")
        result = function(text(value), text(arguments[0]))
        scope.spend(len(result))
        return result

    return applied


def _stripped(left: bool, right: bool) -> Callable[..., Any]:
    def applied(scope: Scope, value: Any, chars: Any = None, *_: Any) -> str:
        stripped = text(value)
        # Halves of a surrogate pair are compared with whole characters there, so those never match.
        these = "".join([c for c in text(chars) if c <= "\uffff"]) if js_truthy(chars) else WHITESPACE
        stripped = stripped.lstrip(these) if left else stripped
        return stripped.rstrip(these) if right else stripped

    return applied


def _replace(scope: Scope, value: Any, pattern: Any = "", replacement: Any = "", *_: Any) -> str:
    source, sought, new = text(value), text(pattern), text(replacement)
    parts = source.count(sought) if sought else max(0, len(source) - 1)
    scope.spend(parts * len(new))
    return source.replace(sought, new) if sought else new.join(source)


def _remove(value: str, sought: str = "", *_: str) -> str:
    return value.replace(sought, "") if sought else value


def _replace_last(value: str, sought: str = "", new: str = "", *_: str) -> str:
    at = value.rfind(sought)
    return value if at < 0 else value[:at] + new + value[at + len(sought) :]


def _split(value: str, separator: str = "", *_: str) -> list[str]:
    parts = value.split(separator) if separator else list(value)
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _capitalize(value: str, *_: str) -> str:
    first = value[:1] if value[:1] > "\uffff" else value[:1].upper()
    return first + value[1:].lower()


def _truncate(scope: Scope, value: Any, length: Any = 50, ellipsis: Any = "...", *_: Any) -> Any:
    source, end = text(value), text(ellipsis)
    limit = to_number(length)
    if utf16_length(source) <= limit:
        return value
    keep = limit - utf16_length(end)
    return (substring(source, 0, int(keep)) if keep > 0 else "") + end


def _truncate_words(scope: Scope, value: Any, count: Any = 15, ellipsis: Any = "...", *_: Any) -> str:
    source, end = text(value), text(ellipsis)
    words = _SPACES.split(source)
    limit = to_number(count)
    limit = 1 if limit <= 0 else limit
    kept = " ".join(words[: int(limit) if limit == limit else 0])
    return kept + end if len(words) >= limit else kept


def _number_of_words(scope: Scope, value: Any, mode: Any = None, *_: Any) -> int:
    source = text(value).strip(WHITESPACE)
    if not source:
        return 0
    if mode == "cjk" or (mode == "auto" and _CJK_WORD.search(source)):
        return len(_CJK_WORD.findall(source)) + len(_OTHER_WORD.findall(source))
    return len(_SPACES.split(source))


def _escape(value: str, *_: str) -> str:
    return re.sub("[&<>\"']", lambda found: _ENTITIES[found[0]], value)


def _escape_once(value: str, *_: str) -> str:
    return _escape(re.sub("&(?:amp|lt|gt|#34|#39);", lambda found: _CHARACTERS[found[0]], value))


def _strip_html(value: str, *_: str) -> str:
    """Without scripts, styles, tags and comments, in time linear in the text."""
    kept, at = [], 0
    ends = {close: _Finder(value, close) for close in ("</script>", "</style>", "-->", ">", "\n")}
    while (start := value.find("<", at)) >= 0:
        end = -1
        for opening, close in (("<script", "</script>"), ("<style", "</style>")):
            if end < 0 and value.startswith(opening, start):
                end = ends[close].after(start + len(opening))
        if end < 0:
            end = ends[">"].after(start + 1)
            newline = ends["\n"].after(start + 1)
            end = -1 if 0 < newline < end else end
        if end < 0 and value.startswith("<!--", start):
            end = ends["-->"].after(start + 4)
        kept.append(value[at : start if end > 0 else start + 1])
        at = end if end > 0 else start + 1
    return "".join([*kept, value[at:]])


class _Finder:
    """The next place of a text in another, for positions that only grow."""

    def __init__(self, source: str, sought: str) -> None:
        self.source = source
        self.sought = sought
        self.found = 0

    def after(self, position: int) -> int:
        """Where the next one from this position on ends, -1 if there is none."""
        if 0 <= self.found < position:
            self.found = self.source.find(self.sought, position)
        return self.found + len(self.sought) if self.found >= 0 else -1


_WORD_MARKS = frozenset("._~!$&'()+,;=@")
_ACCENTS = {
    **dict.fromkeys("àáâãäå", "a"), **dict.fromkeys("èéêë", "e"), **dict.fromkeys("ìíîï", "i"),
    **dict.fromkeys("òóôõöø", "o"), **dict.fromkeys("ùúûü", "u"), **dict.fromkeys("ýÿ", "y"),
    **{"æ": "ae", "ç": "c", "ð": "d", "ñ": "n", "ß": "ss", "œ": "oe", "þ": "th"},
    **{"ẞ": "SS", "Œ": "OE", "Þ": "TH"},
}  # fmt: skip


def _in_word(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LM" or category == "Nd"


_SLUG_CHARS: dict[str, Callable[[str], bool]] = {
    "raw": lambda char: char not in WHITESPACE,
    "default": _in_word,
    "pretty": lambda char: _in_word(char) or char in _WORD_MARKS,
    "ascii": lambda char: char.isascii() and char.isalnum(),
    "latin": _in_word,
}


def _slugify(scope: Scope, value: Any, mode: Any = "default", cased: Any = False, *_: Any) -> str:
    source = text(value)
    keeps = _SLUG_CHARS.get("default" if mode is UNDEFINED else text(mode))
    if keeps:
        if mode == "latin":
            source = "".join(_ACCENTS.get(char, char) for char in source)
        pieces = "".join(char if keeps(char) else "\0" for char in source)
        source = re.sub("\0+", "-", pieces)
        source = source.removeprefix("-").removesuffix("-")
    return source if js_truthy(cased) else source.lower()


def _url_decode(value: str, *_: str) -> str:
    if re.search("%(?![0-9a-fA-F]{2})", value):
        raise LiquidError("url_decode: URI malformed")
    try:
        return unquote_to_bytes(value).decode().replace("+", " ")
    except UnicodeDecodeError:
        raise LiquidError("url_decode: URI malformed") from None


def _base64_decode(value: str, *_: str) -> str:
    """As Buffer.from(value, 'base64'): either alphabet, what is in neither is skipped, padding ends it."""
    digits = re.sub("[^A-Za-z0-9+/]", "", value.partition("=")[0].translate({45: "+", 95: "/"}))
    digits = digits[: len(digits) - 1] if len(digits) % 4 == 1 else digits
    return base64.b64decode(digits + "=" * (-len(digits) % 4)).decode("utf-8", "replace")


def _json(scope: Scope, value: Any, indent: Any = 0, *_: Any) -> Any:
    compact = stringify(value)
    if compact is UNDEFINED:
        return UNDEFINED
    scope.spend(len(compact))
    step = indent[:10] if type(indent) is str else ""
    if type(indent) is int or type(indent) is float:
        step = " " * int(max(0, min(10, indent)))
    if not step:
        return compact
    scope.charge(value, 1 + len(step) * _depth(value))
    return _indented(value, step, "\n")


def _depth(value: Any) -> int:
    items = value.values() if type(value) is dict else value if type(value) is list else ()
    return 1 + max(map(_depth, items), default=0)


def _indented(value: Any, step: str, line: str) -> str:
    """JSON.stringify with a third argument."""
    inner = line + step
    if type(value) is dict and value:
        members = [
            f"{stringify(key)}: {_indented(item, step, inner)}"
            for key, item in entries(value)
            if item is not UNDEFINED
        ]
        return "{" + inner + ("," + inner).join(members) + line + "}"
    if type(value) is list and value:
        return "[" + inner + ("," + inner).join(_indented(item, step, inner) for item in value) + line + "]"
    return "null" if value is UNDEFINED else str(stringify(value))


def _default(scope: Scope, value: Any, fallback: Any = UNDEFINED, *options: Any) -> Any:
    """The fallback for nil, false, empty text and empty lists; `allow_false: true` lets false stay."""
    if type(value) in (list, str):
        return value if value else fallback
    if value is False and any(truthy(option[1]) for option in options if option[0] == "allow_false"):
        return False
    return value if truthy(value) else fallback


FILTERS: dict[str, Callable[..., Any]] = {
    "append": _joined("append", lambda value, other: value + other),
    "prepend": _joined("prepend", lambda value, other: other + value),
    "upcase": _on_text(lambda value, *_: value.upper()),
    "downcase": _on_text(lambda value, *_: value.lower()),
    "capitalize": _on_text(_capitalize),
    "strip": _stripped(left=True, right=True),
    "lstrip": _stripped(left=True, right=False),
    "rstrip": _stripped(left=False, right=True),
    "strip_html": _on_text(_strip_html),
    "strip_newlines": _on_text(lambda value, *_: re.sub("\r?\n", "", value)),
    "normalize_whitespace": _on_text(lambda value, *_: _SPACES.sub(" ", value)),
    "number_of_words": _number_of_words,
    "remove": _on_text(_remove),
    "remove_first": _on_text(lambda value, sought="", *_: value.replace(sought, "", 1)),
    "remove_last": _on_text(lambda value, sought="", *_: _replace_last(value, sought)),
    "replace": _replace,
    "replace_first": _on_text(lambda value, sought="", new="", *_: value.replace(sought, new, 1)),
    "replace_last": _on_text(_replace_last),
    "split": _on_text(_split),
    "truncate": _truncate,
    "truncatewords": _truncate_words,
    "slugify": _slugify,
    "escape": _on_text(_escape),
    "escape_once": _on_text(_escape_once),
    "xml_escape": _on_text(_escape),
    "url_encode": _on_text(lambda value, *_: quote(value, safe="-_.!~*'()").replace("%20", "+")),
    "url_decode": _on_text(_url_decode),
    "cgi_escape": _on_text(lambda value, *_: quote(value, safe="-_.~").replace("%20", "+")),
    "uri_escape": _on_text(lambda value, *_: quote(value, safe=";,/?:@&=+$-_.!~*'()#[]")),
    "base64_encode": _on_text(lambda value, *_: base64.b64encode(value.encode()).decode()),
    "base64_decode": _on_text(_base64_decode),
    "json": _json,
    "jsonify": _json,
    "inspect": _json,
    "default": _default,
    "raw": lambda scope, value, *_: value,
}
