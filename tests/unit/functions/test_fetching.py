"""Requests of functions: redirects, what does not follow to another origin, and the limits."""

import asyncio
from base64 import b64encode

import pytest

from onward.egress.http import EgressError, Request, Response
from onward.egress.masking import Masking
from onward.functions.fetching import Fetcher, FetchLimits
from onward.functions.wire import Fetch


class Web:
    """Answers by URL; everything else is 200."""

    def __init__(self, **answers: Response) -> None:
        self.answers = answers
        self.seen: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.seen.append(request)
        if "down" in request.url:
            raise EgressError("ECONNRESET", "reset")
        name = request.url.rpartition("/")[2]
        return self.answers.get(name, Response(status=200, headers={}, body=b"ok"))

    async def resolve(self, host: str) -> list[str]:
        return []

    async def close(self) -> None:
        pass


def to(location: str, status: int = 302) -> Response:
    return Response(status=status, headers={"location": location}, body=b"")


def fetch(web: Web, asked: Fetch, limits: FetchLimits | None = None, times: int = 1) -> dict[str, object]:
    async def all_() -> dict[str, object]:
        fetcher = Fetcher(web, Masking(()), limits or FetchLimits(), 5.0)
        for _ in range(times):
            answer = await fetcher.fetch(asked)
        return answer

    return asyncio.run(all_())


def asked(url: str, **more: object) -> Fetch:
    return Fetch(id=1, inv=1, url=url, **more)  # type: ignore[arg-type]


def test_secrets_do_not_follow_to_another_origin() -> None:
    web = Web(a=to("https://other.example/b"))
    headers = [("Authorization", "x"), ("X-Api-Key", "y"), ("Cookie", "z"), ("X-Mine", "m")]
    answer = fetch(web, asked("https://one.example/a", headers=headers))
    assert answer["redirected"] is True
    assert dict(web.seen[0].headers) == dict(headers)
    assert dict(web.seen[1].headers) == {"X-Mine": "m"}


def test_they_follow_within_it() -> None:
    web = Web(a=to("/b"))
    fetch(web, asked("https://one.example/a", headers=[("Authorization", "x")]))
    assert dict(web.seen[1].headers) == {"Authorization": "x"}


def test_nothing_follows_to_plain_http() -> None:
    web = Web(a=to("http://one.example/b"))
    assert fetch(web, asked("https://one.example/a"))["code"] == "INVALID_URL"
    assert len(web.seen) == 1


@pytest.mark.parametrize(("hops", "code"), [(5, None), (6, "EREDIRECT")])
def test_hops_are_limited(hops: int, code: str | None) -> None:
    web = Web(**{f"h{n}": to(f"/h{n + 1}") for n in range(hops)})
    assert fetch(web, asked("https://one.example/h0")).get("code") == code


def test_redirects_by_hand() -> None:
    web = Web(a=to("/b"))
    assert fetch(web, asked("https://one.example/a", redirect="manual"))["status"] == 302
    assert fetch(web, asked("https://one.example/a", redirect="error"))["code"] == "EREDIRECT"


def test_bodies_are_limited() -> None:
    limits = FetchLimits(body=10, bodies=25)
    big = Web(a=Response(status=200, headers={}, body=b"x" * 11))
    assert fetch(big, asked("https://one.example/a"), limits)["code"] == "ELIMIT"
    assert big.seen[0].keep == 11
    body = b64encode(b"x" * 11).decode()
    assert fetch(Web(), asked("https://one.example/", method="POST", body=body), limits)["code"] == "ELIMIT"
    some = Web(a=Response(status=200, headers={}, body=b"x" * 10))
    assert "code" not in fetch(some, asked("https://one.example/a"), limits, times=2)
    assert fetch(some, asked("https://one.example/a"), limits, times=3)["code"] == "ELIMIT"


def test_requests_are_limited() -> None:
    web = Web()
    limits = FetchLimits(requests=3)
    assert "code" not in fetch(web, asked("https://one.example/"), limits, times=3)
    assert fetch(web, asked("https://one.example/"), limits, times=4)["code"] == "ELIMIT"
    assert len(web.seen) == 6


def test_a_body_that_is_no_base64_and_an_error_of_the_network() -> None:
    assert "code" in fetch(Web(), asked("https://one.example/", method="POST", body="%%%"))
    assert fetch(Web(), asked("https://one.example/down"))["code"] == "ECONNRESET"
    assert "code" in fetch(Web(a=to("nonsense://x")), asked("https://one.example/a"))
