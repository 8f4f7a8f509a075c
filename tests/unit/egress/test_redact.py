import pytest

from onward.egress import redact


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "X-API-Key",
        "apikey",
        "X-Signature",
        "webhook-signature",
        "X-Auth-Token",
        "x-amz-security-token",
        "X-Hub-Signature-256",
        "Ocp-Apim-Subscription-Key",
        "X-Access-Key-Id",
        "X-Session-Id",
    ],
)
def test_secret_headers_are_known(name):
    assert redact.headers({name: "v"}) == {name: redact.MASK}


@pytest.mark.parametrize(
    "name", ["Content-Type", "User-Agent", "Accept", "X-Request-Id", "X-Keyboard", "Author"]
)
def test_other_headers_stay(name):
    assert redact.headers({name: "v"}) == {name: "v"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h/x?a=b#c", "https://h/x?a=b#c"),
        ("https://user:pw@h/x", "https://•••@h/x"),
        ("https://h/?api_key=1&b=2&Token=3", "https://h/?api_key=•••&b=2&Token=•••"),
        ("https://h/?b=2;secret=x#f", "https://h/?b=2;secret=•••#f"),
        ("https://h/?access%5Ftoken=x", "https://h/?access%5Ftoken=•••"),
        ("https://h/?code=x&zipcode=1&monkey=2", "https://h/?code=•••&zipcode=1&monkey=2"),
        ("https://h/a@b?token", "https://h/a@b?token"),
        ("not a url", "not a url"),
    ],
)
def test_urls_lose_their_secrets_only(text, shown):
    assert redact.url(text) == shown


def test_xml_loses_its_secrets_only():
    """As AWS STS answers."""
    given = "<A><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s/1</SecretAccessKey><SessionToken>t=="
    shown = "<A><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>•••</SecretAccessKey><SessionToken>•••"
    assert redact.body(given) == shown
