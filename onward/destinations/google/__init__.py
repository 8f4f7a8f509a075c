"""What destinations of Google have in common: access tokens. No destination itself.

    credentials = ServiceAccount.parse(call.settings["credentials"])
    response = await authorized(call, credentials, [SCOPE], Request(url=..., body=...))

`authorized` raises `TokenError`, whose `outcome` is what became of the payloads, and `EgressError`.
"""

from onward.destinations.google.credentials import ServiceAccount, UserCredentials
from onward.destinations.oauth import Grant as Credentials
from onward.destinations.oauth import TokenError, access_token, authorized, forget

__all__ = [
    "Credentials",
    "ServiceAccount",
    "TokenError",
    "UserCredentials",
    "access_token",
    "authorized",
    "forget",
]
