"""Code at the moment it is saved: what it becomes, what is found, what is refused and with which line."""

import asyncio
import threading

import pytest

from onward.functions.checking import CodeChecker, check
from onward.functions.process import Limits
from onward.functions.sandbox import Confinement
from onward.functions.selftest import Boundary, Layer
from onward.functions.workshop import Busy, Workshop
from onward.workspace.errors import Invalid, Unavailable

from .tools import CONFINEMENT, PATIENT, http

TYPED = """interface Settings { url: string }
async function onTrack(event: any, settings: Settings): Promise<void> {
  await fetch(settings.url)
}
"""


async def test_javascript_is_kept_and_its_handlers_are_found() -> None:
    code = await check(CONFINEMENT, "async function onTrack() {}\nexports.onBatch = () => {}", limits=PATIENT)
    assert (code.language, code.compiled, code.handlers) == ("JAVASCRIPT", None, ("onBatch", "onTrack"))


async def test_typescript_is_told_by_itself_and_keeps_its_lines() -> None:
    code = await check(CONFINEMENT, TYPED, limits=PATIENT)
    assert (code.text, code.language, code.handlers) == (TYPED, "TYPESCRIPT", ("onTrack",))
    assert code.compiled is not None
    assert code.compiled.split("\n")[2] == TYPED.split("\n")[2]


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        (
            "async function onTrack() {\n  return a b\n}",
            None,
            "line 2: SyntaxError: Unexpected identifier 'b'",
        ),
        ("let a: number = 1\nlet b: = 2", None, "line 2: SyntaxError: Unexpected token `=`"),
        ("let a: number = 1", "JAVASCRIPT", "line 1: SyntaxError"),
        ("import x from 'y'", None, "Cannot use import statement"),
        ("function onTrack() {\n  if (1) {\n}", None, "line 3: SyntaxError: Unexpected end of input"),
        ("function onTrack() {\n}}", None, "line 2: SyntaxError: Unexpected token '}'"),
        ("\nnotThere()", None, "line 2: ReferenceError: notThere is not defined"),
        ("fetch('http://127.0.0.1:1').then(() => {}); throw new TypeError('no')", None, "TypeError: no"),
        ("process.exit()", None, "not"),
    ],
)
async def test_what_cannot_be_loaded_is_refused(text: str, language: str | None, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        await check(CONFINEMENT, text, language, PATIENT)  # type: ignore[arg-type]
    assert caught.value.field == "code"
    assert said in caught.value.message


async def test_code_that_does_not_end_is_refused() -> None:
    with pytest.raises(Invalid, match=r"did not load within 0\.5 s"):
        await check(CONFINEMENT, "for (;;) {}", limits=Limits(wall=0.5))


def test_a_checker_answers_at_once_for_what_it_was_asked_before() -> None:
    checker = CodeChecker(CONFINEMENT, limits=PATIENT)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(checker("async function onPage() {}", None)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [code.handlers for code in found] == [("onPage",)] * 3
    again = checker("async function onPage() {}", None)
    assert checker("async function onPage() {}", None) is again


def test_where_the_sandbox_does_not_hold_code_is_kept_unchecked_and_types_are_not_removed() -> None:
    unsafe = Confinement(libraries=CONFINEMENT.libraries, box=False)
    checker = CodeChecker(unsafe)
    checker._boundary = _nothing_holds()
    assert checker("a b", None).handlers is None
    with pytest.raises(Unavailable, match="save it as JavaScript"):
        checker("let a: number", "TYPESCRIPT")


def _nothing_holds() -> Boundary:
    return Boundary(permissions=Layer(True, "holds"), box=Layer(False, "off"))


def test_checks_do_not_take_all_threads() -> None:
    checker = CodeChecker(CONFINEMENT, limits=Limits(wall=2.0))
    refused: list[str] = []

    def save(number: int) -> None:
        try:
            checker(f"/* {number} */ for (;;) {{}}", None)
        except (Invalid, Unavailable) as error:
            refused.append(error.message)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("too many functions are being saved" in each for each in refused) == 4
    assert sum("did not load" in each for each in refused) == 8


async def test_test_runs_are_bounded_for_each_workspace_and_in_all() -> None:
    client = http()
    workshop = Workshop(client, trusted=True, confinement=CONFINEMENT, limits=Limits(wall=1.0))

    async def run(workspace_id: str) -> str:
        try:
            code = "async function onTrack() { await new Promise(() => {}) }"
            return (await workshop.try_out(code, {"type": "track"}, {}, workspace_id=workspace_id)).kind
        except Busy:
            return "busy"

    kinds = await asyncio.gather(*(run("a") for _ in range(6)), *(run("b") for _ in range(2)))
    assert kinds == ["Timeout"] * 4 + ["busy"] * 2 + ["Timeout"] * 2
    assert await run("a") == "Timeout", "there is room again"
    await client.close()
