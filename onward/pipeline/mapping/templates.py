"""`@template`: text with `{{path}}` and `{{{path}}}` in it (spec §9.4).

Both kinds insert alike, without escaping. Triple braces are replaced first, and double braces in the result,
so a value put in by triple braces may itself hold placeholders. Missing and null values leave nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

from onward.pipeline.javascript import UNDEFINED, WHITESPACE, to_string
from onward.pipeline.mapping import paths

Renderer = Callable[[Any], str]


def compile_template(template: str) -> Renderer:
    if any(_placeholders(template, 3)):
        return lambda root: _fill(_fill(template, 3, root), 2, root)
    getters: list[paths.Getter] = []
    pattern, end = "", 0
    for start, stop, path in _placeholders(template, 2):
        getters.append(paths.getter(path) if paths.split(path) else _whole)
        pattern += template[end:start].replace("%", "%%") + "%s"
        end = stop
    if not getters:
        return lambda root: template
    pattern += template[end:].replace("%", "%%")
    if pattern == "%s":
        get = getters[0]
        return lambda root: _text(get(root))
    return lambda root: pattern % tuple([_text(get(root)) for get in getters])


def _fill(template: str, braces: int, root: Any) -> str:
    filled, end = "", 0
    for start, stop, path in _placeholders(template, braces):
        value = paths.get(root, path) if paths.split(path) else _whole(root)
        filled += template[end:start] + _text(value)
        end = stop
    return filled + template[end:]


def _placeholders(template: str, braces: int) -> Iterator[tuple[int, int, str]]:
    """Where placeholders start and stop, and their paths. Linear in the text, whatever stands in it."""
    opening, closing = "{" * braces, "}" * braces
    start = template.find(opening)
    while start >= 0:
        content = start + braces
        stop = template.find("}", content)
        if stop < 0:
            return
        if stop > content and template.startswith(closing, stop):
            yield start, stop + braces, template[content:stop].strip(WHITESPACE)
            stop += braces - 1
        start = template.find(opening, stop + 1)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    return "" if value is None or value is UNDEFINED else to_string(value)


def _whole(root: Any) -> Any:
    return {} if root is UNDEFINED else root
