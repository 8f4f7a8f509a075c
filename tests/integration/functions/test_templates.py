"""Each template, in the real sandbox, against a server: when all goes well, and when it does not."""

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from onward.functions.source import Request
from onward.functions.templates import find, templates
from onward.functions.trial import Trial, try_out

from .tools import CONFINEMENT, PATIENT, Endpoint, endpoint, http

EVENT = {"type": "track", "event": "Order Completed", "userId": "u 1", "properties": {"product": "<Book>"}}


class Scene:
    """A template, a server that does as `answers` says, and runs of the one against the other."""

    def __init__(self, slug: str) -> None:
        found = find(slug)
        assert found is not None
        self.template = found
        self.answers: Callable[[str, str, dict[str, str], bytes], tuple[int, Any]] = lambda *_: (200, {})
        self.server: Endpoint

    async def run(self, payload: Any, **settings: Any) -> Trial:
        declared = {each.name: each for each in self.template.settings}
        assert settings.keys() <= declared.keys()
        assert {each.name for each in declared.values() if each.required} <= settings.keys()
        client = http()
        try:
            return await try_out(
                CONFINEMENT,
                self.template.code,
                payload.frame() if isinstance(payload, Request) else payload,
                settings,
                client,
                handler="onRequest" if self.template.kind == "SOURCE" else None,
                inserted=self.template.kind.startswith("INSERT"),
                secrets={name: value for name, value in settings.items() if declared[name].sensitive},
                limits=PATIENT,
            )
        finally:
            await client.close()

    @property
    def url(self) -> str:
        return self.server.url

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, _, _, body in self.server.seen]

    async def fails_as_documented(self, payload: Any, **settings: Any) -> None:
        """What the server can't do now is tried again; what it refuses is not."""
        for status, kind in ((503, "Retry"), (429, "Retry"), (400, "Bad Request")):
            self.answers = lambda *_, status=status: (status, {})
            assert (await self.run(payload, **settings)).kind == kind, status
        nowhere = {name: self.nowhere(value) for name, value in settings.items()}
        assert (await self.run(payload, **nowhere)).kind == "Retry"

    def nowhere(self, value: Any) -> Any:
        return value.replace(self.url, "http://127.0.0.1:1") if isinstance(value, str) else value


async def all_events(scene: Scene) -> None:
    assert (await scene.run(EVENT, url=scene.url)).ok
    assert scene.bodies() == [EVENT]
    assert (await scene.run({"type": "track"}, url=scene.url)).kind == "Message Rejected"
    assert (await scene.run({"type": "alias"}, url=scene.url)).kind == "Unsupported Event Type"
    await scene.fails_as_documented(EVENT, url=scene.url)


async def webhook_forwarder(scene: Scene) -> None:
    assert (await scene.run(EVENT, url=scene.url, secret="s3cret", headers={"X-Team": "a"})).ok
    ((_, _, headers, body),) = scene.server.seen
    assert headers["x-signature"] == hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["x-team"] == "a"
    assert (await scene.run(EVENT | {"type": "delete"}, url=scene.url)).ok
    assert "x-signature" not in scene.server.seen[1][2]
    await scene.fails_as_documented(EVENT, url=scene.url)


async def batch_forwarder(scene: Scene) -> None:
    trial = await scene.run([EVENT, EVENT], url=scene.url, apiKey="k3y")
    assert trial.items is not None and [each["action"] for each in trial.items] == ["delivered"] * 2
    assert (scene.bodies(), scene.server.seen[0][2]["authorization"]) == ([[EVENT, EVENT]], "Bearer k3y")
    scene.answers = lambda *_: (200, [{"status": 200}, {"status": 500, "message": "busy"}])
    trial = await scene.run([EVENT, EVENT], url=scene.url)
    assert trial.items is not None and [each["action"] for each in trial.items] == ["delivered", "retry"]
    scene.answers = lambda *_: (200, [{"status": 422, "message": "no"}])
    trial = await scene.run(EVENT, url=scene.url)
    assert (trial.kind, trial.message) == ("Bad Request", "no")
    await scene.fails_as_documented([EVENT], url=scene.url)
    await scene.fails_as_documented(EVENT, url=scene.url)


async def token_cached_api(scene: Scene) -> None:
    given: list[str] = []

    def answers(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if path == "/token":
            assert body == b"grant_type=client_credentials&client_id=me&client_secret=s3cret"
            given.append(f"token-{len(given)}")
            return 200, {"access_token": given[-1]}
        return (401 if headers["authorization"] == "Bearer token-0" else 200), {}

    settings = {
        "apiUrl": f"{scene.url}/api",
        "tokenUrl": f"{scene.url}/token",
        "clientId": "me",
        "clientSecret": "s3cret",
    }
    scene.answers = answers
    assert (await scene.run(EVENT, **settings)).ok
    assert given == ["token-0", "token-1"], "a token that was taken back is replaced"
    name = {"name": "Order Completed", "user": "u 1", "product": "<Book>"}
    assert json.loads(scene.server.seen[-1][3]) == name
    await scene.fails_as_documented(EVENT, **settings)


async def enrich_with_lookup(scene: Scene) -> None:
    settings = {"lookupUrl": f"{scene.url}/people/", "apiKey": "k3y", "url": f"{scene.url}/events"}
    scene.answers = lambda method, path, *_: (200, {"plan": "gold"}) if path == "/people/u%201" else (200, {})
    assert (await scene.run(EVENT, **settings)).ok
    assert json.loads(scene.server.seen[-1][3]) == EVENT | {"person": {"plan": "gold"}}
    scene.answers = lambda method, path, *_: (404 if "people" in path else 200, {})
    assert (await scene.run(EVENT, **settings)).ok
    assert json.loads(scene.server.seen[-1][3])["person"] is None
    await scene.fails_as_documented(EVENT, **settings)


async def batch_by_type(scene: Scene) -> None:
    scene.answers = lambda method, path, *_: ({"/track": 200, "/page": 400, "/identify": 503}[path], {})
    batch = [{"type": "track"}, {"type": "page"}, {"type": "identify"}, {"type": "track"}]
    trial = await scene.run(batch, url=scene.url)
    assert trial.items is not None
    assert [each["action"] for each in trial.items] == ["delivered", "discarded", "retry", "delivered"]
    assert {path: len(json.loads(body)) for _, path, _, body in scene.server.seen}["/track"] == 2
    await scene.fails_as_documented(EVENT, url=scene.url)


async def hash_personal_data(scene: Scene) -> None:
    person = {
        "type": "identify",
        "traits": {"email": " Ann@Example.com", "phone": "030 901820", "name": "Ann"},
    }
    assert (await scene.run(person, url=scene.url, country="DE")).ok
    hashed = [hashlib.sha256(text).hexdigest() for text in (b"ann@example.com", b"+4930901820")]
    assert scene.bodies() == [dict(zip(("email", "phone"), hashed, strict=True))]
    assert (await scene.run({"type": "identify"}, url=scene.url)).kind == "Message Rejected"
    await scene.fails_as_documented(person, url=scene.url)


async def slack_alert(scene: Scene) -> None:
    settings = {"webhookUrl": scene.url, "events": ["Order Completed"]}
    message = "{userId} bought {properties.product} {nothing}"
    trial = await scene.run(EVENT, **settings, message=message)
    assert trial.ok and scene.url not in str(trial.requests), "the address is a secret"
    assert (await scene.run(EVENT | {"event": "Other"}, **settings)).ok
    assert (await scene.run(EVENT, **settings)).ok
    texts = [{"text": "u 1 bought &lt;Book&gt; "}, {"text": "*Order Completed* by u 1"}]
    assert scene.bodies() == texts
    await scene.fails_as_documented(EVENT, **settings)


async def forget_people(scene: Scene) -> None:
    settings = {"url": f"{scene.url}/people/", "apiKey": "k3y"}
    person = {"type": "delete", "userId": "u/1"}
    assert (await scene.run(person, **settings)).ok
    assert scene.server.seen[0][:2] == ("DELETE", "/people/u%2F1")
    scene.answers = lambda *_: (404, {})
    assert (await scene.run(person, **settings)).ok, "gone already"
    assert (await scene.run(EVENT, **settings)).kind == "Unsupported Event Type"
    await scene.fails_as_documented(person, **settings)


async def drop_internal_users(scene: Scene) -> None:
    settings = {"domains": ["Example.com"], "addresses": ["192.0.2.1"]}
    assert (await scene.run(EVENT, **settings)).value == EVENT
    for ours in (
        {"type": "identify", "traits": {"email": "ann@example.COM"}},
        EVENT | {"context": {"ip": "192.0.2.1"}},
        EVENT | {"userId": "ann@example.com"},
    ):
        assert (await scene.run(ours, **settings)).action == "filtered", ours
    assert (await scene.run(EVENT)).value == EVENT


async def rename_events(scene: Scene) -> None:
    settings = {"events": {"Order Completed": "purchase"}, "properties": {"product": "item"}}
    renamed = EVENT | {"event": "purchase", "properties": {"item": "<Book>"}}
    assert (await scene.run(EVENT, **settings)).value == renamed
    assert (await scene.run(EVENT)).value == EVENT
    page = {"type": "page", "name": "Home"}
    assert (await scene.run(page, **settings)).value == page


async def mask_personal_data(scene: Scene) -> None:
    event = EVENT | {"properties": {"email": "ann@example.com", "deep": [{"phone": 5}], "n": 1}}
    value = (await scene.run(event, fields=["email", "phone"], key="k3y")).value
    hashed = [hmac.new(b"k3y", text, hashlib.sha256).hexdigest() for text in (b"ann@example.com", b"5")]
    assert value == EVENT | {"properties": {"email": hashed[0], "deep": [{"phone": hashed[1]}], "n": 1}}


async def json_webhook(scene: Scene) -> None:
    settings = {"eventPath": "kind", "userPath": "user.id", "idPath": "id", "token": "t0ken"}
    item = {"kind": "Paid", "user": {"id": 7}, "id": "m1"}
    authorized = [("content-type", "application/json"), ("authorization", "Bearer t0ken")]

    async def post(body: Any, headers: Any = authorized, **more: Any) -> Trial:
        request = Request(url="https://x.example/", headers=headers, body=json.dumps(body))
        return await scene.run(request, **settings | more)

    trial = await post([item, item | {"id": None}])
    event = {"type": "track", "event": "Paid", "userId": "7", "properties": item}
    assert trial.events == [event | {"messageId": "m1"}, event | {"properties": item | {"id": None}}]
    assert (await post(item, eventPath="none")).events[0]["event"] == "Webhook Received"  # type: ignore[index]
    assert (await post({"kind": "Paid"})).kind == "Message Rejected"
    for headers in ([], [("authorization", "Bearer wrong")]):
        assert (await post(item, headers)).kind == "Message Rejected"


async def stripe_webhook(scene: Scene) -> None:
    customer = {"object": "customer", "id": "cus_1", "email": "a@example.com", "metadata": {}}
    body = json.dumps(
        {"id": "evt_1", "type": "customer.created", "created": 1_700_000_000, "data": {"object": customer}}
    )

    async def post(signed_at: float, secret: bytes = b"whsec", body: str = body) -> Trial:
        signed = f"{signed_at:.0f}.{body}".encode()
        signature = hmac.new(secret, signed, hashlib.sha256).hexdigest()
        headers = [("stripe-signature", f"t={signed_at:.0f},v0=00,v1=00,v1={signature}")]
        return await scene.run(
            Request(url="https://x.example/", headers=headers, body=body), signingSecret="whsec"
        )

    trial = await post(time.time())
    assert trial.events == [
        {
            "type": "identify",
            "userId": "cus_1",
            "messageId": "evt_1-identify",
            "timestamp": "2023-11-14T22:13:20.000Z",
            "traits": {"email": "a@example.com"},
        },
        {
            "type": "track",
            "userId": "cus_1",
            "messageId": "evt_1",
            "timestamp": "2023-11-14T22:13:20.000Z",
            "event": "Customer Created",
            "properties": {"id": "cus_1", "email": "a@example.com", "metadata": {}},
        },
    ]
    for refused in (post(time.time() - 600), post(time.time(), secret=b"other")):
        assert (await refused).kind == "Message Rejected"
    unsigned = Request(url="https://x.example/", body=body)
    assert (await scene.run(unsigned, signingSecret="whsec")).kind == "Message Rejected"
    invoice = body.replace('"customer"', '"invoice"').replace("customer.created", "invoice.payment_failed")
    trial = await post(
        time.time(), body=invoice.replace('"id": "cus_1"', '"id": "in_1", "customer": "cus_1"')
    )
    assert trial.events is not None
    assert [(each["event"], each["userId"]) for each in trial.events] == [("Invoice Payment Failed", "cus_1")]


SCENES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    scene.__name__.replace("_", "-"): scene
    for scene in (
        *(
            all_events,
            webhook_forwarder,
            batch_forwarder,
            token_cached_api,
            enrich_with_lookup,
            batch_by_type,
        ),
        *(hash_personal_data, slack_alert, forget_people, drop_internal_users, rename_events),
        *(mask_personal_data, json_webhook, stripe_webhook),
    )
}


def test_every_template_is_played() -> None:
    assert SCENES.keys() == {each.slug for each in templates()}


@pytest.mark.parametrize("slug", SCENES)
async def test_a_template_does_what_it_says(slug: str) -> None:
    scene = Scene(slug)

    def answer(*asked: Any) -> tuple[int, dict[str, str], bytes]:
        status, body = scene.answers(*asked)
        return status, {"content-type": "application/json"}, json.dumps(body).encode()

    async with endpoint(answer) as server:
        scene.server = server
        await SCENES[slug](scene)
