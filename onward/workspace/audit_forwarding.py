"""Which source a workspace's audit events are forwarded to, if to any (spec §17.2)."""

from sqlalchemy.orm import Session

from onward.workspace.entities import AuditForwarding, Source
from onward.workspace.store import Editor


def forwarding_of(session: Session, workspace_id: str) -> str | None:
    """Id of the source."""
    found = session.get(AuditForwarding, workspace_id)
    return found.source_id if found is not None else None


def set_forwarding(editor: Editor, source: Source | None) -> bool:
    """Forward what happens from now on to `source`, or nowhere; whether anything differs.

    What waits for a former source still goes there. This change itself is forwarded as the new setting says.
    """
    session, workspace = editor.session, editor.workspace
    before = forwarding_of(session, workspace.id)
    after = source.id if source is not None else None
    if before == after:
        return False
    found = session.get(AuditForwarding, workspace.id)
    if after is None:
        session.delete(found)
    elif found is None:
        session.add(AuditForwarding(workspace_id=workspace.id, source_id=after))
    else:
        found.source_id = after
    session.flush()
    editor.record(workspace, "Audit Forwarding Modified", {"forwarded_to": before}, {"forwarded_to": after})
    return True
