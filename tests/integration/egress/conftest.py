import asyncio

import pytest
import uvloop
from integration.egress.peers import LOOPBACK

from onward.egress.client import HttpClient
from onward.egress.guard import Guard


def pytest_asyncio_loop_factories(config, item):
    """Delivery runs on uvloop, tools on asyncio; their transports differ where it matters here."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture
async def client():
    client = HttpClient(Guard(LOOPBACK))
    yield client
    await client.close()
