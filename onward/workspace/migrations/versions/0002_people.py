"""People, groups, roles, invitations, sessions, labels; what tokens may do becomes a grant."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user",
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
        sa.UniqueConstraint("subject", name=op.f("uq_user_subject")),
    )
    op.create_table(
        "grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("resources", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_grant_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
    )
    op.create_index(
        op.f("ix_grant_workspace_id_subject_id"), "grant", ["workspace_id", "subject_id"], unique=False
    )
    op.create_table(
        "invite",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_invite_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint("hash", name=op.f("uq_invite_hash")),
        sa.UniqueConstraint("workspace_id", "email", name=op.f("uq_invite_workspace_id_email")),
    )
    op.create_index(op.f("ix_invite_created_at_id"), "invite", ["created_at", "id"], unique=False)
    op.create_table(
        "label",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_label_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("workspace_id", "key", "value", name=op.f("uq_label_workspace_id_key_value")),
    )
    op.create_table(
        "membership",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_membership_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_membership_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_user_id"), "membership", ["user_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_expires_at"), "session", ["expires_at"], unique=False)
    op.create_index(op.f("ix_session_user_id"), "session", ["user_id"], unique=False)
    op.create_table(
        "user_group",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_user_group_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_group")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_user_group_workspace_id_name")),
    )
    op.create_index(op.f("ix_user_group_created_at_id"), "user_group", ["created_at", "id"], unique=False)
    op.create_table(
        "group_member",
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["user_group.id"], name=op.f("fk_group_member_group_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "email", name=op.f("pk_group_member")),
    )
    op.create_index(op.f("ix_group_member_email"), "group_member", ["email"], unique=False)
    grant = sa.table(
        "grant",
        *(sa.column(name) for name in ("id", "workspace_id", "subject_id", "role")),
        sa.column("resources", sa.JSON()),
    )
    tokens = op.get_bind().execute(sa.text("SELECT id, workspace_id, role FROM token")).all()
    op.bulk_insert(
        grant,
        [
            {
                "id": id,
                "workspace_id": workspace_id,
                "subject_id": id,
                "role": role,
                "resources": [{"type": "WORKSPACE", "id": workspace_id}],
            }
            for id, workspace_id, role in tokens
        ],
    )
    with op.batch_alter_table("token") as batch:
        batch.add_column(sa.Column("created_by", sa.String(), nullable=True))
        batch.drop_column("role")


def downgrade() -> None:
    with op.batch_alter_table("token") as batch:
        batch.add_column(sa.Column("role", sa.String(), nullable=False, server_default="member"))
        batch.drop_column("created_by")
    op.get_bind().execute(
        sa.text(
            "UPDATE token SET role = coalesce("
            "(SELECT role FROM \"grant\" WHERE subject_id = token.id ORDER BY role LIMIT 1), 'member')"
        )
    )
    op.drop_index(op.f("ix_group_member_email"), table_name="group_member")
    op.drop_table("group_member")
    op.drop_index(op.f("ix_user_group_created_at_id"), table_name="user_group")
    op.drop_table("user_group")
    op.drop_index(op.f("ix_session_user_id"), table_name="session")
    op.drop_index(op.f("ix_session_expires_at"), table_name="session")
    op.drop_table("session")
    op.drop_index(op.f("ix_membership_user_id"), table_name="membership")
    op.drop_table("membership")
    op.drop_table("label")
    op.drop_index(op.f("ix_invite_created_at_id"), table_name="invite")
    op.drop_table("invite")
    op.drop_index(op.f("ix_grant_workspace_id_subject_id"), table_name="grant")
    op.drop_table("grant")
    op.drop_table("user")
