"""API tokens (ours: Segment makes them in its app). A token is shown once, when it is made."""

from typing import TypedDict

import msgspec
from litestar import delete, get, post
from litestar.params import RawBody
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.api.answers import SUCCESS, Done, Json, Pagination, paged, timestamp
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import ApiRequest, Context, Id, InContext, Pages
from onward.api.iam.shapes import PermissionView, ResourceIn
from onward.api.iam.views import permissions, resource
from onward.workspace import people, tokens
from onward.workspace.entities import Token
from onward.workspace.errors import NotFound
from onward.workspace.names import check_name
from onward.workspace.pages import page
from onward.workspace.shapes import from_json


class CreateToken(Body):
    name: str
    role_id: str = "owner"
    """Or the role's slug."""
    resources: list[ResourceIn] = msgspec.field(default_factory=list)
    """What the role is for; everything in the workspace if empty."""


class TokenView(TypedDict):
    id: str
    name: str
    createdAt: str
    createdBy: str | None
    permissions: list[PermissionView]


class TokenAnswer(TypedDict):
    token: TokenView


class CreatedToken(TypedDict):
    token: TokenView
    secret: str
    """What programs send; it can't be asked for again."""


class TokensAnswer(TypedDict):
    tokens: list[TokenView]
    pagination: Pagination


@get("/tokens", operation_id="listTokens", sync_to_thread=True, answer=TokensAnswer)
def list_tokens(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        query = select(Token).where(Token.workspace_id == context.workspace_id)
        found = page(session, query, Token, paging.count, paging.cursor)
        return paged("tokens", found, lambda token: _view(context, session, token))


@post(
    "/tokens",
    operation_id="createToken",
    sync_to_thread=True,
    status_code=201,
    body=CreateToken,
    answer=CreatedToken,
)
def create_token(context: InContext, request: ApiRequest, body: RawBody) -> Json:
    data = from_json(CreateToken, body)
    check_name(data.name)
    role = people.find_role(data.role_id)
    secret = tokens.generate()
    with context.changing() as editor:
        made = tokens.create_token(
            editor,
            name=data.name,
            token=secret,
            role=role.slug,
            resources=[resource(each) for each in data.resources],
            created_by=request.auth.user_id,
        )
        return answer(token=_view(context, editor.session, made), secret=secret)


@delete(
    "/tokens/{token_id:str}", operation_id="deleteToken", sync_to_thread=True, status_code=200, answer=Done
)
def delete_token(context: InContext, token_id: Id) -> Json:
    """Programs that use it are refused at once."""
    with context.changing() as editor:
        found = editor.session.get(Token, token_id)
        if found is None or found.workspace_id != context.workspace_id:
            raise NotFound(f"there is no token {token_id}")
        tokens.delete_token(editor, found)
        return SUCCESS


def _view(context: Context, session: Session, token: Token) -> TokenView:
    return {
        "id": token.id,
        "name": token.name,
        "createdAt": timestamp(token.created_at),
        "createdBy": token.created_by,
        "permissions": permissions(context, session, token.id),
    }


ROUTES = [list_tokens, create_token, delete_token]
