"""Signing in by an identity provider: OpenID Connect, authorization code flow with PKCE (optional).

    GET /oidc/start  →  the provider  →  GET /oidc/callback  →  a session, as from `session.begin`

Who signs in this way must be a user already, or invited, by an address that the provider has verified: a
provider says who somebody is, not that they may come in. From the first time on the account is known by the
provider's own id of the person, so that a changed address doesn't lock them out.

What the browser has to bring back (state, nonce, verifier, and the page that was asked for) is in a sealed
cookie of ten minutes, so nothing is kept here. All requests to the provider pass the egress guard: for one
in the own network, allow its address (`egress_allow`).

Who is refused sits before a browser: they are sent to the web app's page for signing in, which says what to
do by the word of the refusal. Words that came with the request are never shown there.
"""

import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any, Literal, TypedDict
from urllib.parse import urlencode, urlsplit

import anyio.to_thread
import msgspec
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from litestar import Request, Response, get
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException
from sqlalchemy import select
from sqlalchemy.orm import Session as Database

from onward.api.address import public_address, scheme
from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.errors import http_error
from onward.api.query import read_query
from onward.api.session import begin
from onward.egress.http import Client, EgressError
from onward.egress.http import Request as Outgoing
from onward.settings import Settings
from onward.workspace import audit_trail, people, sessions
from onward.workspace.entities import Invite, User
from onward.workspace.errors import NotFound, SecretError
from onward.workspace.ids import resource_id
from onward.workspace.store import Actor, Store

COOKIE = "onward_oidc"
LIFE = 600
"""Seconds that somebody may take at the provider."""
LEEWAY = 60
"""Seconds that its clock may differ."""
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
TIMEOUT = 10.0
PATH = "/api/oidc/callback"
SIGN_IN = "/sign-in"
"""The web app's page."""

AnyRequest = Request[Any, Any, Any]
log = structlog.get_logger("onward.oidc")

Why = Literal["denied", "other-browser", "too-late", "provider", "unverified", "another", "stranger"]
"""`denied`: the provider did not let them. `other-browser`: this one has begun no sign-in. `provider`: it
gave no good answer. `unverified`: it does not vouch for their address. `another`: the address is known as
somebody else's. `stranger`: neither a user nor invited."""


class Refused(HTTPException):
    """Somebody does not come in: `why` in a word, `detail` in a sentence."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(
            detail=detail, status_code=403 if why in ("unverified", "another", "stranger") else 401
        )
        self.why = why


def tell(request: AnyRequest, refused: Refused) -> Response[Any]:
    """To a browser by a page, to anything else as the Public API tells errors."""
    log.warning("sign-in refused", why=refused.why, detail=refused.detail)
    if "text/html" not in request.headers.get("accept", ""):
        return http_error(request, refused)
    response = Response(None, status_code=302, headers={"location": f"{SIGN_IN}?refused={refused.why}"})
    response.delete_cookie(COOKIE, path=PATH)
    return response


class Start(msgspec.Struct):
    next: str = "/"
    """The page to go to once signed in: a path of this server."""


class Started(msgspec.Struct):
    """What the cookie brings back."""

    state: str
    nonce: str
    verifier: str
    until: float
    next: str = "/"


class Callback(msgspec.Struct):
    code: str | None = None
    state: str | None = None
    error: str | None = None
    error_description: str | None = None


class Provider(msgspec.Struct):
    """Of the discovery document (OpenID Connect Discovery 1.0 §3), what is needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class Tokens(msgspec.Struct):
    id_token: str


class SignInMethods(TypedDict):
    password: bool
    oidc: bool
    provider: str | None
    """The host of the identity provider, if there is one."""


class MethodsAnswer(TypedDict):
    methods: SignInMethods


@get(
    "/session/methods",
    operation_id="listSignInMethods",
    sync_to_thread=False,
    exclude_from_auth=True,
    answer=MethodsAnswer,
)
def list_methods(request: AnyRequest) -> Json:
    """By which ways one can sign in here."""
    settings: Settings = request.app.state.settings
    oidc = bool(settings.oidc_issuer and settings.oidc_client_id)
    provider = urlsplit(str(settings.oidc_issuer)).netloc if oidc else None
    return answer(methods={"password": True, "oidc": oidc, "provider": provider})


@get(
    "/oidc/start",
    operation_id="startOidc",
    exclude_from_auth=True,
    status_code=302,
    query=Start,
    answer=None,
    exception_handlers={Refused: tell},
)
async def start(request: AnyRequest) -> Response[None]:
    """Send the browser to the identity provider."""
    settings, store = _configured(request), request.app.state.store
    provider = await _discover(request.app.state.http, settings)
    after = _page(read_query(request, Start).next)
    started = Started(token_urlsafe(24), token_urlsafe(24), token_urlsafe(48), time.time() + LIFE, after)
    query = urlencode(
        {
            "response_type": "code",
            "client_id": settings.oidc_client_id,
            "redirect_uri": public_address(request) + PATH,
            "scope": "openid email profile",
            "state": started.state,
            "nonce": started.nonce,
            "code_challenge": _challenge(started.verifier),
            "code_challenge_method": "S256",
        }
    )
    cookie = Cookie(
        key=COOKIE,
        value=store.cipher.seal_value(msgspec.to_builtins(started), COOKIE),
        max_age=LIFE,
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=scheme(request) == "https",
    )
    separator = "&" if "?" in provider.authorization_endpoint else "?"
    location = f"{provider.authorization_endpoint}{separator}{query}"
    return Response(None, status_code=302, headers={"location": location}, cookies=[cookie])


@get(
    "/oidc/callback",
    operation_id="finishOidc",
    exclude_from_auth=True,
    status_code=302,
    query=Callback,
    answer=None,
    exception_handlers={Refused: tell},
)
async def callback(request: AnyRequest) -> Response[Json]:
    """Where the identity provider sends the browser back to: start a session, and show what was asked for."""
    settings, store = _configured(request), request.app.state.store
    given = read_query(request, Callback)
    started = _started(store, request.cookies.get(COOKIE))
    if given.error is not None:
        raise Refused("denied", f"the identity provider refused: {given.error_description or given.error}")
    if given.code is None or not compare_digest((given.state or "").encode(), started.state.encode()):
        raise Refused("other-browser", "this answer belongs to no sign-in of this browser; start again")
    provider = await _discover(request.app.state.http, settings)
    claims = await _exchange(request, settings, provider, given.code, started)
    user_id = await anyio.to_thread.run_sync(_user, store, provider.issuer, claims)
    response = await anyio.to_thread.run_sync(begin, request, user_id, "oidc")
    response.delete_cookie(COOKIE, path=PATH)
    response.status_code = 302
    response.headers["location"] = started.next
    return response


def _started(store: Store, cookie: str | None) -> Started:
    try:
        started = msgspec.convert(store.cipher.open_value(cookie or "", COOKIE), Started)
    except (SecretError, msgspec.ValidationError, ValueError):
        raise Refused("other-browser", "this browser has begun no sign-in here; start again") from None
    if started.until < time.time():
        raise Refused("too-late", "that took too long; start again")
    return started


def _page(wanted: str) -> str:
    """A page of this server, whatever was asked for."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


async def _exchange(
    request: AnyRequest, settings: Settings, provider: Provider, code: str, started: Started
) -> dict[str, Any]:
    """The claims of the id token that the code stands for, verified."""
    http: Client = request.app.state.http
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": public_address(request) + PATH,
        "client_id": settings.oidc_client_id,
        "code_verifier": started.verifier,
    }
    if settings.oidc_client_secret:
        body["client_secret"] = settings.oidc_client_secret
    answer = await _ask(http, Tokens, provider.token_endpoint, urlencode(body).encode())
    jwks = await _ask(http, dict, provider.jwks_uri)
    registry = jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": str(settings.oidc_client_id)},
        exp={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": started.nonce},
    )
    try:
        keys = KeySet.import_key_set(jwks)
        claims = jwt.decode(answer.id_token, keys, algorithms=ALGORITHMS).claims
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:  # it may send anything
        raise Refused("provider", f"the identity provider's token is not good: {error}") from error
    return dict(claims)


def _user(store: Store, issuer: str, claims: dict[str, Any]) -> str:
    """The id of the user whom the claims name; an open invitation is accepted. Refuses strangers."""
    subject = f"{issuer}#{claims['sub']}"
    with store.reading() as session:
        known = session.scalar(select(User.id).where(User.subject == subject))
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        if known is not None:
            return known
        raise Refused("unverified", "the identity provider has not verified this person's e-mail address")
    email = people.normal_email(email)
    with store.plainly() as session:
        user = session.get(User, known) if known else session.scalar(select(User).where(User.email == email))
        if user is not None:
            if user.subject not in (None, subject):
                raise Refused("another", f"{email} signs in as somebody else at the identity provider")
            user.subject = subject
            known = user.id
    accepted = _accept(store, email, known, subject, _name(claims) or email)
    found = known or accepted
    if found is None:
        raise Refused("stranger", f"{email} is not a user here, nor invited")
    return found


def _name(claims: dict[str, Any]) -> str:
    """What the person is called, as far as it can be shown; "" for nothing."""
    name = claims.get("name")
    shown = name if isinstance(name, str) and name.isprintable() else ""
    return shown.strip()[:100]


def _accept(store: Store, email: str, known: str | None, subject: str, name: str) -> str | None:
    """Accept every open invitation of the address, for the user who is `known` or else a new one; the user's
    id if there was one. Of who is in a workspace already, by another address, an invitation to it stays."""
    now = store.now()
    with store.reading() as session:
        open_ones = select(Invite.workspace_id).where(Invite.email == email, Invite.expires_at > now)
        workspaces = list(session.scalars(open_ones))
    user_id = None
    for workspace_id in workspaces:
        with store.changing(workspace_id, Actor(id="oidc", email=email)) as editor:
            invite = people.find_invite(editor.session, workspace_id, email)
            user = editor.session.get(User, known or user_id or "")
            if invite is None or (user and people.is_member(editor.session, workspace_id, user)):
                continue
            user = user or User(
                id=resource_id(),
                email=email,
                name=name,
                subject=subject,
                created_at=editor.now,
                updated_at=editor.now,
            )
            people.accept(editor, invite, user)
            _without_password(editor.session, user, editor.now)
            user_id = user.id
    return user_id


def _without_password(database: Database, user: User, now: int) -> None:
    """Who set it need not be who the provider vouches for: the owner of another workspace can have signed
    up with this address, and would come along to where its owner is invited."""
    if user.password_hash is None:
        return
    user.password_hash = None
    sessions.end_all(database, user)
    audit_trail.write_of_user(database, user, "User Password Removed", now)


def _challenge(verifier: str) -> str:
    """RFC 7636 §4.2, method S256."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def _configured(request: AnyRequest) -> Settings:
    settings: Settings = request.app.state.settings
    if not settings.oidc_issuer or not settings.oidc_client_id:
        raise NotFound("no identity provider is set (oidc_issuer, oidc_client_id)")
    return settings


async def _discover(http: Client, settings: Settings) -> Provider:
    issuer = str(settings.oidc_issuer)
    provider: Provider = await _ask(http, Provider, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if provider.issuer != issuer:
        raise Refused("provider", f"{issuer} says that it is {provider.issuer}; set oidc_issuer to that")
    return provider


async def _ask(http: Client, kind: Any, url: str, form: bytes | None = None) -> Any:
    """The provider's answer. Raises `Refused` where there is no good one."""
    request = Outgoing(
        method="GET" if form is None else "POST",
        url=url,
        headers={"accept": "application/json"}
        | ({} if form is None else {"content-type": "application/x-www-form-urlencoded"}),
        body=form or b"",
        timeout=TIMEOUT,
    )
    try:
        response = await http.send(request)
        if response.status == 200:
            return msgspec.json.decode(response.body, type=kind)
        reason = f"it answered {response.status}"
    except EgressError as error:
        reason = f"{error.code}: {error.message}"
    except msgspec.DecodeError as error:
        reason = str(error)
    raise Refused("provider", f"the identity provider can't be asked at {url}: {reason}")


ROUTES = [list_methods, start, callback]
