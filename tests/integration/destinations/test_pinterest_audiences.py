"""Pinterest Audiences against a stub that follows Pinterest's OpenAPI description 5.23.0."""

import hashlib
import random
import re
from base64 import b64decode
from urllib.parse import unquote

import msgspec
import pytest
from integration.destinations.stub import Asked, Reply, Stub, calling, demand

from onward.destinations.definition import HookError
from onward.destinations.outcome import Outcome
from onward.destinations.pinterest_audiences import DEFINITION, SYNC, api, lists, sync
from onward.pipeline import mapping as mappings
from onward.pipeline.fields import compile_fields

ACCOUNT = "549755885175"
SETTINGS = {
    "account": ACCOUNT,
    "client_id": "1500000",
    "client_secret": "app secret",
    "refresh_token": "pinr.first",
}
RECORD = re.compile(r"[0-9a-f]{64}")


class Pinterest(Stub):
    hosts = ("api.pinterest.com",)

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[str] = []
        self.revoked: set[str] = set()
        self.refresh_tokens = ["pinr.first"]
        self.lists: dict[str, set[str]] = {"643": set(), "644": set()}
        self.audiences: list[dict] = []

    def reply(self, asked: Asked) -> Reply:
        demand(asked.path.startswith("/v5/"), f"{asked.path} is not of v5")
        path = asked.path.removeprefix("/v5")
        if path == "/oauth/token":
            return self._token(asked)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens or token in self.revoked:
            return 401, {"code": 2, "message": "Authentication failed."}
        account, _, rest = path.removeprefix("/ad_accounts/").partition("/")
        if account != ACCOUNT:
            return 404, {"code": 50, "message": "Ad account not found."}
        rest = f"/{rest}" if rest else ""
        template = re.sub(r"(/customer_lists/)[^/]+", r"\1{}", rest)
        demand((asked.method in ("POST", "PATCH")) == bool(asked.body), f"{rest}: a body where none belongs")
        match f"{asked.method} {template}":
            case "GET ":
                return 200, {"id": ACCOUNT, "name": "ACME"}
            case "GET /customer_lists":
                return self._listed(asked)
            case "POST /customer_lists":
                return self._created(asked.json)
            case "GET /customer_lists/{}":
                return self._one(rest)
            case "PATCH /customer_lists/{}":
                return self._updated(rest, asked.json)
            case "POST /audiences":
                return self._audience(asked.json)
        demand(False, f"there is no {asked.method} {rest}")
        return 404, None

    def _token(self, asked: Asked) -> Reply:
        demand(asked.method == "POST", "the token endpoint takes POST")
        pair = b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
        demand(
            [unquote(part.replace("+", " ")) for part in pair.split(":")] == ["1500000", "app secret"], pair
        )
        form = asked.form
        demand(form.keys() <= {"grant_type", "refresh_token", "scope"}, f"unknown members: {form.keys()}")
        demand(form["grant_type"] == "refresh_token", "grant_type")
        if form["refresh_token"] not in self.refresh_tokens:
            return 401, {"code": 283, "message": "The refresh token is invalid."}
        self.tokens.append(f"pina.{len(self.tokens)}")
        self.refresh_tokens.append(f"pinr.{len(self.refresh_tokens)}")
        return 200, {
            "response_type": "refresh_token",
            "access_token": self.tokens[-1],
            "token_type": "bearer",
            "expires_in": 2_592_000,
            "scope": "ads:read ads:write",
            "refresh_token": self.refresh_tokens[-1],
            "refresh_token_expires_in": 5_184_000,
            "refresh_token_expires_at": 1_800_000_000,
        }

    def _records(self, body: dict) -> set[str]:
        demand(isinstance(body.get("records"), str), "records is required, and text")
        records = body["records"].split(",")
        demand(all(RECORD.fullmatch(record) for record in records), "a record is no SHA-256 in lower case")
        demand(len(records) <= sync.MOST_RECORDS, f"{len(records)} records")
        demand(len(set(records)) == len(records), "a record is there twice")
        return set(records)

    def _listed(self, asked: Asked) -> Reply:
        demand(asked.query.keys() <= {"page_size", "order", "bookmark"}, f"{asked.query}")
        demand(1 <= int(asked.query.get("page_size", 25)) <= 250, "page_size")
        ids = sorted(self.lists)
        start = ids.index(asked.query["bookmark"].removesuffix("=&/")) if "bookmark" in asked.query else 0
        items = [
            {"id": each, "name": f"List {each}", "type": "customerlist"} for each in ids[start : start + 2]
        ]
        return 200, {"items": items, "bookmark": f"{ids[start + 2]}=&/" if start + 2 < len(ids) else None}

    def _created(self, body: dict) -> Reply:
        demand(body.keys() <= {"name", "records", "list_type"}, f"unknown members: {body.keys()}")
        demand(isinstance(body.get("name"), str) and body["name"], "name is required")
        demand(
            body.get("list_type") in ("EMAIL", "IDFA", "MAID", "LR_ID", "DLX_ID", "HASHED_PINNER_ID"), "type"
        )
        made = str(700 + len(self.lists))
        self.lists[made] = self._records(body)
        return 200, self._shown(made)

    def _one(self, rest: str) -> Reply:
        list_id = rest.rpartition("/")[2]
        if list_id not in self.lists:
            return 404, {"code": 3, "message": "Customer list not found."}
        return 200, self._shown(list_id)

    def _updated(self, rest: str, body: dict) -> Reply:
        list_id = rest.rpartition("/")[2]
        demand(body.keys() == {"operation_type", "records"}, f"members: {body.keys()}")
        demand(body["operation_type"] in ("ADD", "REMOVE"), "operation_type")
        records = self._records(body)
        if list_id not in self.lists:
            return 404, {"code": 3, "message": "Customer list not found."}
        if body["operation_type"] == "ADD":
            self.lists[list_id] |= records
        else:
            self.lists[list_id] -= records
        return 200, self._shown(list_id)

    def _audience(self, body: dict) -> Reply:
        demand(body.keys() == {"name", "audience_type", "rule"}, f"members: {body.keys()}")
        demand(body["audience_type"] == "CUSTOMER_LIST", "audience_type")
        demand(body["rule"].keys() == {"customer_list_id"}, "rule")
        demand(body["rule"]["customer_list_id"] in self.lists, "an audience of no list")
        self.audiences.append(body)
        return 200, {"id": "9", "ad_account_id": ACCOUNT, **body, "status": "INITIALIZING"}

    def _shown(self, list_id: str) -> dict:
        return {
            "ad_account_id": ACCOUNT,
            "created_time": 1_452_208_622,
            "id": list_id,
            "name": f"List {list_id}",
            "num_batches": 2,
            "num_removed_user_records": 0,
            "num_uploaded_user_records": len(self.lists[list_id]),
            "status": "PROCESSING",
            "type": "customerlist",
            "updated_time": 1_461_269_616,
            "exceptions": {},
        }


@pytest.fixture
def pinterest() -> Pinterest:
    return Pinterest()


@pytest.fixture
async def call(pinterest):
    async with calling(pinterest, dict(SETTINGS)) as call:
        yield call


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def person(email: str, *, add: bool, list_id: str = "643") -> dict:
    return {"list_id": list_id, "email": email, "operation": "add" if add else "remove"}


async def perform(call, payloads, events=None, **change) -> list[Outcome]:
    events = events or [{"type": "track", "event": "x"}] * len(payloads)
    outcomes = await SYNC.perform(msgspec.structs.replace(call, events=events, **change), payloads)
    assert len(outcomes) == len(payloads)
    return outcomes


def kinds(outcomes) -> list[str]:
    return [f"{each.kind} {each.code}".strip() for each in outcomes]


async def test_people_join_and_leave_lists(pinterest, call):
    payloads = [person(" Ada@Example.com ", add=True), person("bob@example.com", add=True, list_id="644")]
    assert kinds(await perform(call, payloads)) == ["delivered", "delivered"]
    assert pinterest.lists == {"643": {hashed("ada@example.com")}, "644": {hashed("bob@example.com")}}
    assert kinds(await perform(call, [person(hashed("ada@example.com").upper(), add=False)])) == ["delivered"]
    assert pinterest.lists["643"] == set()
    assert pinterest.paths().count("POST /v5/oauth/token") == 1


@pytest.mark.parametrize("seed", range(12))
async def test_lists_end_as_if_each_event_had_been_sent_alone(pinterest, call, seed):
    dice = random.Random(seed)
    expected: dict[str, set[str]] = {"643": set(), "644": set()}
    for _ in range(4):
        payloads = []
        for _ in range(dice.randrange(1, 30)):
            email, list_id, add = (
                f"{dice.randrange(6)}@x.example",
                dice.choice(["643", "644"]),
                dice.random() < 0.5,
            )
            payloads.append(person(email, add=add, list_id=list_id))
            (expected[list_id].add if add else expected[list_id].discard)(hashed(email))
        assert {each.kind for each in await perform(call, payloads)} == {"delivered"}
        assert pinterest.lists == expected


async def test_thousands_share_a_request(pinterest, call):
    payloads = [
        person(f"{n}@x.example", add=True) | {"mobile_advertising_id": f"ID-{n}"} for n in range(10_000)
    ]
    assert {each.kind for each in await perform(call, payloads)} == {"delivered"}
    assert pinterest.paths().count(f"PATCH /v5/ad_accounts/{ACCOUNT}/customer_lists/643") == 2
    assert len(pinterest.lists["643"]) == 20_000
    assert hashed("ID-7") in pinterest.lists["643"]


async def test_what_can_not_be_sent_costs_itself(pinterest, call):
    payloads = [
        person("ada@example.com", add=True),
        person("no address", add=True),
        person("bob@example.com", add=True, list_id="../audiences"),
        {"list_id": "643", "email": "eve@example.com", "operation": "auto"},
        {"email": "eve@example.com", "operation": "add"},
    ]
    outcomes = await perform(call, payloads)
    assert kinds(outcomes) == ["delivered", *["discarded MESSAGE_REJECTED"] * 4]
    reasons = ["email is no address", "'../audiences', not the id", "does not say whether", "list_id is ''"]
    for outcome, reason in zip(outcomes[1:], reasons, strict=True):
        assert reason in outcome.message
    assert pinterest.lists["643"] == {hashed("ada@example.com")}


async def test_a_list_that_is_gone_costs_only_its_people(pinterest, call):
    outcomes = await perform(
        call, [person("a@x.example", add=True), person("b@x.example", add=True, list_id="99")]
    )
    assert kinds(outcomes) == ["delivered", "discarded 404"]
    assert outcomes[1].message == "Customer list not found. (code 3)"


async def test_errors_of_a_list_are_told(pinterest, call):
    pinterest.answer("customer_lists/643", 200, {"id": "643", "exceptions": {"code": 2, "message": "No."}})
    (outcome,) = await perform(call, [person("a@x.example", add=True)])
    assert (outcome.kind, outcome.message) == ("discarded", "list 643: No.")


async def test_an_expired_token_is_replaced_once(pinterest, call):
    await perform(call, [person("a@x.example", add=True)])
    pinterest.revoked.add("pina.0")
    assert kinds(await perform(call, [person("b@x.example", add=True)])) == ["delivered"]
    pinterest.revoked |= {"pina.1", "pina.2"}
    outcomes = await perform(call, [person("c@x.example", add=True)])
    assert kinds(outcomes) == ["discarded 401"]
    assert outcomes[0].message == "Authentication failed. (code 2)"
    refreshed = [asked.form["refresh_token"] for asked in pinterest.asked if asked.path.endswith("/token")]
    assert refreshed == ["pinr.first", "pinr.1", "pinr.2"]


async def test_refused_credentials_discard(pinterest, call):
    settings = SETTINGS | {"refresh_token": "pinr.old"}
    (outcome,) = await perform(call, [person("a@x.example", add=True)], settings=settings)
    assert (outcome.kind, outcome.code) == ("discarded", "401")
    assert "pinr.old" not in outcome.message


async def test_an_access_token_alone_is_not_refreshed(pinterest, call):
    pinterest.tokens.append("pina.mine")
    settings = {"account": ACCOUNT, "access_token": "pina.mine"}
    payloads = [person("a@x.example", add=True)]
    assert kinds(await perform(call, payloads, settings=settings)) == ["delivered"]
    pinterest.revoked.add("pina.mine")
    assert kinds(await perform(call, payloads, settings=settings)) == ["discarded 401"]
    assert "POST /v5/oauth/token" not in pinterest.paths()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"account": ACCOUNT}, "nothing to sign in with"),
        (SETTINGS | {"account": "acme"}, "not an ad account id"),
    ],
)
async def test_settings_that_can_not_work_are_named(pinterest, call, settings, reason):
    (outcome,) = await perform(call, [person("a@x.example", add=True)], settings=settings)
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert reason in outcome.message
    assert pinterest.asked == []


@pytest.mark.parametrize(
    ("status", "kind", "after"),
    [(429, "retry 429", 7.0), (500, "retry 500", None), (403, "discarded 403", None)],
)
async def test_trouble_is_of_all_people_in_the_request(pinterest, call, status, kind, after):
    headers = {"Retry_After": "7"} if status == 429 else {}
    pinterest.answer("customer_lists/643", status, {"code": 8, "message": "No."}, **headers)
    outcomes = await perform(
        call, [person("a@x.example", add=True), person("b@x.example", add=True), person("x", add=True)]
    )
    assert kinds(outcomes) == [kind, kind, "discarded MESSAGE_REJECTED"]
    assert [each.retry_after for each in outcomes[:2]] == [after, after]


async def test_a_repeat_changes_nothing(pinterest, call):
    payloads = [person(f"{n}@x.example", add=n % 2 == 0) for n in range(9)]
    await perform(call, payloads)
    before = {list_id: set(people) for list_id, people in pinterest.lists.items()}
    await perform(call, payloads)
    assert pinterest.lists == before


async def test_a_list_is_made_with_its_audience(pinterest, call):
    made = await DEFINITION.audiences.create(call, "Loyal", {"list_type": "MAID"})
    assert made in pinterest.lists
    assert [(each["name"], each["rule"]) for each in pinterest.audiences] == [
        ("Loyal", {"customer_list_id": made})
    ]
    assert await DEFINITION.audiences.get(call, made, {}) == made


async def test_what_pinterest_refuses_to_make_is_told(pinterest, call):
    pinterest.answer("POST /v5/ad_accounts/549755885175/customer_lists", 403, {"code": 29, "message": "No."})
    with pytest.raises(HookError, match=r"made no list: No\. \(code 29\)"):
        await lists.create(call, "Loyal", {})
    pinterest.answer("/audiences", 400, {"code": 1, "message": "Too soon."})
    with pytest.raises(HookError, match=r"made the list 702, but no audience .* Use list_id 702"):
        await lists.create(call, "Loyal", {})
    with pytest.raises(HookError, match="does not give the list 99: Customer list not found"):
        await lists.get(call, "99", {})
    for wrong in ("", "../x", "1" * 19):
        with pytest.raises(HookError, match="not the id of a customer list"):
            await lists.get(call, wrong, {})
    with pytest.raises(HookError, match="list_type is 'PHONE'"):
        await lists.create(call, "Loyal", {"list_type": "PHONE"})


async def test_a_mapping_makes_its_list(pinterest, call):
    hook = SYNC.hooks["retlOnMappingSave"]
    outputs = await hook.perform(call, {}, {"list_name": "Mine"})
    mapping = {"retlOnMappingSave": {"inputs": {}, "outputs": outputs}}
    outcomes = await perform(call, [{"email": "a@x.example", "operation": "add"}], mapping=mapping)
    assert kinds(outcomes) == ["delivered"]
    assert hashed("a@x.example") in pinterest.lists[outputs["id"]]
    assert (await hook.perform(call, {}, {"list_id": "643"}))["id"] == "643"


async def test_lists_are_offered_page_by_page(pinterest, call):
    pinterest.lists["645"] = set()
    first = await DEFINITION.choices(call, "syncAudience", "list_id", {}, None)
    second = await DEFINITION.choices(call, "syncAudience", "list_id", {}, first.next_page)
    assert [choice["value"] for choice in (*first.choices, *second.choices)] == ["643", "644", "645"]
    assert second.next_page is None
    pinterest.answer("customer_lists", 500)
    assert (await DEFINITION.choices(call, "syncAudience", "list_id", {}, None)).error


async def test_the_connection_is_tested(pinterest, call):
    assert await DEFINITION.test(call) is None
    other = msgspec.structs.replace(call, settings=SETTINGS | {"account": "1"})
    assert await DEFINITION.test(other) == (
        "Pinterest does not give the ad account: Ad account not found. (code 50)"
    )


async def test_an_audience_event_goes_through_the_preset(pinterest, call):
    preset = DEFINITION.presets[0]
    personas = {"computation_class": "audience", "computation_key": "loyal", "external_audience_id": "644"}
    events = [
        {
            "type": "track",
            "event": name,
            "properties": {"loyal": name == "Audience Entered", "audience_key": "loyal"},
            "context": {"personas": personas, "traits": {"email": email}},
        }
        for name, email in (
            ("Audience Entered", "a@x.example"),
            ("Audience Entered", "b@x.example"),
            ("Audience Exited", "a@x.example"),
        )
    ]
    compiled, check = mappings.compile(preset.mapping), compile_fields(SYNC.fields)
    payloads = []
    for event in events:
        payload, problem = check(compiled(event), batch=True)
        assert problem is None
        payloads.append(payload)
    outcomes = await perform(call, payloads, events, mapping={"__segment_internal_sync_mode": "mirror"})
    assert kinds(outcomes) == ["delivered"] * 3
    assert pinterest.lists["644"] == {hashed("b@x.example")}


async def test_the_stub_refuses_what_the_documentation_does_not_allow(pinterest, call):
    pinterest.expected = True
    with pytest.raises(api.Refused, match="no SHA-256"):
        await api.ask(
            call, "PATCH", "/customer_lists/643", {"operation_type": "ADD", "records": "a@x.example"}
        )
    with pytest.raises(api.Refused, match="operation_type"):
        await api.ask(call, "PATCH", "/customer_lists/643", {"operation_type": "add", "records": hashed("a")})
