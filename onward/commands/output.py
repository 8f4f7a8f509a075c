"""How commands that ask the Public API answer: tables and tests for people, `--json` for programs."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON.", negative=(), show_default=False)]

WIDE = 160
"""Columns where there is no terminal whose width could be taken."""
LINES = 60
"""Of a body that are shown; `--json` has all."""


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def console() -> "Console":
    from rich.console import Console

    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if known else WIDE, highlight=False, markup=False)


def say(text: str) -> None:
    """Plain words: no table, no colours, never wrapped."""
    print(text)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    rows = list(rows)
    if not rows:
        say("(none)")
        return
    shown = Table(*heads, box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for row in rows:
        shown.add_row(*row)
    console().print(shown)


def value(given: Any) -> str:
    """A setting or a field's mapping in one line."""
    if given is None:
        return ""
    if isinstance(given, str):
        return given
    if isinstance(given, dict) and set(given) == {"@path"} and isinstance(given["@path"], str):
        return given["@path"]
    return json.dumps(given, ensure_ascii=False)


# Tests


def show_exchanges(exchanges: Sequence[Mapping[str, Any]], left_out: int = 0) -> None:
    out = console()
    for exchange in exchanges:
        request, response, error = exchange["request"], exchange["response"], exchange["error"]
        out.print()
        out.print(_line(f"{request['method']} {request['url']}", "bold"), soft_wrap=True)
        _headers(out, request["headers"])
        _body(out, request["body"])
        took = "" if exchange["durationMs"] is None else f" in {exchange['durationMs']:g} ms"
        if response is not None:
            good = 200 <= response["status"] < 300
            out.print(_line(f"→ {response['status']}{took}", "bold green" if good else "bold red"))
            _body(out, response["body"])
        elif error is not None:
            out.print(_line(f"→ {error['code']}: {error['message']}", "bold yellow"), soft_wrap=True)
        else:
            out.print(_line("→ not sent", "bold cyan"))
    if left_out:
        out.print(f"({left_out} more requests)")


def show_result(result: Mapping[str, Any]) -> None:
    """What one mapping did with an event."""
    out = console()
    name = result["name"] or result["actionSlug"]
    style, word = _verdict(result)
    out.print(_line(f"{name} ({result['actionSlug']}): ", "bold").append(word, style), soft_wrap=True)
    problem = result["problem"]
    if problem is not None:
        where = f" ({', '.join(problem['fields'])})" if problem["fields"] else ""
        out.print(f"  {problem['code']}: {problem['message']}{where}", soft_wrap=True)
    if result["payload"] is not None:
        out.print("payload")
        _body(out, json.dumps(result["payload"]))
    show_exchanges(result["exchanges"], result["exchangesLeftOut"])


def show_insertion(run: Mapping[str, Any] | None) -> None:
    """What the insert function did, if there is one."""
    if run is None:
        return
    out = console()
    style, word = ("red", run["code"]) if run["code"] else ("green", "let the event through")
    took = f" in {run['trial']['wallMs']:g} ms" if run["trial"] else ""
    head = _line(f"insert function {run['name']}: ", "bold").append(word, style).append(took)
    out.print(head, soft_wrap=True)
    if run["message"]:
        out.print(f"  {run['message']}", soft_wrap=True)
    if run["trial"] is None:
        return
    for each in run["trial"]["logs"]:
        out.print(f"  {each['level']}: {each['text']}", soft_wrap=True, markup=False, highlight=False)
    if not run["code"] and run["trial"]["value"] is not None:
        out.print("event")
        _body(out, json.dumps(run["trial"]["value"]))
    show_exchanges(run["trial"]["requests"])


def show_outcome(result: Mapping[str, Any]) -> None:
    outcome = result["outcome"]
    if outcome is not None and outcome["kind"] != "delivered":
        again = " (a delivery would be tried again)" if outcome["kind"] == "retry" else ""
        console().print(f"{outcome['code']}: {outcome['message']}{again}", soft_wrap=True)


def _verdict(result: Mapping[str, Any]) -> tuple[str, str]:
    if not result["matched"]:
        return "yellow", "the event does not meet its trigger; nothing was sent"
    if result["problem"] is not None:
        return "red", "no payload"
    if result["outcome"] is None:
        return "cyan", "not sent"
    kind = result["outcome"]["kind"]
    return {"delivered": "green", "retry": "yellow"}.get(kind, "red"), kind


def _headers(out: "Console", headers: Mapping[str, str]) -> None:
    for name, text in headers.items():
        out.print(_line(f"  {name}: ", "dim").append(text), soft_wrap=True)


def _body(out: "Console", text: str) -> None:
    if not text:
        return
    with suppress(ValueError, RecursionError):  # what is no JSON is shown as it is
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    lines = text.splitlines()
    for line in lines[:LINES]:
        out.print(f"  {line}", soft_wrap=True)
    if len(lines) > LINES:
        out.print(f"  … ({len(lines) - LINES} lines more; --json has all)")


def _line(text: str, style: str) -> "Text":
    from rich.text import Text

    return Text().append(text, style)
