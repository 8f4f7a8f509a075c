"""Labels, people, groups, and what they may do (spec §17.1).

People are known by e-mail address. Who is not there yet is invited; passwords, sessions, tokens and links are
in no file. `onward people invite` prints a link for who is invited already, with the roles that they have.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import access, people
from onward.workspace import labels as label_edits
from onward.workspace.access import EVERYTHING
from onward.workspace.entities import Function, Grant, Group, Invite, Label, Source, User, Warehouse
from onward.workspace.errors import Invalid, at
from onward.workspace.parts.base import Options, Part, only, refuse_twins
from onward.workspace.roles import ROLES, Role
from onward.workspace.store import Editor


class LabelPart(Part):
    key: str
    value: str
    description: str | None = None


class BorneLabel(Part):
    key: str
    value: str


class FunctionName(Part):
    type: str
    name: str


class PermissionPart(Part):
    """A role, for everything unless some of these say for what."""

    role: str
    """Slug."""
    sources: list[str] = msgspec.field(default_factory=list)
    """Slugs."""
    functions: list[FunctionName] = msgspec.field(default_factory=list)
    warehouses: list[str] = msgspec.field(default_factory=list)
    """Names."""
    labels: list[list[BorneLabel]] = msgspec.field(default_factory=list)
    """For all that bear every label of one of these lists."""


class PersonPart(Part):
    email: str
    permissions: list[PermissionPart] | UnsetType = UNSET


class GroupPart(Part):
    name: str
    permissions: list[PermissionPart] | UnsetType = UNSET
    members: list[str] | UnsetType = UNSET
    """E-mail addresses."""


def label_parts(session: Session, workspace_id: str) -> list[LabelPart]:
    return [_label_part(label) for label in label_edits.all_labels(session, workspace_id)]


def converge_labels(editor: Editor, parts: Sequence[LabelPart]) -> None:
    refuse_twins("labels", [f"{part.key}:{part.value}" for part in parts])
    there = {
        (each.key, each.value): each for each in label_edits.all_labels(editor.session, editor.workspace.id)
    }
    for index, part in enumerate(parts):
        with at(f"labels[{index}]"):
            label = there.get((part.key, part.value))
            if label is None:
                label_edits.create_label(editor, part.key, part.value, part.description)
            else:
                label_edits.describe_label(editor, label, part.description)


def prune_labels(editor: Editor, parts: Sequence[LabelPart], spared: frozenset[str]) -> None:
    """Delete the labels that the document leaves out; sources of these slugs are as they should be."""
    kept = {(part.key, part.value) for part in parts}
    for label in label_edits.all_labels(editor.session, editor.workspace.id):
        if (label.key, label.value) not in kept:
            label_edits.delete_label(editor, label, spared=spared)


def person_parts(session: Session, workspace_id: str) -> list[PersonPart]:
    """Users, and people who are invited."""
    subjects: list[User | Invite] = [*_users(session, workspace_id), *_invites(session, workspace_id)]
    found = (
        PersonPart(email=each.email, permissions=_permission_parts(session, workspace_id, each.id))
        for each in subjects
    )
    return sorted(found, key=lambda part: part.email)


def converge_people(editor: Editor, parts: Sequence[PersonPart], options: Options) -> None:
    session, workspace_id = editor.session, editor.workspace.id
    wanted = []
    for index, part in enumerate(parts):
        with at(f"people[{index}]"):
            wanted.append(people.normal_email(part.email))
    refuse_twins("people", wanted)
    users = {user.email: user for user in _users(session, workspace_id)}
    invites = {invite.email: invite for invite in _invites(session, workspace_id)}
    for index, (email, part) in enumerate(zip(wanted, parts, strict=True)):
        with at(f"people[{index}]"):
            given = None if part.permissions is UNSET else _given(editor, part.permissions)
            subject = users.get(email) or invites.get(email)
            if subject is None:
                subject, _ = people.invite(editor, email, given or ())  # of no role makes a member
            if given is not None and _differs(session, workspace_id, subject.id, part.permissions):
                if isinstance(subject, User):
                    people.replace_permissions(editor, subject, given)
                else:
                    people.replace_invited_permissions(editor, subject, given)
    if options.prune:
        people.remove_users(editor, [user for email, user in users.items() if email not in wanted])
        for email, invite in invites.items():
            if email not in wanted:
                people.delete_invite(editor, invite)


def group_parts(session: Session, workspace_id: str) -> list[GroupPart]:
    return [
        GroupPart(
            name=group.name,
            permissions=_permission_parts(session, workspace_id, group.id),
            members=people.emails_of(session, group),
        )
        for group in _groups(session, workspace_id)
    ]


def converge_groups(editor: Editor, parts: Sequence[GroupPart], options: Options) -> None:
    session, workspace_id = editor.session, editor.workspace.id
    refuse_twins("groups", [part.name for part in parts])
    there = {group.name: group for group in _groups(session, workspace_id)}
    for index, part in enumerate(parts):
        with at(f"groups[{index}]"):
            group = there.get(part.name) or people.create_group(editor, part.name)
            if _differs(session, workspace_id, group.id, part.permissions):
                given = _given(editor, part.permissions or [])
                people.set_group_permissions(editor, group, given, replace=True)
            if part.members is not UNSET:
                people.set_group_members(editor, group, part.members, replace=options.prune)


def prune_groups(editor: Editor, parts: Sequence[GroupPart]) -> None:
    kept = {part.name for part in parts}
    for group in _groups(editor.session, editor.workspace.id):
        if group.name not in kept:
            people.delete_group(editor, group)


def _permission_parts(session: Session, workspace_id: str, subject_id: str) -> list[PermissionPart]:
    found = (
        _permission_part(session, grant) for grant in access.grants_of(session, workspace_id, subject_id)
    )
    return sorted((part for part in found if part is not None), key=lambda part: part.role)


def _permission_part(session: Session, grant: Grant) -> PermissionPart | None:
    """None if all that the role was granted for is gone."""
    part = PermissionPart(role=grant.role)
    for resource in grant.resources:
        labels = resource.get("labels")
        if labels:
            part.labels.append([BorneLabel(key=each["key"], value=each["value"]) for each in labels])
        elif resource["type"] == EVERYTHING:
            return PermissionPart(role=grant.role)
        elif resource["type"] == "SOURCE" and (source := session.get(Source, resource["id"])):
            part.sources.append(source.slug)
        elif resource["type"] == "FUNCTION" and (function := session.get(Function, resource["id"])):
            part.functions.append(FunctionName(type=function.kind, name=function.name))
        elif resource["type"] == "WAREHOUSE" and (warehouse := session.get(Warehouse, resource["id"])):
            part.warehouses.append(warehouse.name)
    return _normal(part) if _is_for_some(part) else None


def _is_for_some(part: PermissionPart) -> bool:
    return bool(part.sources or part.functions or part.warehouses or part.labels)


def _normal(part: PermissionPart) -> PermissionPart:
    """In an order that says nothing."""
    labels = {tuple(sorted({(each.key, each.value) for each in those})) for those in part.labels}
    return PermissionPart(
        role=people.find_role(part.role).slug,
        sources=sorted(set(part.sources)),
        functions=[
            FunctionName(type=type, name=name)
            for type, name in sorted({(each.type, each.name) for each in part.functions})
        ],
        warehouses=sorted(set(part.warehouses)),
        labels=[[BorneLabel(key=key, value=value) for key, value in those] for those in sorted(labels)],
    )


def _differs(
    session: Session, workspace_id: str, subject_id: str, wanted: Sequence[PermissionPart] | UnsetType
) -> bool:
    if wanted is UNSET:
        return False
    normal = sorted(map(_normal, wanted), key=lambda part: part.role)
    return normal != _permission_parts(session, workspace_id, subject_id)


def _given(editor: Editor, parts: Sequence[PermissionPart]) -> list[people.Given]:
    given: list[people.Given] = []
    for index, part in enumerate(parts):
        with at(f"permissions[{index}]"):
            role = _role(part.role)
            if role.slug in [other.slug for other, _ in given]:
                raise Invalid(
                    f"the role {role.slug} is here twice; say all that it is for in one", field="role"
                )
            given.append((role, _resources(editor, role, part)))
    return given


def _role(key: str) -> Role:
    if key not in ROLES:
        raise Invalid(f"there is no role {key}; there are {', '.join(ROLES)}", field="role")
    return ROLES[key]


def _resources(editor: Editor, role: Role, part: PermissionPart) -> list[access.Resource]:
    session, workspace_id = editor.session, editor.workspace.id
    found: list[dict[str, Any]] = []
    for index, slug in enumerate(part.sources):
        sources = select(Source).where(Source.workspace_id == workspace_id, Source.slug == slug)
        source = only(session.scalars(sources).all(), "source", slug, f"sources[{index}]")
        found.append({"type": "SOURCE", "id": source.id})
    for index, each in enumerate(part.functions):
        functions = select(Function).where(
            Function.workspace_id == workspace_id, Function.kind == each.type, Function.name == each.name
        )
        place = f"functions[{index}]"
        function = only(session.scalars(functions).all(), f"{each.type} function", each.name, place)
        found.append({"type": "FUNCTION", "id": function.id})
    for index, name in enumerate(part.warehouses):
        warehouses = select(Warehouse).where(Warehouse.workspace_id == workspace_id, Warehouse.name == name)
        warehouse = only(session.scalars(warehouses).all(), "warehouse", name, f"warehouses[{index}]")
        found.append({"type": "WAREHOUSE", "id": warehouse.id})
    for labels in part.labels:
        borne = [{"key": each.key, "value": each.value} for each in labels]
        found.append({"type": role.kind, "id": workspace_id, "labels": borne})
    return list(found)


def _label_part(label: Label) -> LabelPart:
    return LabelPart(key=label.key, value=label.value, description=label.description)


def _users(session: Session, workspace_id: str) -> Sequence[User]:
    return session.scalars(people.members(workspace_id).order_by(User.email)).all()


def _invites(session: Session, workspace_id: str) -> Sequence[Invite]:
    query = select(Invite).where(Invite.workspace_id == workspace_id, Invite.email != people.FIRST_OWNER)
    return session.scalars(query.order_by(Invite.email)).all()


def _groups(session: Session, workspace_id: str) -> Sequence[Group]:
    query = select(Group).where(Group.workspace_id == workspace_id)
    return session.scalars(query.order_by(Group.name)).all()
