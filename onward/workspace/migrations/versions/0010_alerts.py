"""Alerts, what they are about, and what was said because of them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=True),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_notification_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index(
        op.f("ix_notification_workspace_id_created_at_id"),
        "notification",
        ["workspace_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "alert",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=True),
        sa.Column("destination_id", sa.String(length=32), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name=op.f("fk_alert_destination_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_alert_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_alert_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_created_at_id"), "alert", ["created_at", "id"], unique=False)
    op.create_index(op.f("ix_alert_destination_id"), "alert", ["destination_id"], unique=False)
    op.create_index(op.f("ix_alert_source_id"), "alert", ["source_id"], unique=False)
    op.create_table(
        "alert_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notification_id", sa.String(length=32), nullable=False),
        sa.Column("alert_id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_alert_message_alert_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notification.id"],
            name=op.f("fk_alert_message_notification_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_message")),
    )
    op.create_index(op.f("ix_alert_message_alert_id"), "alert_message", ["alert_id"], unique=False)
    op.create_index(op.f("ix_alert_message_due_at"), "alert_message", ["due_at"], unique=False)
    op.create_index(
        op.f("ix_alert_message_notification_id"), "alert_message", ["notification_id"], unique=False
    )
    op.create_table(
        "alert_state",
        sa.Column("alert_id", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name=op.f("fk_alert_state_alert_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alert_id", "target", name=op.f("pk_alert_state")),
    )


def downgrade() -> None:
    for table in ("alert_message", "alert_state", "notification", "alert"):
        op.drop_table(table)
