"""The API's description to be read and tried, at `/api/docs`: one page of our own that loads nothing else.

Anybody may look at it. What one tries is done with a token typed in, which the page keeps no longer than it
is open, or with the session of the browser.
"""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from litestar import Response, get

SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@get(
    "/docs",
    operation_id="getApiDocs",
    sync_to_thread=False,
    exclude_from_auth=True,
    media="text/html",
    tag="Documentation",
)
def get_docs() -> Response[str]:
    """This description as a page."""
    page, policy = _page()
    return Response(
        page,
        media_type="text/html",
        headers={"content-security-policy": policy, "x-content-type-options": "nosniff"},
    )


@cache
def _page() -> tuple[str, str]:
    """`(HTML, what the browser may do with it)`."""
    page = files("onward.api").joinpath("docs.html").read_text()
    (script,) = SCRIPT.findall(page)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return page, (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
