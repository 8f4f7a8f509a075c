"""No secret is ever in a record, however it is written: found by undoing what protocols do to texts."""

import gzip
import json
import string
from base64 import b64decode, b64encode, urlsafe_b64encode
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onward.egress import redact
from onward.egress.http import EgressError, Request, Response
from onward.egress.masking import Masking
from onward.egress.record import BODY, DryRun, Recorder

secrets = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="•")
    | st.sampled_from('"\\/+&=% \n<'),
    min_size=8,
    max_size=40,
).filter(lambda text: text == text.strip())

WRITTEN: dict[str, Any] = {
    "plain": lambda text: text,
    "json": json.dumps,
    "json in unicode": lambda text: json.dumps(text, ensure_ascii=False),
    "json as JavaScript may": lambda text: json.dumps(text).replace("/", "\\/"),
    "json upper": lambda text: '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 65536 else c for c in text) + '"',
    "url": lambda text: quote(text, safe=""),
    "url, lax": lambda text: quote(text, safe="/:,;=@!$'()*"),
    "url, lower": lambda text: quote(text, safe="").lower() if text.isdigit() else quote(text, safe=""),
    "form": quote_plus,
    "xml": escape,
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of a user": lambda text: b64encode(f"user:{text}".encode()).decode(),
    "base64 with a colon": lambda text: b64encode(f"{text}:".encode()).decode(),
    "base64 for urls": lambda text: urlsafe_b64encode(f"ab{text}!".encode()).decode(),
    "base64 in a url": lambda text: quote(b64encode(text.encode()).decode(), safe=""),
    "json in json": lambda text: json.dumps(json.dumps({"key": text})),
    "json in a url": lambda text: quote(json.dumps({"key": text}), safe=""),
    "url in json": lambda text: json.dumps(f"https://h/{quote(text)}?a=b"),
}


def unwritten(text: str) -> set[str]:
    """What people could read in a text, by undoing everything that is likely, in any order, three times."""
    found = {text}
    for _ in range(3):
        for each in list(found):
            found |= {unquote(each), unquote_plus(each)}
            try:
                decoded = json.loads(each)
            except ValueError:
                continue
            found |= {decoded} if isinstance(decoded, str) else {json.dumps(decoded, ensure_ascii=False)}
            if isinstance(decoded, dict):
                found |= {value for value in decoded.values() if isinstance(value, str)}
    return found


@pytest.mark.parametrize("way", WRITTEN)
@given(secret=secrets, before=st.text(max_size=5), after=st.text(max_size=5))
@example(secret="AbCd1234!+/x", before="", after="")
@example(secret="ключ-к-сейфу-😀", before="%E2%82", after="%")
def test_a_secret_is_found_however_it_is_written(way: str, secret: str, before: str, after: str) -> None:
    written = WRITTEN[way](secret)
    shown = Masking([secret]).text(f"{before} {written} {after}")
    assert redact.MASK in shown
    assert written not in shown
    assert not any(secret in read for read in unwritten(shown.strip()))
    # Not a whole half of it is left either.
    stem = written[len(written) // 4 : -(len(written) // 4)]
    assert stem not in shown


@given(secret=secrets, text=st.text(string.ascii_letters + "{}:, ", max_size=50))
def test_all_else_stays(secret: str, text: str) -> None:
    if secret not in text:
        masking = Masking([secret])
        assert masking.text(text) == text
        assert masking.text(f"({secret})") == f"({redact.MASK})"


def test_several_secrets_and_secrets_within_secrets() -> None:
    masking = Masking(["secret", "my-secret-key", {"inner": ["other-secret"]}, 4711, None, True, ""])
    assert masking.text("a secret, my-secret-key, other-secret") == "a •••, •••, •••"
    assert masking.json({"pin": 4711, "n": 1, "yes": True, "l": ["secret"], "secret": None}) == {
        "pin": "•••",
        "n": 1,
        "yes": True,
        "l": ["•••"],
        "•••": None,
    }
    assert Masking([]).text("anything") == "anything"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"access_token":"abc","token":"device"}', '{"access_token":"•••","token":"device"}'),
        ('{"a":{"clientSecret" : "a\\"b"},"apiKey":"x"}', '{"a":{"clientSecret" : "•••"},"apiKey":"•••"}'),
        ("grant_type=refresh_token&refresh_token=abc&x=1", "grant_type=refresh_token&refresh_token=•••&x=1"),
        ('{"code":"SAVE10","key":"v"}', '{"code":"SAVE10","key":"v"}'),
        ('{"password":"cut off he', '{"password":"•••"'),
    ],
)
def test_bodies_lose_what_their_names_say_is_secret(body: str, shown: str) -> None:
    assert redact.body(body) == shown


class Answering:
    """A client that answers with what it was asked."""

    def __init__(self, **answer: Any) -> None:
        self.answer = answer

    async def send(self, request: Request) -> Response:
        if "error" in self.answer:
            raise self.answer["error"]
        return Response(
            status=self.answer.get("status", 200),
            headers=self.answer.get("headers", {}),
            body=self.answer.get("body", request.body),
        )

    async def resolve(self, host: str) -> list[str]:
        return []

    async def close(self) -> None:
        raise AssertionError("a recorder closes nothing")


async def test_a_record_has_no_secret_in_any_of_its_parts() -> None:
    secret = 'sk "live" 1/2+3'
    recorder = Recorder(Answering(headers={"x-echo": secret, "set-cookie": "a=b"}), Masking([secret]))
    request = Request(
        url=f"https://u:p@h/{quote(secret)}?q={quote_plus(secret)}&api_key=other&page=2",
        headers={"Authorization": "Bearer else", "X-Mine": f"v {secret}"},
        body=json.dumps({"key": secret, "n": 1}).encode(),
    )
    response = await recorder.send(request)
    assert response.body == request.body, "the action gets what came"
    (exchange,) = recorder.exchanges()
    assert exchange.request.url == "https://•••@h/•••?q=•••&api_key=•••&page=2"
    assert exchange.request.headers == {"authorization": "•••", "x-mine": "v •••"}
    assert json.loads(exchange.request.body) == {"key": "•••", "n": 1}
    assert exchange.response is not None and exchange.duration_ms is not None
    assert exchange.response.headers == {"x-echo": "•••", "set-cookie": "•••"}
    assert json.loads(exchange.response.body) == {"key": "•••", "n": 1}
    await recorder.close()


async def test_compressed_bodies_are_shown_in_clear_and_others_not_at_all() -> None:
    secret = "a-long-secret"
    packed = gzip.compress(f'{{"key":"{secret}"}}'.encode())
    recorder = Recorder(Answering(body=b"\x00\xff" + secret.encode()), Masking([secret]))
    await recorder.send(Request(url="https://h/", headers={"Content-Encoding": "gzip"}, body=packed))
    await recorder.send(Request(url="https://h/", headers={"Content-Encoding": "gzip"}, body=b"no gzip"))
    first, second = recorder.exchanges()
    assert first.request.body == '{"key":"•••"}'
    assert first.response is not None and first.response.body == "(15 bytes that are no text)"
    assert second.request.body == "(7 bytes that are no text)"


async def test_a_record_is_bounded_and_says_what_it_left_out() -> None:
    recorder = Recorder(Answering(), Masking(["secret-at-the-edge"]), most=2)
    body = b"x" * (BODY - 4) + "secret-at-the-edge€".encode()
    for _ in range(3):
        await recorder.send(Request(url="https://h/", body=body))
    assert (len(recorder.exchanges()), recorder.left_out, recorder.count) == (2, 1, 3)
    shown = recorder.exchanges()[0].request.body
    assert len(shown) < BODY + 40 and "sec" not in shown
    cut = Recorder(Answering(body="€€".encode()[:5]), Masking([]))
    await cut.send(Request(url="https://h/"))
    answered = cut.exchanges()[0].response
    assert answered is not None and answered.body == "€", "an answer that was cut within a character"


async def test_failures_and_dry_runs_are_on_record() -> None:
    error = EgressError("ECONNREFUSED", "no connection to my-secret-host:443")
    recorder = Recorder(Answering(error=error), Masking(["my-secret-host"]))
    with pytest.raises(EgressError):
        await recorder.send(Request(url="https://my-secret-host/"))
    (exchange,) = recorder.exchanges()
    assert exchange.error is not None
    assert (exchange.error.code, exchange.error.message) == ("ECONNREFUSED", "no connection to •••:443")
    assert exchange.request.url == "https://•••/"
    dry = Recorder(DryRun(), Masking([]))
    with pytest.raises(EgressError, match="dry run"):
        await dry.send(Request(url="https://h/", body=b"{}"))
    assert dry.exchanges()[0].request.body == "{}" and dry.exchanges()[0].response is None


def test_the_helpers_of_this_test_read_what_they_should() -> None:
    assert b64decode(WRITTEN["base64 of a user"]("pw")) == b"user:pw"
    assert "pä/x" in unwritten(WRITTEN["json in a url"]("pä/x"))
