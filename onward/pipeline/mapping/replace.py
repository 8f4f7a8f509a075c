"""`@replace`: plain text for plain text, up to two times (spec §9.4), with JavaScript's replacement codes."""

import re
from dataclasses import dataclass
from typing import Any

from onward.pipeline.javascript import truthy, utf16_length
from onward.pipeline.mapping.errors import MappingError
from onward.pipeline.mapping.validation import MAX_PATTERN, MAX_REPLACEMENT

_CODE = re.compile(r"\$[$&`']")


@dataclass(frozen=True)
class Replacer:
    pairs: tuple[tuple[str, str], ...]
    everywhere: bool
    ignore_case: bool

    @classmethod
    def of(cls, options: dict[str, Any]) -> "Replacer | None":
        """From the options of the directive; None if one has a type that makes the result empty text."""
        pattern, replacement = options["pattern"], options.get("replacement")
        ignore_case, everywhere = options.get("ignorecase"), options.get("global")
        replacement = "" if replacement is None else replacement
        ignore_case = False if ignore_case is None else ignore_case
        everywhere = True if everywhere is None else everywhere
        if type(pattern) is not str or type(replacement) is not str:
            return None
        if type(ignore_case) is not bool or type(everywhere) is not bool:
            return None
        pairs = [(pattern, replacement)]
        second, second_replacement = options.get("pattern2"), options.get("replacement2")
        second_replacement = "" if second_replacement is None else second_replacement
        if truthy(second) and type(second) is str and type(second_replacement) is str:
            pairs.append((second, second_replacement))
        return cls(tuple(pairs), everywhere, ignore_case)

    def __call__(self, text: str) -> str:
        for pattern, replacement in self.pairs:
            if utf16_length(pattern) > MAX_PATTERN:
                raise MappingError(f'@replace requires a "pattern" less than {MAX_PATTERN} characters')
            if utf16_length(replacement) > MAX_REPLACEMENT:
                raise MappingError(
                    f'@replace requires a "replacement" less than {MAX_REPLACEMENT} characters'
                )
            text = self._replace(text, pattern, replacement)
        return text

    def _replace(self, text: str, pattern: str, replacement: str) -> str:
        if "$" not in replacement and not self.ignore_case:
            return text.replace(pattern, replacement, -1 if self.everywhere else 1)
        searched, sought = (fold(text), fold(pattern)) if self.ignore_case else (text, pattern)
        replaced, end = "", 0
        start = searched.find(sought)
        while start >= 0:
            stop = start + len(pattern)
            replaced += text[end:start] + _expand(replacement, text, start, stop)
            end = stop
            start = searched.find(sought, stop) if self.everywhere else -1
        return replaced + text[end:]


def _expand(replacement: str, text: str, start: int, stop: int) -> str:
    codes = {"$$": "$", "$&": text[start:stop], "$`": text[:start], "$'": text[stop:]}
    return _CODE.sub(lambda code: codes[code[0]], replacement)


def fold(text: str) -> str:
    """A text for comparison without case, character by character, as a JavaScript regex with flag i does."""
    return text.upper() if text.isascii() else "".join(map(_fold, text))


def _fold(char: str) -> str:
    upper = char.upper()
    if len(upper) != 1 or char > "\uffff" or (char > "\x7f" and upper <= "\x7f"):
        return char
    return upper
