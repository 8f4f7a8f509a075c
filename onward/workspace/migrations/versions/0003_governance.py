"""Tracking plans, transformations, schema settings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tracking_plan",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_tracking_plan_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_plan")),
        sa.UniqueConstraint("workspace_id", "slug", name=op.f("uq_tracking_plan_workspace_id_slug")),
    )
    op.create_index(
        op.f("ix_tracking_plan_created_at_id"), "tracking_plan", ["created_at", "id"], unique=False
    )
    op.create_table(
        "schema_event",
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("integrations", sa.JSON(), nullable=False),
        sa.Column("omitted", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_schema_event_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("source_id", "type", "name", name=op.f("pk_schema_event")),
    )
    op.create_table(
        "schema_settings",
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("controls", sa.JSON(), nullable=False),
        sa.Column("violations_to", sa.String(length=32), nullable=True),
        sa.Column("blocked_to", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["blocked_to"], ["source.id"], name=op.f("fk_schema_settings_blocked_to"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_schema_settings_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["violations_to"],
            ["source.id"],
            name=op.f("fk_schema_settings_violations_to"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_schema_settings")),
    )
    op.create_table(
        "tracking_plan_rule",
        sa.Column("tracking_plan_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("json_schema", sa.JSON(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tracking_plan_id"],
            ["tracking_plan.id"],
            name=op.f("fk_tracking_plan_rule_tracking_plan_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_plan_rule")),
        sa.UniqueConstraint(
            "tracking_plan_id",
            "type",
            "key",
            "version",
            name=op.f("uq_tracking_plan_rule_tracking_plan_id_type_key_version"),
        ),
    )
    op.create_index(
        op.f("ix_tracking_plan_rule_tracking_plan_id_created_at_id"),
        "tracking_plan_rule",
        ["tracking_plan_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "tracking_plan_source",
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("tracking_plan_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_tracking_plan_source_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tracking_plan_id"],
            ["tracking_plan.id"],
            name=op.f("fk_tracking_plan_source_tracking_plan_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_tracking_plan_source")),
    )
    op.create_index(
        op.f("ix_tracking_plan_source_tracking_plan_id"),
        "tracking_plan_source",
        ["tracking_plan_id"],
        unique=False,
    )
    op.create_table(
        "transformation",
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("destination", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("new_event_name", sa.String(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_transformation_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transformation")),
    )
    op.create_index(
        op.f("ix_transformation_source_id_created_at_id"),
        "transformation",
        ["source_id", "created_at", "id"],
        unique=False,
    )


def downgrade() -> None:
    for table in (
        "transformation",
        "schema_event",
        "schema_settings",
        "tracking_plan_source",
        "tracking_plan_rule",
        "tracking_plan",
    ):
        op.drop_table(table)
