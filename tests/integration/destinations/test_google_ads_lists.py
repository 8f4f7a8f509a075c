"""Google Ads Remarketing Lists against a stub that follows the protos of google/ads/googleads/v25 and the
REST pages of the Google Ads API."""

import hashlib
import random
import re
from urllib.parse import unquote

import msgspec
import orjson
import pytest
from integration.destinations.stub import Asked, Reply, Stub, calling, demand
from rig import Rig

from onward.destinations.definition import HookError
from onward.destinations.google_ads_lists import DEFINITION, SYNC, api, lists, sync
from onward.destinations.outcome import DELIVERED, Outcome
from onward.pipeline import mapping as mappings
from onward.pipeline.fields import compile_fields

CUSTOMER = "1234567890"
SETTINGS = {
    "account": "123-456-7890",
    "login_customer_id": "987-654-3210",
    "client_id": "id.apps.googleusercontent.com",
    "client_secret": "hush",
    "refresh_token": "1//first",
    "adUserData": "GRANTED",
    "adPersonalization": "GRANTED",
}
SHA256 = re.compile(r"[0-9a-f]{64}")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
IDENTIFIERS = {
    "hashedEmail": "CONTACT_INFO",
    "hashedPhoneNumber": "CONTACT_INFO",
    "addressInfo": "CONTACT_INFO",
    "thirdPartyUserId": "CRM_ID",
    "mobileId": "MOBILE_ADVERTISING_ID",
}


def failure(*errors: dict) -> list[dict]:
    kind = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"
    return [{"@type": kind, "errors": list(errors), "requestId": "abc"}]


def error(kind: str, word: str, *path: tuple, **more) -> dict:
    elements = [
        {"fieldName": name, "index": index} if index is not None else {"fieldName": name}
        for name, index in path
    ]
    location = {"location": {"fieldPathElements": elements}} if path else {}
    return {"errorCode": {kind: word}, "message": f"{word.lower()}.", **location, **more}


def refusal(status: int, word: str, *errors: dict) -> Reply:
    body = {"code": status, "message": "Request contains an invalid argument.", "status": word}
    return status, {"error": body | ({"details": failure(*errors)} if errors else {})}


class GoogleAds(Stub):
    hosts = ("googleads.googleapis.com", "oauth2.googleapis.com")

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[str] = []
        self.revoked: set[str] = set()
        self.lists = {"11": "CONTACT_INFO", "12": "CRM_ID", "13": "MOBILE_ADVERTISING_ID"}
        self.members: dict[str, set[bytes]] = {each: set() for each in self.lists}
        self.jobs: dict[str, dict] = {}
        self.made: list[dict] = []

    def reply(self, asked: Asked) -> Reply:
        demand(asked.method == "POST", f"{asked.method} {asked.path}")
        if asked.headers["x-forwarded-host"] == "oauth2.googleapis.com":
            return self._token(asked)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens or token in self.revoked:
            return refusal(401, "UNAUTHENTICATED", error("authenticationError", "OAUTH_TOKEN_EXPIRED"))
        demand(asked.headers.get("login-customer-id") == "9876543210", "login-customer-id")
        demand("developer-token" not in asked.headers, "developer-token was not asked for")
        found = re.fullmatch(r"/v26/(customers/(\d{10})/?[^:]*)(?::(\w+))?", unquote(asked.path))
        demand(found, f"{asked.path} is no resource of v26")
        resource, customer, verb = found.groups()
        demand(customer == CUSTOMER, f"customer {customer}")
        body = asked.json
        match resource.split("/")[2:], verb:
            case ["offlineUserDataJobs"], "create":
                return self._create(body)
            case ["offlineUserDataJobs", _], "addOperations":
                return self._fill(resource, body)
            case ["offlineUserDataJobs", _], "run":
                return self._run(resource, body)
            case ["userLists"], "mutate":
                return self._mutate(body)
            case ["googleAds"], "search":
                return self._search(body)
        demand(False, f"there is no {asked.path}")
        return 404, None

    def _token(self, asked: Asked) -> Reply:
        demand(asked.path == "/token", asked.path)
        form = asked.form
        demand(form.keys() == {"grant_type", "client_id", "client_secret", "refresh_token"}, f"{form.keys()}")
        demand(form["grant_type"] == "refresh_token", "grant_type")
        if form["refresh_token"] != "1//first":
            return 400, {"error": "invalid_grant", "error_description": "Token has been revoked."}
        self.tokens.append(f"ya29.{len(self.tokens)}")
        return 200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}

    def _create(self, body: dict) -> Reply:
        demand(body.keys() <= {"job", "validateOnly", "enableMatchRateRangePreview"}, f"{body.keys()}")
        job = body["job"]
        demand(job.keys() == {"type", "customerMatchUserListMetadata"}, f"job: {job.keys()}")
        demand(job["type"] == "CUSTOMER_MATCH_USER_LIST", "type")
        metadata = job["customerMatchUserListMetadata"]
        demand(metadata.keys() <= {"userList", "consent"}, f"metadata: {metadata.keys()}")
        consent = metadata.get("consent", {})
        demand(consent.keys() <= {"adUserData", "adPersonalization"}, f"consent: {consent.keys()}")
        demand(set(consent.values()) <= {"GRANTED", "DENIED"}, f"consent: {consent}")
        demand(re.fullmatch(rf"customers/{CUSTOMER}/userLists/\d+", metadata["userList"]), "userList")
        if "DENIED" in consent.values():
            return refusal(
                400,
                "INVALID_ARGUMENT",
                error("offlineUserDataJobError", "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"),
            )
        list_id = metadata["userList"].rpartition("/")[2]
        if list_id not in self.lists:
            return refusal(
                400,
                "INVALID_ARGUMENT",
                error("offlineUserDataJobError", "INVALID_USER_LIST_ID", ("job", None)),
            )
        name = f"customers/{CUSTOMER}/offlineUserDataJobs/{len(self.jobs) + 1}"
        self.jobs[name] = {"list": list_id, "consent": consent, "operations": [], "run": False}
        return 200, {"resourceName": name}

    def _fill(self, resource: str, body: dict) -> Reply:
        members = {"operations", "enablePartialFailure", "enableWarnings", "validateOnly"}
        demand(body.keys() <= members, f"{body.keys()}")
        demand(isinstance(body.get("operations"), list) and body["operations"], "operations is required")
        job = self.jobs[resource]
        demand(not job["run"], "JOB_ALREADY_STARTED")
        demand(body.get("enablePartialFailure") is True, "partial failure was not asked for")
        failed, identifiers = [], 0
        for place, operation in enumerate(body["operations"]):
            demand(len(operation) == 1 and operation.keys() <= {"create", "remove"}, f"{operation.keys()}")
            (verb, person), *_ = operation.items()
            demand(person.keys() == {"userIdentifiers"}, f"UserData: {person.keys()}")
            found = person["userIdentifiers"]
            demand(0 < len(found) <= 20, "TOO_MANY_USER_IDENTIFIERS in one operation")
            identifiers += len(found)
            problem = self._problem(self.lists[job["list"]], found)
            if problem:
                word, at = problem
                path = [("operations", place), (verb, None), ("user_identifiers", at)]
                failed.append(error("offlineUserDataJobError", word, *path))
            else:
                demand(
                    all(done == verb for done, _ in job["operations"]),
                    "CONFLICTING_OPERATION: both in one job",
                )
                job["operations"].append((verb, orjson.dumps(found)))
        demand(identifiers <= 100_000, "TOO_MANY_USER_IDENTIFIERS in one request")
        if not failed:
            return 200, {}
        first = f"Multiple errors in ‘details’. First error: {failed[0]['message']}"
        return 200, {"partialFailureError": {"code": 3, "message": first, "details": failure(*failed)}}

    def _problem(self, kind: str, found: list[dict]) -> tuple[str, int] | None:
        for at, identifier in enumerate(found):
            demand(len(identifier) == 1 and identifier.keys() <= IDENTIFIERS.keys(), f"{identifier.keys()}")
            (name, value), *_ = identifier.items()
            if IDENTIFIERS[name] != kind:
                return "INCOMPATIBLE_UPLOAD_KEY_TYPE", at
            if name == "addressInfo":
                names = {"hashedFirstName", "hashedLastName", "countryCode", "postalCode"}
                demand(value.keys() == names, f"addressInfo: {value.keys()}")
                demand(re.fullmatch("[A-Z]{2}", value["countryCode"]), "countryCode")
                hashes = (value["hashedFirstName"], value["hashedLastName"])
            else:
                demand(isinstance(value, str) and value, f"{name} is no text")
                hashes = (value,) if name.startswith("hashed") else ()
            if not all(SHA256.fullmatch(each) for each in hashes):
                return "INVALID_SHA256_FORMAT", at
            if name == "mobileId" and not UUID.fullmatch(value):
                return "INVALID_MOBILE_ID_FORMAT", at
        return None

    def _run(self, resource: str, body: dict) -> Reply:
        demand(body.keys() <= {"validateOnly"}, f"{body.keys()}")
        job = self.jobs[resource]
        demand(not job["run"] and job["operations"], "run twice, or empty")
        job["run"] = True
        for verb, person in job["operations"]:
            (self.members[job["list"]].add if verb == "create" else self.members[job["list"]].discard)(person)
        number = resource.rpartition("/")[2]
        return 200, {"name": f"customers/{CUSTOMER}/operations/{number}", "done": False}

    def _mutate(self, body: dict) -> Reply:
        demand(body.keys() <= {"operations", "partialFailure", "validateOnly"}, f"{body.keys()}")
        (operation,) = body["operations"]
        made = operation["create"]
        demand(
            made.keys()
            <= {"name", "description", "membershipStatus", "membershipLifeSpan", "crmBasedUserList"},
            f"UserList: {made.keys()}",
        )
        demand(0 <= int(made["membershipLifeSpan"]) <= 540, "membershipLifeSpan")
        info = made["crmBasedUserList"]
        demand(info.keys() <= {"uploadKeyType", "dataSourceType", "appId"}, f"{info.keys()}")
        demand(info["uploadKeyType"] in IDENTIFIERS.values(), "uploadKeyType")
        demand(info["dataSourceType"] == "FIRST_PARTY", "dataSourceType")
        demand(("appId" in info) == (info["uploadKeyType"] == "MOBILE_ADVERTISING_ID"), "appId")
        if any(each["name"] == made["name"] for each in self.made):
            return refusal(
                400,
                "INVALID_ARGUMENT",
                error("userListError", "INVALID_NAME", ("operations", 0), ("create", None)),
            )
        self.made.append(made)
        list_id = str(100 + len(self.made))
        self.lists[list_id] = info["uploadKeyType"]
        self.members[list_id] = set()
        return 200, {"results": [{"resourceName": f"customers/{CUSTOMER}/userLists/{list_id}"}]}

    def _search(self, body: dict) -> Reply:
        demand(body.keys() <= {"query", "pageToken"}, f"{body.keys()}")
        query = body["query"]
        if query == "SELECT customer.id FROM customer LIMIT 1":
            return 200, {"results": [{"customer": {"id": CUSTOMER}}], "fieldMask": "customer.id"}
        demand(query.startswith("SELECT user_list.id, user_list.name FROM user_list WHERE "), query)
        rows = [{"userList": {"id": each, "name": f"List {each}"}} for each in sorted(self.lists)]
        one = re.search(r"user_list\.id = (\d+)$", query)
        if one:
            rows = [row for row in rows if row["userList"]["id"] == one[1]]
            return 200, {"results": rows} if rows else {"fieldMask": "userList.id"}
        start = int(body.get("pageToken", 0))
        more = {"nextPageToken": str(start + 2)} if start + 2 < len(rows) else {}
        return 200, {"results": rows[start : start + 2], **more}


@pytest.fixture
def google() -> GoogleAds:
    return GoogleAds()


@pytest.fixture
async def call(google):
    async with calling(google, dict(SETTINGS)) as call:
        yield call


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def known(*identifiers: dict) -> bytes:
    return orjson.dumps(list(identifiers))


def by_email(email: str) -> bytes:
    return known({"hashedEmail": hashed(email)})


def person(email: str, *, add: bool = True, list_id: str = "11", **more) -> dict:
    return {"list_id": list_id, "email": email, "operation": "add" if add else "remove", **more}


async def perform(call, payloads, events=None, **change) -> list[Outcome]:
    events = events or [{"type": "track", "event": "x"}] * len(payloads)
    outcomes = await SYNC.perform(msgspec.structs.replace(call, events=events, **change), payloads)
    assert len(outcomes) == len(payloads)
    return outcomes


def kinds(outcomes) -> list[str]:
    return [f"{each.kind} {each.code}".strip() for each in outcomes]


async def test_a_job_is_made_filled_and_run(google, call):
    assert (
        kinds(await perform(call, [person(" Ada@Example.com "), person("bob@example.com")]))
        == ["delivered"] * 2
    )
    assert google.members["11"] == {by_email("ada@example.com"), by_email("bob@example.com")}
    assert [path.rpartition(":")[2] for path in google.paths()[1:]] == ["create", "addOperations", "run"]
    (job,) = google.jobs.values()
    assert job["consent"] == {"adUserData": "GRANTED", "adPersonalization": "GRANTED"}


async def test_removals_have_a_job_of_their_own_without_consent(google, call):
    await perform(call, [person("ada@example.com")])
    outcomes = await perform(call, [person("ada@example.com", add=False), person("bob@example.com")])
    assert kinds(outcomes) == ["delivered"] * 2
    assert google.members["11"] == {by_email("bob@example.com")}
    assert [job["consent"] for job in google.jobs.values()][1] == {}


@pytest.mark.parametrize("seed", range(12))
async def test_lists_end_as_if_each_event_had_been_sent_alone(google, call, seed):
    dice = random.Random(seed)
    expected: set[bytes] = set()
    for _ in range(4):
        payloads = []
        for _ in range(dice.randrange(1, 30)):
            email, add = f"{dice.randrange(6)}@x.example", dice.random() < 0.5
            consent = dice.choice(["GRANTED", "UNSPECIFIED"])
            payloads.append(person(email, add=add, ad_user_data_consent_state=consent))
            (expected.add if add else expected.discard)(by_email(email))
        settings = SETTINGS | {"adUserData": ""}
        assert {each.kind for each in await perform(call, payloads, settings=settings)} == {"delivered"}
        assert google.members["11"] == expected


async def test_all_that_a_person_is_known_by(google, call):
    address = {"first_name": " Zoë ", "last_name": "O'Brien", "country_code": "us", "postal_code": "94107"}
    payloads = [
        person("zoe@example.com", phone="(555) 234-5678", phone_country_code="1", **address),
        person("x", phone="+44 20 7946 0000"),
        person("x", list_id="12", external_id_type="CRM_ID", crm_id=" user-7 "),
        person("x", list_id="13", external_id_type="MOBILE_ADVERTISING_ID", mobile_advertising_id="no uuid"),
        person(
            "x",
            list_id="13",
            external_id_type="MOBILE_ADVERTISING_ID",
            mobile_advertising_id="AEBE52E7-03EE-455A-B3C4-E57283966239",
        ),
    ]
    outcomes = await perform(call, payloads)
    assert kinds(outcomes) == ["delivered"] * 3 + ["discarded MESSAGE_REJECTED", "delivered"]
    assert outcomes[3].message == "INVALID_MOBILE_ID_FORMAT: invalid_mobile_id_format."
    zoe = known(
        {"hashedEmail": hashed("zoe@example.com")},
        {"hashedPhoneNumber": hashed("+15552345678")},
        {
            "addressInfo": {
                "hashedFirstName": hashed("zoë"),
                "hashedLastName": hashed("obrien"),
                "countryCode": "US",
                "postalCode": "94107",
            }
        },
    )
    assert google.members["11"] == {zoe, known({"hashedPhoneNumber": hashed("+442079460000")})}
    assert google.members["12"] == {known({"thirdPartyUserId": "user-7"})}
    assert google.members["13"] == {known({"mobileId": "AEBE52E7-03EE-455A-B3C4-E57283966239"})}


async def test_what_can_not_be_sent_costs_itself(google, call):
    payloads = [
        person("ada@example.com"),
        person("no address", phone="555 234 5678"),
        person("bob@example.com", list_id="11 OR 1 = 1"),
        person("bob@example.com", external_id_type="CRM_ID"),
        person("bob@example.com", ad_user_data_consent_state="DENIED"),
        {"list_id": "11", "email": "eve@example.com", "operation": "auto"},
    ]
    outcomes = await perform(call, payloads)
    assert kinds(outcomes) == ["delivered", *["discarded MESSAGE_REJECTED"] * 5]
    reasons = [
        "email is no address",
        "not the id of a user list",
        "crm_id is empty",
        "consent is denied",
        "does not",
    ]
    for outcome, reason in zip(outcomes[1:], reasons, strict=True):
        assert reason in outcome.message
    assert google.members["11"] == {by_email("ada@example.com")}


async def test_refused_operations_are_those_of_their_payloads(google, call):
    """Places are counted in each request: removals have a job of their own (an index of one must not be taken
    for one of the other)."""
    payloads = [person(f"{n}@x.example", add=n % 3 != 0) for n in range(30)]
    wrong = {4, 7, 9, 21}
    for n in wrong:
        payloads[n] |= {"external_id_type": "CRM_ID", "crm_id": f"user-{n}"}
    outcomes = await perform(call, payloads)
    for n, outcome in enumerate(outcomes):
        assert outcome.kind == ("discarded" if n in wrong else "delivered"), n
        assert n not in wrong or outcome.message.startswith("INCOMPATIBLE_UPLOAD_KEY_TYPE: ")
    assert google.members["11"] == {by_email(f"{n}@x.example") for n in range(30) if n % 3 and n not in wrong}


async def test_thousands_share_a_job_and_all_may_be_refused(google, call):
    payloads = [person(f"{n}@x.example") for n in range(10_000)]
    for n in range(0, 10_000, 2):
        payloads[n] |= {"external_id_type": "CRM_ID", "crm_id": f"user-{n}"}
    outcomes = await perform(call, payloads)
    assert [each.kind for each in outcomes] == ["discarded", "delivered"] * 5_000
    assert len(google.members["11"]) == 5_000
    assert len(google.jobs) == 1
    await perform(call, payloads[::2])
    assert not list(google.jobs.values())[1]["run"]  # nothing was left to run


async def test_an_answer_that_is_cut_is_no_success(google, call, monkeypatch):
    monkeypatch.setattr(sync, "KEEP", 1_000)
    payloads = [person(f"{n}@x.example", external_id_type="CRM_ID", crm_id=f"{n}") for n in range(50)]
    assert set(kinds(await perform(call, payloads))) == {"retry RETRY"}
    assert not any(job["run"] for job in google.jobs.values())


async def test_a_list_that_is_gone_costs_only_its_people(google, call):
    outcomes = await perform(call, [person("a@x.example"), person("b@x.example", list_id="99")])
    assert kinds(outcomes) == ["delivered", "discarded 400"]
    assert outcomes[1].message == "INVALID_USER_LIST_ID: invalid_user_list_id."


@pytest.mark.parametrize("step", [":create", ":addOperations", ":run"])
@pytest.mark.parametrize(
    ("reply", "kind", "after"),
    [
        (refusal(503, "UNAVAILABLE"), "retry 503", None),
        (
            refusal(400, "INVALID_ARGUMENT", error("databaseError", "CONCURRENT_MODIFICATION")),
            "retry RETRY",
            None,
        ),
        (
            refusal(
                429,
                "RESOURCE_EXHAUSTED",
                error(
                    "quotaError",
                    "RESOURCE_EXHAUSTED",
                    details={"quotaErrorDetails": {"rateScope": "DEVELOPER", "retryDelay": "30s"}},
                ),
            ),
            "retry 429",
            30.0,
        ),
        (
            refusal(403, "PERMISSION_DENIED", error("authorizationError", "USER_PERMISSION_DENIED")),
            "discarded 403",
            None,
        ),
        ((200, b'{"cut'), "retry RETRY", None),
    ],
)
async def test_trouble_at_any_step_is_of_all_and_a_repeat_helps(google, call, step, reply, kind, after):
    google.queued.append((step, reply))
    payloads = [person("a@x.example"), person("b@x.example"), person("x")]
    outcomes = await perform(call, payloads)
    assert kinds(outcomes) == [kind, kind, "discarded MESSAGE_REJECTED"]
    assert outcomes[0].retry_after == after
    assert google.members["11"] == set()
    assert kinds(await perform(call, payloads[:2])) == ["delivered"] * 2
    assert google.members["11"] == {by_email("a@x.example"), by_email("b@x.example")}


async def test_retry_after_of_the_header_counts(google, call):
    google.answer(":create", 429, {"error": {"message": "Slow."}}, Retry_After="9")
    (outcome,) = await perform(call, [person("a@x.example")])
    assert (outcome.code, outcome.retry_after, outcome.message) == ("429", 9.0, "Slow.")


async def test_refusals_for_good_stay_when_the_run_fails(google, call):
    google.queued.append((":run", refusal(500, "INTERNAL", error("internalError", "INTERNAL_ERROR"))))
    payloads = [person("a@x.example"), person("b@x.example", external_id_type="CRM_ID", crm_id="7")]
    assert kinds(await perform(call, payloads)) == ["retry 500", "discarded MESSAGE_REJECTED"]


async def test_an_expired_token_is_replaced_once(google, call):
    await perform(call, [person("a@x.example")])
    google.revoked.add("ya29.0")
    assert kinds(await perform(call, [person("b@x.example")])) == ["delivered"]
    google.revoked |= {"ya29.1", "ya29.2"}
    (outcome,) = await perform(call, [person("c@x.example")])
    assert (outcome.kind, outcome.code) == ("discarded", "401")
    assert outcome.message == "OAUTH_TOKEN_EXPIRED: oauth_token_expired."
    assert google.tokens == ["ya29.0", "ya29.1", "ya29.2"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"account": "acme"}, "account is not a customer id"),
        ({"login_customer_id": "1"}, "login_customer_id is not a customer id"),
        ({"refresh_token": ""}, "refresh_token missing, and no service_account_key"),
        ({"service_account_key": "{}"}, "service_account_key: this is not the key file"),
    ],
)
async def test_settings_that_can_not_work_are_named(google, call, change, reason):
    (outcome,) = await perform(call, [person("a@x.example")], settings=SETTINGS | change)
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert reason in outcome.message
    assert google.asked == []


async def test_a_developer_token_is_sent_where_there_is_one(google, call):
    google.expected = True
    await perform(call, [person("a@x.example")], settings=SETTINGS | {"developer_token": "old"})
    assert google.violations == ["developer-token was not asked for"]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([], ["delivered"] * 3),
        ([error("x", "BAD", ("operations", 1))], ["delivered", "discarded", "delivered"]),
        (
            [error("x", "BAD", ("operations", 0)), error("x", "INTERNAL_ERROR", ("operations", 0))],
            ["retry", "delivered", "delivered"],
        ),
        ([error("x", "BAD")], ["discarded"] * 3),
        ([error("x", "BAD", ("operations", 7))], ["discarded"] * 3),
        ([error("x", "BAD", ("operations", None))], ["discarded"] * 3),
        (["?", {}], ["discarded"] * 3),
    ],
)
def test_errors_in_part_are_placed_or_of_all(errors, expected):
    answer = {"partialFailureError": {"code": 3, "details": [{"errors": errors}]}}
    assert [each.kind for each in sync.refused_in_part(answer, 3)] == expected
    assert sync.refused_in_part({"partialFailureError": "?"}, 2) == [DELIVERED] * 2


async def test_lists_are_made_and_found(google, call):
    made = await DEFINITION.audiences.create(call, "Loyal", {})
    assert google.lists[made] == "CONTACT_INFO"
    assert await DEFINITION.audiences.get(call, made, {}) == made
    mobile = await lists.create(
        call, "Apps", {"external_id_type": "MOBILE_ADVERTISING_ID", "app_id": "com.x"}
    )
    assert google.lists[mobile] == "MOBILE_ADVERTISING_ID"
    for name, settings, reason in (
        ("Loyal", {}, "Google made no list: INVALID_NAME"),
        ("", {}, "needs a name"),
        ("X", {"external_id_type": "MOBILE_ADVERTISING_ID"}, "needs the app_id"),
        ("X", {"external_id_type": "?"}, "external_id_type is"),
    ):
        with pytest.raises(HookError, match=reason):
            await lists.create(call, name, settings)
    with pytest.raises(HookError, match="has no user list 99"):
        await lists.get(call, "99", {})
    with pytest.raises(HookError, match="not the id of a user list"):
        await lists.get(call, "1 OR 1 = 1", {})


async def test_a_mapping_makes_its_list(google, call):
    hook = SYNC.hooks["retlOnMappingSave"]
    outputs = await hook.perform(call, {}, {"list_name": "Mine", "external_id_type": "CRM_ID"})
    mapping = {"retlOnMappingSave": {"inputs": {}, "outputs": outputs}}
    payload = {"external_id_type": "CRM_ID", "crm_id": "7", "operation": "add"}
    assert kinds(await perform(call, [payload], mapping=mapping)) == ["delivered"]
    assert google.members[outputs["id"]] == {known({"thirdPartyUserId": "7"})}
    assert (await hook.perform(call, {}, {"list_id": "11"}))["id"] == "11"


async def test_lists_are_offered_page_by_page(google, call):
    first = await DEFINITION.choices(call, "syncAudience", "list_id", {}, None)
    second = await DEFINITION.choices(call, "syncAudience", "list_id", {}, first.next_page)
    assert [choice["value"] for choice in (*first.choices, *second.choices)] == ["11", "12", "13"]
    assert second.next_page is None
    google.answer(":search", 500)
    assert (await DEFINITION.choices(call, "syncAudience", "list_id", {}, None)).error


async def test_the_connection_is_tested(google, call):
    assert await DEFINITION.test(call) is None
    other = msgspec.structs.replace(call, settings=SETTINGS | {"refresh_token": "1//other"})
    assert await DEFINITION.test(other) == (
        "Google does not give the account: Google refuses the credentials: "
        "invalid_grant: Token has been revoked."
    )


async def test_an_audience_event_goes_through_the_preset(google, call):
    personas = {"computation_class": "audience", "computation_key": "loyal", "external_audience_id": "11"}
    events = [
        {
            "type": "identify",
            "traits": {"loyal": loyal, "email": email},
            "context": {"personas": personas},
        }
        for loyal, email in ((True, "a@x.example"), (True, "b@x.example"), (False, "a@x.example"))
    ]
    compiled, check = mappings.compile(DEFINITION.presets[1].mapping), compile_fields(SYNC.fields)
    payloads = []
    for event in events:
        payload, problem = check(compiled(event), batch=True)
        assert problem is None
        payloads.append(payload)
    assert kinds(await perform(call, payloads, events)) == ["delivered"] * 3
    assert google.members["11"] == {by_email("b@x.example")}


class SyncRig(Rig):
    """A destination's loop whose action is that of Google Ads."""

    async def perform(self, call, payloads):
        self.requests.append([event["messageId"] for event in call.events])
        return await SYNC.perform(msgspec.structs.replace(call, settings=SETTINGS), payloads)


async def test_a_bulk_batch_is_sent_again_as_it_was(google, call, tmp_path):
    mapping = {
        "list_id": "11",
        "email": {"@template": "{{properties.n}}@x.example"},
        "operation": "add",
        "enable_batching": True,
        "batch_size": 5000,
    }
    rig = SyncRig(tmp_path / "state.db", mapping, bulk_from=1)
    rig.http = call.http
    google.queued.append((":run", refusal(503, "UNAVAILABLE")))
    rig.append(3_000)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.discarded) == (3_000, 0)
    again = [ids for ids in rig.requests if rig.requests.count(ids) == 2]
    assert len(again) == 2 and again[0] == again[1]
    assert sorted(rig.sent, key=lambda id: int(id[1:])) == sorted(
        [*(f"m{n}" for n in range(3_000)), *again[0]], key=lambda id: int(id[1:])
    )
    assert [job["run"] for job in google.jobs.values()].count(False) == 1
    assert google.members["11"] == {by_email(f"{n}@x.example") for n in range(3_000)}


async def test_the_stub_refuses_what_the_documentation_does_not_allow(google, call):
    google.expected = True
    with pytest.raises(api.Refused):
        await api.ask(call, f"customers/{CUSTOMER}/offlineUserDataJobs:create", b'{"job":{"type":"X"}}')
    job = await sync._create(call, "11", sync.How(True))
    for operations in ([], [{"create": {}}], [{"create": {"userIdentifiers": [{"email": "a"}]}}]):
        with pytest.raises(api.Refused):
            body = {"enablePartialFailure": True, "operations": operations}
            await api.ask(call, f"{job}:addOperations", orjson.dumps(body))
    with pytest.raises(api.Refused):
        await api.ask(call, f"{job}:run", b"{}")
    assert len(google.violations) == 5
