import asyncio

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from onward.destinations.definition import Call
from onward.destinations.google import (
    ServiceAccount,
    TokenError,
    UserCredentials,
    access_token,
    authorized,
    forget,
)
from onward.egress.http import EgressError, Request

SCOPES = ["https://www.googleapis.com/auth/pubsub"]


@pytest.fixture
def account(key_file) -> ServiceAccount:
    return ServiceAccount.parse(key_file)


@pytest.fixture
def call(google) -> Call:
    return Call(
        settings={}, http=google, timeout=5.0, workspace_id="ws", source_id="src", destination_id="dst"
    )


async def test_a_service_account_signs_for_a_token(google, call, account):
    assert await access_token(call, account, ["a", "b"]) == "ya29.0"
    assert google.claims[0]["scope"] == "a b"
    assert "sub" not in google.claims[0]


async def test_it_can_stand_in_for_a_user(google, call, key_file):
    await access_token(call, ServiceAccount.parse(key_file, subject="ada@example.com"), SCOPES)
    assert google.claims[0]["sub"] == "ada@example.com"


async def test_a_refresh_token_gives_a_token(google, call):
    credentials = UserCredentials("id", "secret", google.refresh_token)
    assert await access_token(call, credentials, SCOPES) == "ya29.0"
    assert google.asked == [
        {
            "grant_type": "refresh_token",
            "client_id": "id",
            "client_secret": "secret",
            "refresh_token": google.refresh_token,
        }
    ]


async def test_a_token_is_kept_until_shortly_before_it_expires(google, call, account):
    assert await access_token(call, account, SCOPES) == await access_token(call, account, SCOPES) == "ya29.0"
    assert await access_token(call, account, ["other"]) == "ya29.1"
    google.lifetime = 59
    assert await access_token(call, account, ["short"]) == "ya29.2"
    assert await access_token(call, account, ["short"]) == "ya29.3"


async def test_many_who_want_the_same_token_ask_once(google, call, account):
    google.may_answer.clear()
    wanting = [asyncio.create_task(access_token(call, account, SCOPES)) for _ in range(50)]
    while not google.asked:
        await asyncio.sleep(0)
    wanting[0].cancel()  # the one who asked; the others get their token all the same
    google.may_answer.set()
    tokens = await asyncio.gather(*wanting, return_exceptions=True)
    assert isinstance(tokens[0], asyncio.CancelledError)
    assert set(tokens[1:]) == {"ya29.0"}
    assert len(google.asked) == 1


async def test_a_refused_token_is_replaced_once(google, call, account):
    request = Request(url="https://pubsub.googleapis.com/v1/x", headers={"x-a": "b"})
    assert (await authorized(call, account, SCOPES, request)).status == 200
    google.revoked.add("ya29.0")
    assert (await authorized(call, account, SCOPES, request)).status == 200
    assert google.granted == ["ya29.0", "ya29.1"]
    google.revoked |= {"ya29.1", "ya29.2"}
    assert (await authorized(call, account, SCOPES, request)).status == 401
    assert google.granted == ["ya29.0", "ya29.1", "ya29.2"]


async def test_a_newer_token_is_not_forgotten_for_an_older_one(google, call, account):
    assert await access_token(call, account, SCOPES) == "ya29.0"
    forget(account, SCOPES, "ya29.older")
    assert await access_token(call, account, SCOPES) == "ya29.0"


async def test_refused_credentials_are_final(google, call, account):
    with pytest.raises(TokenError) as raised:
        await access_token(call, UserCredentials("id", "secret", "1//other"), SCOPES)
    assert raised.value.outcome.kind == "discarded"
    assert raised.value.outcome.code == "401"
    assert raised.value.outcome.message == (
        "Google refuses the credentials: invalid_grant: Token has been revoked."
    )


async def test_another_key_is_refused(google, call, account):
    pem = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    stranger = ServiceAccount(account.client_email, pem, account.private_key_id)
    with pytest.raises(TokenError, match="Invalid JWT Signature"):
        await access_token(call, stranger, SCOPES)


async def test_trouble_of_the_endpoint_is_retried(google, call, account):
    google.answer(503, {"error": "internal_failure"}, retry_after="7")
    google.answers.append(EgressError("ECONNRESET", "reset"))
    google.answer(200, {"token_type": "Bearer"})
    google.answer(200, ["what?"])
    outcomes = []
    for _ in range(4):
        with pytest.raises(TokenError) as raised:
            await access_token(call, account, SCOPES)
        outcomes.append(
            (raised.value.outcome.kind, raised.value.outcome.code, raised.value.outcome.retry_after)
        )
    assert outcomes == [
        ("retry", "503", 7.0),
        ("retry", "ECONNRESET", None),
        ("retry", "RETRY", None),
        ("retry", "RETRY", None),
    ]
    assert await access_token(call, account, SCOPES) == "ya29.0"


async def test_a_key_that_is_none_is_a_fault_of_the_settings(google, call, account):
    for pem in ("", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(TokenError, match="private_key is not an RSA key") as raised:
            await access_token(call, ServiceAccount(account.client_email, pem), SCOPES)
        assert raised.value.outcome.code == "INVALID_SETTINGS"
    assert google.asked == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("[]", "not the key file of a service account"),
        ('{"type": "authorized_user"}', "not the key file of a service account"),
        ('{"type": "service_account", "client_email": "a@b"}', "has no private_key"),
        ('{"type": "service_account", "private_key": "x"}', "has no client_email"),
    ],
)
def test_what_is_no_key_file_is_named(text, problem):
    with pytest.raises(ValueError, match=problem):
        ServiceAccount.parse(text)


def test_a_key_file_may_leave_out_what_is_not_needed(key_file):
    parsed = orjson.loads(key_file)
    bare = ServiceAccount.parse(
        orjson.dumps({name: parsed[name] for name in ("type", "client_email", "private_key")})
    )
    assert bare.token_uri == "https://oauth2.googleapis.com/token"
    assert (bare.project_id, bare.private_key_id) == ("", "")


def test_secrets_do_not_show(account):
    shown = repr(account) + repr(UserCredentials("id", "hush", "silence"))
    assert "PRIVATE KEY" not in shown and "hush" not in shown and "silence" not in shown
