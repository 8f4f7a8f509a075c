"""Signing in and out, in a browser (spec §17.1): ours, as Segment's Public API knows tokens only.

    POST /session  →  cookie + `csrf`  →  requests with the cookie, and the header x-onward-csrf to change
    something; x-onward-workspace names one of several workspaces

Attempts are slowed down by account and by address (`throttle.py`), and take as long for an account that does
not exist. An invitation's link, or that of the first start, is good for once.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

import anyio.to_thread
import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException, TooManyRequestsException
from litestar.params import RawBody
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward import forwarded
from onward.api.address import scheme
from onward.api.answers import SUCCESS, Done, Json
from onward.api.answers import data as answer
from onward.api.auth import COOKIE, SECURE_COOKIE, session_token
from onward.api.bodies import Body
from onward.api.context import ApiRequest
from onward.api.query import read_query
from onward.api.throttle import Attempt, Throttle, TooSoon
from onward.workspace import audit_trail, passwords, people, sessions
from onward.workspace.access import Access, of_user
from onward.workspace.entities import Invite, User, Workspace
from onward.workspace.errors import Conflict, Forbidden, Invalid, NotFound
from onward.workspace.ids import resource_id
from onward.workspace.names import check_name
from onward.workspace.shapes import from_json
from onward.workspace.store import Actor, Editor, Store

AnyRequest = Request[Any, Any, Any]


class SignIn(Body):
    email: str
    password: str


class AcceptInvite(Body):
    token: str
    """What stands after # in the link."""
    name: str
    password: str
    email: str | None = None
    """For the link of the first start, which is nobody's yet."""


class ReadInvite(Body):
    token: str


class ChangePassword(Body):
    current: str
    password: str


class SignOut(msgspec.Struct):
    everywhere: bool = False


class WorkspaceChoice(TypedDict):
    id: str
    slug: str
    name: str


class SessionView(TypedDict):
    userId: str
    email: str
    name: str
    hasPassword: bool
    """Who came by an identity provider has none."""
    csrf: str
    workspaces: list[WorkspaceChoice]
    permissions: list[str]
    """What the user may do in the workspace that was asked for, at least for something."""


class SessionAnswer(TypedDict):
    session: SessionView


class OpenInvitation(TypedDict):
    email: str | None
    """None for the link of the first start, which is nobody's yet."""
    workspace: str
    """Its name."""
    hasAccount: bool
    """Whether there is an account of the address, whose password is to be given."""


class InvitationAnswer(TypedDict):
    invitation: OpenInvitation


@post(
    "/session",
    operation_id="signIn",
    status_code=200,
    exclude_from_auth=True,
    body=SignIn,
    answer=SessionAnswer,
)
async def sign_in(request: AnyRequest, body: RawBody) -> Response[Json]:
    """Start a session. Too many failures have to wait (429)."""
    data = from_json(SignIn, body)
    with _attempt(request, data.email) as attempt:
        user_id = await anyio.to_thread.run_sync(_check, request.app.state.store, data)
        attempt.right = user_id is not None
    if user_id is None:
        if _throttle(request).wait(_account_key(data.email)):
            await anyio.to_thread.run_sync(_record_failure, request, data.email)
        raise NotAuthorizedException("e-mail address or password is wrong")
    return await anyio.to_thread.run_sync(begin, request, user_id, "password")


@get("/session", operation_id="getSession", sync_to_thread=True, answer=SessionAnswer)
def get_session(request: ApiRequest) -> Json:
    """Who is signed in, and the workspaces that they belong to."""
    token = session_token(request)
    if request.auth.session is None or token is None:
        raise NotFound("this is a token's request, not one of a session")
    store: Store = request.app.state.store
    with store.reading() as database:
        found = sessions.find(database, token, store.now())
        if found is None:
            raise NotAuthorizedException("this session is over; sign in again")
        return answer(session=_view(database, found.user, found.session.csrf, request.auth.workspace_id))


@delete("/session", operation_id="signOut", sync_to_thread=True, status_code=200, query=SignOut, answer=Done)
def sign_out(request: ApiRequest) -> Response[Json]:
    """End this session, or with `everywhere=true` all of the user's."""
    query = read_query(request, SignOut)
    store: Store = request.app.state.store
    with store.plainly() as database:
        user = database.get(User, request.auth.user_id) if request.auth.user_id else None
        if user is not None:
            after = {"everywhere": query.everywhere}
            audit_trail.write_of_user(database, user, "User Signed Out", store.now(), after)
        if query.everywhere and user is not None:
            sessions.end_all(database, user)
        elif token := session_token(request):
            sessions.end(database, token)
    response = Response(SUCCESS)
    for name in (COOKIE, SECURE_COOKIE):
        response.delete_cookie(name, path="/")
    return response


@put(
    "/session/password",
    operation_id="changePassword",
    sync_to_thread=True,
    body=ChangePassword,
    answer=Done,
)
def change_password(request: ApiRequest, body: RawBody) -> Json:
    """Change one's own password. All other sessions of the user end."""
    data = from_json(ChangePassword, body)
    store: Store = request.app.state.store
    with store.plainly() as database:
        user = database.get(User, request.auth.user_id) if request.auth.user_id else None
        if user is None:
            raise Forbidden("only who is signed in has a password to change")
        with _attempt(request, user.email) as attempt:
            attempt.right = passwords.verify(user.password_hash, data.current)
        if not attempt.right:
            raise Invalid("this is not the current password", field="current")
        passwords.check(data.password, user.email)
        user.password_hash = passwords.hash(data.password)
        user.updated_at = store.now()
        sessions.end_all(database, user, but=request.auth.session)
        audit_trail.write_of_user(database, user, "User Password Changed", store.now())
    return SUCCESS


@post(
    "/invites/read",
    operation_id="readInvite",
    sync_to_thread=True,
    status_code=200,
    exclude_from_auth=True,
    body=ReadInvite,
    answer=InvitationAnswer,
)
def read_invite(request: AnyRequest, body: RawBody) -> Json:
    """What an invitation's link is for, before it is accepted. In a body, so that no log has the token."""
    data = from_json(ReadInvite, body)
    store: Store = request.app.state.store
    with store.reading() as session:
        invite = _good_invite(session, data.token, store.now())
        first = invite.email == people.FIRST_OWNER
        account = session.scalar(select(User).where(User.email == invite.email))
        return answer(
            invitation={
                "email": None if first else invite.email,
                "workspace": session.get_one(Workspace, invite.workspace_id).name,
                "hasAccount": account is not None,
            }
        )


@post(
    "/invites/accept",
    operation_id="acceptInvite",
    sync_to_thread=True,
    status_code=200,
    exclude_from_auth=True,
    body=AcceptInvite,
    answer=SessionAnswer,
)
def accept_invite(request: AnyRequest, body: RawBody) -> Response[Json]:
    """Become a user by an invitation's link, and be signed in. Who has an account gives its password."""
    data = from_json(AcceptInvite, body)
    store: Store = request.app.state.store
    with store.reading() as session:
        invite = _good_invite(session, data.token, store.now())
        workspace_id, email = invite.workspace_id, invite.email
        if email == people.FIRST_OWNER:
            email = people.normal_email(data.email or "")
        account = session.scalar(select(User).where(User.email == email))
    proved = _proved(request, account, email, data)
    with store.changing(workspace_id, Actor(id="invite", email=email)) as editor:
        invite = _good_invite(editor.session, data.token, editor.now)
        user = _account(editor, email, data.name, proved)
        if user.id in {each.id for each in editor.session.scalars(people.members(workspace_id))}:
            raise Conflict(f"{email} is a user of this workspace already")
        people.accept(editor, invite, user)
        user_id = user.id
    return begin(request, user_id, "invitation")


def begin(request: AnyRequest, user_id: str, method: str) -> Response[Json]:
    """A new session for a user who has proved by `method` who they are; one that the browser had ends."""
    store: Store = request.app.state.store
    with store.plainly() as database:
        if former := session_token(request):
            sessions.end(database, former)
        user = database.get_one(User, user_id)
        session, token = sessions.begin(database, user, store.now(), request.headers.get("user-agent", ""))
        after = {"method": method, "address": _address(request), "agent": session.agent}
        audit_trail.write_of_user(database, user, "User Signed In", store.now(), after)
        view = _view(database, user, session.csrf, None)
    secure = scheme(request) == "https"
    cookie = Cookie(
        key=SECURE_COOKIE if secure else COOKIE,
        value=token,
        max_age=sessions.LIFE_MS // 1000,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return Response(answer(session=view), cookies=[cookie], headers={"cache-control": "no-store"})


def _record_failure(request: AnyRequest, email: str) -> None:
    """Failures are in the audit trail once there are so many that the next attempt has to wait."""
    store: Store = request.app.state.store
    with store.plainly() as database:
        user = database.scalar(select(User).where(User.email == email.strip().lower()))
        if user is not None:
            after = {"address": _address(request)}
            audit_trail.write_of_user(database, user, "User Sign-in Failed", store.now(), after)


def _check(store: Store, data: SignIn) -> str | None:
    """The user's id if the password is theirs."""
    with store.reading() as database:
        user = database.scalar(select(User).where(User.email == data.email.strip().lower()))
        stored = user.password_hash if user is not None else None
    if not passwords.verify(stored, data.password) or user is None or stored is None:
        return None
    if passwords.is_outdated(stored):
        with store.plainly() as database:
            database.get_one(User, user.id).password_hash = passwords.hash(data.password)
    return user.id


def _good_invite(session: Session, token: str, now: int) -> Invite:
    """Raises `NotFound`."""
    invite = people.open_invite(session, token, now)
    if invite is None:
        raise NotFound("this invitation is not, or no longer, good; ask for another")
    return invite


def _proved(request: AnyRequest, account: User | None, email: str, data: AcceptInvite) -> str:
    """The hash of the password that was given: of the account that there is, or for a new one. Not within a
    change, which others would wait for. Raises `Invalid`."""
    if account is None:
        check_name(data.name)
        passwords.check(data.password, email)
        return passwords.hash(data.password)
    with _attempt(request, email) as attempt:
        attempt.right = passwords.verify(account.password_hash, data.password)
    if not attempt.right:
        raise Invalid("there is an account of this address, and this is not its password", field="password")
    return str(account.password_hash)


def _account(editor: Editor, email: str, name: str, password_hash: str) -> User:
    """The account of the invited: a new one, or the one that there is; raises `Conflict` if it is another one
    than the password was looked at for."""
    user = editor.session.scalar(select(User).where(User.email == email))
    if user is None:
        return User(
            id=resource_id(),
            email=email,
            name=name,
            password_hash=password_hash,
            created_at=editor.now,
            updated_at=editor.now,
        )
    if user.password_hash != password_hash:
        raise Conflict("this account has just been changed; try again")
    return user


def _view(database: Session, user: User, csrf: str, workspace_id: str | None) -> SessionView:
    workspaces = people.workspaces_of(database, user)
    current = workspace_id or (workspaces[0].id if workspaces else None)
    access = of_user(database, current, user) if current else Access()
    return {
        "userId": user.id,
        "email": user.email,
        "name": user.name,
        "hasPassword": user.password_hash is not None,
        "csrf": csrf,
        "workspaces": [{"id": each.id, "slug": each.slug, "name": each.name} for each in workspaces],
        "permissions": sorted(access.reach),
    }


@contextmanager
def _attempt(request: AnyRequest, email: str) -> Iterator[Attempt]:
    """One look at an account's password. Raises `TooManyRequestsException`."""
    try:
        with _throttle(request).attempt(_account_key(email), f"address {_address(request)}") as attempt:
            yield attempt
    except TooSoon as error:
        seconds = f"{math.ceil(error.seconds)}"
        raise TooManyRequestsException(
            f"too many failed attempts; try again in {seconds} s", headers={"retry-after": seconds}
        ) from None


def _throttle(request: AnyRequest) -> Throttle:
    throttle: Throttle = request.app.state.throttle
    return throttle


def _account_key(email: str) -> str:
    return f"account {email.strip().lower()[:320]}"


def _address(request: AnyRequest) -> str:
    return forwarded.caller(dict(request.scope["headers"]), request.scope)


ROUTES = [sign_in, get_session, sign_out, change_password, read_invite, accept_invite]
