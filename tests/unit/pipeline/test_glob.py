"""The patterns of `match` (spec §7.2)."""

import time
from fnmatch import translate
from re import DOTALL, compile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline.fql import glob


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("abcd", "a*d", True), ("", "*", True), ("abc", "ab", False), ("abcd", "a??d", True),
        ("abcd", "*d", True), ("ab*d", "ab\\*d", True), ("abxd", "ab\\*d", False),
        ("abCd", "ab[cC]d", True), ("abcd", "ab[a-z]d", True), ("abcd", "ab[A-Z]d", False),
        ("", "", True), ("a", "", False), ("ab/c", "a*", True), ("a\nb", "a?b", True), ("a\nb", "a*", True),
        ("abc", "ab[^c]", False), ("abd", "ab[^c]", True), ("a☺b", "a?b", True), ("a☺b", "a???b", False),
        ("]", "[\\]a]", True), ("-", "[\\-]", True), ("x", "[x\\-]", True), ("z", "[x\\-]", False),
        ("axbxcxdxexxx/f", "a*b*c*d*e*/f", True), ("axbxcxdxexxx/fff", "a*b*c*d*e*/f", False),
        ("abxbbxdbxebxczzx", "a*b?c*x", True), ("abxbbxdbxebxczzy", "a*b?c*x", False),
        ("abcabcabc", "*a*b*c*", True), ("xxx", "*x", True), ("aXb", "a[z-a]b", False),
        ("aXb", "a[^z-a]b", True),
        ("*", "[*]", True), ("a*", "a[*]", True), ("a]", "a]", True), ("ab", "a**b", True),
        ("a.c", "a.c", True), ("abc", "a.c", False), ("aab", "*ab", True), ("ab", "*a*ab", False),
    ],
)  # fmt: skip
def test_table(text: str, pattern: str, expected: bool) -> None:
    assert glob.problem(pattern) is None
    assert glob.compile(pattern)(text) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        "[]a]",
        "[-]",
        "[x-]",
        "[-x]",
        "\\",
        "a\\",
        "[a-b-c]",
        "[",
        "[^",
        "[^bc",
        "a[",
        "[a-",
        "[\\",
        "[]",
        "*[",
    ],
)
def test_malformed_patterns_match_nothing(pattern: str) -> None:
    assert glob.problem(pattern)
    for text in ("", "a", "-", "]", pattern):
        assert not glob.compile(pattern)(text)


letters = st.text("ab[]\n", max_size=8)


@given(st.lists(st.sampled_from(["*", "?", "a", "b", "\\*", "[ab]", "[^a]"]), max_size=7), letters)
def test_agrees_with_the_standard_library(parts: list[str], text: str) -> None:
    theirs = "".join({"\\*": "[*]", "[^a]": "[!a]"}.get(part, part) for part in parts)
    assert glob.compile("".join(parts))(text) == bool(compile(translate(theirs), DOTALL).match(text))


@given(st.text(max_size=10), letters)
def test_any_pattern_answers(pattern: str, text: str) -> None:
    assert glob.compile(pattern)(text) in (True, False)
    if glob.problem(pattern):
        assert not glob.compile(pattern)(text)


def test_hostile_patterns_stay_cheap() -> None:
    matches = glob.compile("*a" * 100 + "*[^a]b")
    started = time.process_time()
    assert not matches("a" * 30_000)
    assert time.process_time() - started < 2.0
