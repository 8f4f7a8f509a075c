"""Operations that Onward has nothing behind."""

import re

import httpx

from onward.api.segment import UNAVAILABLE


async def test_each_says_so(client: httpx.AsyncClient) -> None:
    for method, path, _ in UNAVAILABLE:
        reply = await client.request(method, re.sub(r"\{[^}]*\}", "x", path))
        (error,) = reply.json()["errors"]
        assert reply.status_code == 403 and error["type"] == "forbidden"
        assert "not available" in error["message"] and "Engage" in error["message"]


async def test_strangers_learn_nothing(client: httpx.AsyncClient) -> None:
    reply = await client.get("/spaces", headers={"authorization": "Bearer nope"})
    assert reply.status_code == 401
