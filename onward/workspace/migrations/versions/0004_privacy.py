"""Regulations, their progress, suppressions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regulation",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("door_erased", sa.Boolean(), nullable=False),
        sa.Column("log_erased", sa.Boolean(), nullable=False),
        sa.Column("log_offset", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_regulation_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regulation")),
    )
    op.create_index(
        op.f("ix_regulation_workspace_id_created_at_id"),
        "regulation",
        ["workspace_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_regulation_status"), "regulation", ["status"], unique=False)
    op.create_table(
        "regulation_target",
        sa.Column("regulation_id", sa.String(length=32), nullable=False),
        sa.Column("destination_id", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("forwards", sa.Boolean(), nullable=False),
        sa.Column("purged", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("next_subject", sa.BigInteger(), nullable=False),
        sa.Column("succeeded", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["regulation_id"],
            ["regulation.id"],
            name=op.f("fk_regulation_target_regulation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("regulation_id", "destination_id", name=op.f("pk_regulation_target")),
    )
    op.create_table(
        "regulation_retry",
        sa.Column("regulation_id", sa.String(length=32), nullable=False),
        sa.Column("destination_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regulation_id"],
            ["regulation.id"],
            name=op.f("fk_regulation_retry_regulation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "regulation_id", "destination_id", "subject", name=op.f("pk_regulation_retry")
        ),
    )
    op.create_index(op.f("ix_regulation_retry_due_at"), "regulation_retry", ["due_at"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("regulation_id", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_suppression_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", "source_id", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_version"), "suppression", ["version"], unique=False)
    op.create_index(op.f("ix_suppression_regulation_id"), "suppression", ["regulation_id"], unique=False)


def downgrade() -> None:
    for table in ("suppression", "regulation_retry", "regulation_target", "regulation"):
        op.drop_table(table)
