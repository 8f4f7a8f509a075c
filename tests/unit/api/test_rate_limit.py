"""How many requests a caller may make."""

from email.utils import parsedate_to_datetime

import httpx
import pytest
from litestar import Litestar

from onward.api import rate_limit
from onward.api.rate_limit import RateLimit


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_each_minute_begins_anew() -> None:
    clock = Clock(59.5)
    limit = RateLimit(2, clock)
    assert [limit.take("a").exceeded for _ in range(3)] == [False, False, True]
    standing = limit.take("b")
    assert (standing.remaining, standing.consumed, standing.ms_before_next) == (1, 1, 500)
    clock.now = 60.0
    assert not limit.take("a").exceeded
    assert limit.take("a").reset_at == 120


def test_callers_beyond_a_number_share_a_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MOST", 2)
    limit = RateLimit(10, Clock(0))
    assert [limit.take(key).consumed for key in "abcdab"] == [1, 1, 1, 2, 2, 2]


async def test_the_headers_are_on_every_answer(client: httpx.AsyncClient) -> None:
    before = 0
    for method, path in [("GET", "/"), ("GET", "/nothing"), ("PUT", "/"), ("OPTIONS", "/"), ("GET", "/docs")]:
        headers = (await client.request(method, path)).headers
        assert int(headers["x-ratelimit-consumed"]) > before or before == 0
        before = int(headers["x-ratelimit-consumed"])
        left = int(headers["x-ratelimit-limit"]) - int(headers["x-ratelimit-consumed"])
        assert int(headers["x-ratelimit-remaining"]) == left
        assert parsedate_to_datetime(headers["x-ratelimit-reset"]).second == 0


async def test_too_many_are_refused_and_told_until_when(
    app: Litestar, client: httpx.AsyncClient, member_token: str
) -> None:
    clock = Clock(600.25)
    app.state.rate_limit = RateLimit(3, clock)
    assert [(await client.get("/")).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = await client.get("/sources")
    (error,) = refused.json()["errors"]
    assert refused.status_code == 429 and error["type"] == "too-many-requests"
    assert error["data"] == {"remainingPoints": 0, "msBeforeNext": 59750, "consumedPoints": 5}
    assert refused.headers["retry-after"] == "60" and refused.headers["x-ratelimit-remaining"] == "0"
    other = await client.get("/", headers={"authorization": f"Bearer {member_token}"})
    assert other.status_code == 200, "each caller has a count of their own"
    clock.now = 660
    assert (await client.get("/")).status_code == 200


async def test_strangers_are_counted_by_address(app: Litestar) -> None:
    app.state.rate_limit = RateLimit(2, Clock(0))
    for address, expected in (("10.0.0.1", [401, 401, 429]), ("10.0.0.2", [401])):
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://onward/api") as client:
            assert [(await client.get("/")).status_code for _ in expected] == expected


async def test_made_up_tokens_are_counted_by_address_and_a_good_one_by_itself(
    app: Litestar, client: httpx.AsyncClient
) -> None:
    app.state.rate_limit = RateLimit(2, Clock(0))
    assert (await client.get("/")).status_code == 200
    made_up = [{"authorization": f"Bearer made-up-{n}"} for n in range(3)]
    assert [(await client.get("/", headers=each)).status_code for each in made_up] == [401, 401, 429]
    assert (await client.get("/")).status_code == 200, "it is known, and does not pay for strangers"
    assert (await client.get("/")).status_code == 429


async def test_what_a_caller_says_that_it_is_forwarded_for_gets_it_no_other_count(app: Litestar) -> None:
    app.state.rate_limit = RateLimit(2, Clock(0))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward/api") as client:
        answers = [
            await client.get("/", headers={"x-forwarded-for": said})
            for said in ("1.1.1.1, 8.8.8.8", "1.1.1.2,8.8.8.8, 10.0.0.7", "1.1.1.3, 8.8.8.8", "8.8.4.4", "?")
        ]
    assert [each.status_code for each in answers] == [401, 401, 429, 401, 401]
