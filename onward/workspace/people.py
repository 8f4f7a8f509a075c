"""Users of a workspace, their groups, and invitations (spec §17.1).

Who is invited gets roles and groups at once, and has them when the invitation is accepted. A workspace
always keeps one user who is its owner, once it has one.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from onward.workspace import access, audit, ids
from onward.workspace.access import Resource
from onward.workspace.entities import Grant, Group, GroupMember, Invite, Membership, User, Workspace
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.names import check_name
from onward.workspace.roles import ROLE_BY_ID, ROLES, Role
from onward.workspace.store import Editor

INVITED_FOR_MS = 7 * 24 * 3600 * 1000
FIRST_OWNER = ""
"""Stands for the e-mail address of who opens the link of the first start."""
KEPT = "an owner is kept"
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")

Given = tuple[Role, Sequence[Resource]]
"""A role, and for what."""


def members(workspace_id: str) -> Select[User]:
    return (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace_id)
    )


def workspaces_of(session: Session, user: User) -> list[Workspace]:
    """That a user belongs to, the oldest membership first."""
    query = (
        select(Workspace)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.user_id == user.id)
        .order_by(Membership.created_at, Workspace.id)
    )
    return list(session.scalars(query))


def is_member(session: Session, workspace_id: str, user: User) -> bool:
    return session.get(Membership, (workspace_id, user.id)) is not None


def get_user(session: Session, workspace_id: str, id: str) -> User:
    """Raises `NotFound`."""
    user = session.scalar(members(workspace_id).where(User.id == id))
    if user is None:
        raise NotFound(f"there is no user {id} in this workspace")
    return user


def find_role(key: str) -> Role:
    """By id or slug; raises `Invalid`."""
    role = ROLE_BY_ID.get(key) or ROLES.get(key)
    if role is None:
        raise Invalid(f"there is no role {key}; `GET /roles` lists them", field="roleId")
    return role


def normal_email(email: str) -> str:
    """Raises `Invalid`."""
    email = email.strip().lower()
    if not EMAIL.fullmatch(email):
        raise Invalid(f"{email[:80]!r} is no e-mail address", field="email")
    return email


@contextmanager
def keeping_an_owner(editor: Editor) -> Iterator[None]:
    """Raises `Conflict` if the workspace has a user who is its owner before, and none after.

    Of one within another only the outer one looks, so that several steps can hand the workspace over.
    """
    kept: dict[Any, Any] = editor.session.info
    if KEPT in kept:
        yield
        return
    had_one = _has_an_owner(editor)
    kept[KEPT] = True
    try:
        yield
    finally:
        del kept[KEPT]
    if had_one and not _has_an_owner(editor):
        raise Conflict("a workspace needs a user who is its owner; make another one owner first")


def remove_users(editor: Editor, users: Iterable[User]) -> None:
    """From the workspace, with roles and places in groups; from the installation if it was their last."""
    with keeping_an_owner(editor):
        for user in users:
            before = _user_state(editor, user)
            editor.session.execute(
                delete(Membership).where(
                    Membership.user_id == user.id, Membership.workspace_id == editor.workspace.id
                )
            )
            access.drop_grants(editor.session, editor.workspace.id, user.id)
            _leave_groups(editor, user.email)
            editor.record(user, "User Removed", before, None)
            if editor.session.scalar(select(Membership.user_id).where(Membership.user_id == user.id)) is None:
                editor.session.delete(user)
        editor.session.flush()


def add_permissions(editor: Editor, user: User, given: Iterable[Given]) -> None:
    before = _user_state(editor, user)
    access.add_grants(editor.session, editor.workspace.id, user.id, given)
    _permissions_changed(editor, user, before)


def replace_permissions(editor: Editor, user: User, given: Iterable[Given]) -> None:
    with keeping_an_owner(editor):
        before = _user_state(editor, user)
        access.replace_grants(editor.session, editor.workspace.id, user.id, given)
        _permissions_changed(editor, user, before)


def get_group(session: Session, workspace_id: str, id: str) -> Group:
    """Raises `NotFound`."""
    group = session.get(Group, id)
    if group is None or group.workspace_id != workspace_id:
        raise NotFound(f"there is no user group {id}")
    return group


def create_group(editor: Editor, name: str) -> Group:
    _check_group_name(editor, name, None)
    group = Group(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        name=name,
        created_at=editor.now,
        updated_at=editor.now,
    )
    editor.created(group)
    return group


def rename_group(editor: Editor, group: Group, name: str) -> None:
    _check_group_name(editor, name, group)
    before = audit.state(group)
    group.name = name
    editor.modified(group, before)


def delete_group(editor: Editor, group: Group) -> None:
    with keeping_an_owner(editor):
        editor.deleted(group)
        access.drop_grants(editor.session, editor.workspace.id, group.id)


def set_group_permissions(editor: Editor, group: Group, given: Iterable[Given], *, replace: bool) -> None:
    change = access.replace_grants if replace else access.add_grants
    with keeping_an_owner(editor):
        before = audit.state(group)
        change(editor.session, editor.workspace.id, group.id, given)
        editor.modified(group, before)


def emails_of(session: Session, group: Group) -> list[str]:
    """Of the group's members, those who are only invited included."""
    query = select(GroupMember.email).where(GroupMember.group_id == group.id)
    return sorted(session.scalars(query))


def set_group_members(editor: Editor, group: Group, emails: Iterable[str], *, replace: bool) -> None:
    """Users of the workspace, or people invited to it. Raises `Invalid` for others."""
    before = emails_of(editor.session, group)
    wanted = [normal_email(email) for email in emails]
    for email in wanted:
        if not _is_known(editor, email):
            raise Invalid(f"{email} is neither a user of this workspace nor invited to it", field="emails")
    kept = dict.fromkeys(wanted if replace else [*before, *wanted])
    _write_members(editor, group, before, list(kept))


def remove_group_members(editor: Editor, group: Group, emails: Iterable[str]) -> None:
    before = emails_of(editor.session, group)
    gone = {normal_email(email) for email in emails}
    _write_members(editor, group, before, [email for email in before if email not in gone])


def invite(
    editor: Editor, email: str, given: Sequence[Given] = (), groups: Iterable[Group] = ()
) -> tuple[Invite, str]:
    """An invitation and the token of its link, which is shown once. One that is open already is renewed, and
    keeps its roles if none are given."""
    email = normal_email(email)
    if editor.session.scalar(members(editor.workspace.id).where(User.email == email)) is not None:
        raise Conflict(f"{email} is a user of this workspace already", field="email")
    former = find_invite(editor.session, editor.workspace.id, email)
    if former is not None:
        grants = access.grants_of(editor.session, editor.workspace.id, former.id)
        given = given or [(ROLES[grant.role], grant.resources) for grant in grants]
        delete_invite(editor, former, leave_groups=False)
    token = secrets.token_urlsafe(32)
    made = Invite(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        email=email,
        hash=digest(token),
        expires_at=editor.now + INVITED_FOR_MS,
        created_at=editor.now,
        updated_at=editor.now,
    )
    given = given or [(ROLES["member"], ())]
    access.add_grants(editor.session, editor.workspace.id, made.id, given)
    editor.created(made)
    for group in groups:
        set_group_members(editor, group, [email], replace=False)
    return made, token


def find_invite(session: Session, workspace_id: str, email: str) -> Invite | None:
    return session.scalar(select(Invite).where(Invite.workspace_id == workspace_id, Invite.email == email))


def replace_invited_permissions(editor: Editor, invite: Invite, given: Iterable[Given]) -> None:
    before = audit.state(invite)
    access.replace_grants(editor.session, editor.workspace.id, invite.id, given)
    editor.modified(invite, before)


def delete_invite(editor: Editor, invite: Invite, *, leave_groups: bool = True) -> None:
    editor.deleted(invite)
    access.drop_grants(editor.session, editor.workspace.id, invite.id)
    if leave_groups:
        _leave_groups(editor, invite.email)


def invite_owner(editor: Editor) -> str:
    """The token of a one-time link with which whoever has it becomes the workspace's first owner.

    A former link is no longer good.
    """
    former = find_invite(editor.session, editor.workspace.id, FIRST_OWNER)
    if former is not None:
        editor.session.delete(former)
        access.drop_grants(editor.session, editor.workspace.id, former.id)
        editor.session.flush()
    token = secrets.token_urlsafe(32)
    made = Invite(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        email=FIRST_OWNER,
        hash=digest(token),
        expires_at=editor.now + INVITED_FOR_MS,
        created_at=editor.now,
        updated_at=editor.now,
    )
    access.add_grants(editor.session, editor.workspace.id, made.id, [(ROLES["owner"], ())])
    editor.created(made)
    return token


def open_invite(session: Session, token: str, now: int) -> Invite | None:
    """The invitation of a link that is still good."""
    return session.scalar(select(Invite).where(Invite.hash == digest(token), Invite.expires_at > now))


def accept(editor: Editor, invite: Invite, user: User) -> None:
    """Make who was invited a user of the workspace, with the roles that the invitation gave."""
    editor.session.add(user)
    editor.session.flush()  # the membership refers to it
    editor.session.add(Membership(workspace_id=editor.workspace.id, user_id=user.id, created_at=editor.now))
    for grant in access.grants_of(editor.session, editor.workspace.id, invite.id):
        grant.subject_id = user.id
    if invite.email != user.email:
        _join_groups_of(editor, invite.email, user.email)
    editor.session.flush()
    editor.record(user, "User Added", None, _user_state(editor, user))
    editor.session.delete(invite)
    editor.session.flush()


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _user_state(editor: Editor, user: User) -> audit.State:
    return {
        "email": user.email,
        "name": user.name,
        "permissions": audit.permissions(editor.session, editor.workspace.id, user.id),
    }


def _permissions_changed(editor: Editor, user: User, before: audit.State) -> None:
    after = _user_state(editor, user)
    if after != before:
        editor.record(user, "User Permissions Modified", before, after)


def _check_group_name(editor: Editor, name: str, group: Group | None) -> None:
    check_name(name)
    taken = editor.session.scalar(
        select(Group.id).where(Group.workspace_id == editor.workspace.id, Group.name == name)
    )
    if taken is not None and (group is None or taken != group.id):
        raise Conflict(f"there is a group named {name} already", field="name")


def _is_known(editor: Editor, email: str) -> bool:
    return (
        editor.session.scalar(members(editor.workspace.id).where(User.email == email)) is not None
        or find_invite(editor.session, editor.workspace.id, email) is not None
    )


def _write_members(editor: Editor, group: Group, before: list[str], after: list[str]) -> None:
    if sorted(before) == sorted(after):
        return
    fresh, gone = set(after) - set(before), set(before) - set(after)
    with keeping_an_owner(editor):
        editor.session.add_all(GroupMember(group_id=group.id, email=email) for email in fresh)
        editor.session.execute(
            delete(GroupMember).where(GroupMember.group_id == group.id, GroupMember.email.in_(gone))
        )
        editor.session.flush()
    type = "Group Memberships Deleted" if gone and not fresh else "User Group Updated"
    editor.record(group, type, {"members": before}, {"members": sorted(after)})


def _leave_groups(editor: Editor, email: str) -> None:
    groups = select(Group.id).where(Group.workspace_id == editor.workspace.id)
    editor.session.execute(
        delete(GroupMember).where(GroupMember.email == email, GroupMember.group_id.in_(groups))
    )


def _join_groups_of(editor: Editor, former: str, email: str) -> None:
    """Who accepts as the user of another address than they were invited by."""
    for group in editor.session.scalars(select(Group).where(Group.workspace_id == editor.workspace.id)):
        members = emails_of(editor.session, group)
        if former in members:
            _write_members(editor, group, members, list({*members, email} - {former}))


def _has_an_owner(editor: Editor) -> bool:
    workspace_id = editor.workspace.id
    owners = select(Grant.subject_id).where(Grant.workspace_id == workspace_id, Grant.role == "owner")
    by_group = (
        select(GroupMember.email)
        .join(Group, Group.id == GroupMember.group_id)
        .where(Group.id.in_(owners), Group.workspace_id == workspace_id)
    )
    people = members(workspace_id).where(User.id.in_(owners) | User.email.in_(by_group))
    return editor.session.scalar(people.limit(1)) is not None
