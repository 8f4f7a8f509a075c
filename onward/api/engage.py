"""Operations of Segment Engage, which Onward has not: profiles, audiences, computed traits, messaging.

They are routed, so that a client learns what is the matter: 403, as Segment says it to a workspace without
the feature, whatever was asked for.
"""

import re
from typing import Any

from litestar import HttpMethod
from litestar.handlers import HTTPRouteHandler

from onward.api.answers import Done
from onward.api.segment import UNAVAILABLE
from onward.workspace.errors import Forbidden

MESSAGE = (
    "the feature Spaces is not available in this workspace: Onward routes events and has no Engage, so there "
    "are no spaces, audiences, computed traits, profile syncs and messaging subscriptions"
)


def unavailable() -> None:
    """Not available: Onward has no Engage."""
    raise Forbidden(MESSAGE)


def _route(method: HttpMethod, path: str, operation: str) -> HTTPRouteHandler:
    def handler() -> None:
        unavailable()

    handler.__doc__ = unavailable.__doc__
    template = re.sub(r"\{([^}]*)\}", lambda name: "{" + _snake(name[1]) + ":str}", path)
    return HTTPRouteHandler(
        template,
        http_method=method,
        operation_id=operation,
        sync_to_thread=False,
        status_code=200,
        answer=Done,
    )(handler)


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


ROUTES: list[Any] = [_route(HttpMethod(method), path, operation) for method, path, operation in UNAVAILABLE]
