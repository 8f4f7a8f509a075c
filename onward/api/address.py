"""Where browsers find this Onward: what links that are handed out begin with."""

from typing import Any

from litestar import Request

from onward import forwarded
from onward.settings import Settings

AnyRequest = Request[Any, Any, Any]


def public_address(request: AnyRequest) -> str:
    """`https://onward.example.com`: the setting `public_url`, or else how this request has found the way."""
    settings: Settings = request.app.state.settings
    base = settings.public_url or f"{scheme(request)}://{request.headers.get('host', '')}"
    return base.rstrip("/")


def scheme(request: AnyRequest) -> str:
    """`http` or `https`, as the browser sees it."""
    return forwarded.scheme(dict(request.scope["headers"]), request.scope)
