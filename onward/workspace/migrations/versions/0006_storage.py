"""Warehouses, selective sync, reverse ETL."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "warehouse",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("schedule", sa.JSON(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_warehouse_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse")),
    )
    op.create_index(op.f("ix_warehouse_created_at_id"), "warehouse", ["created_at", "id"], unique=False)
    op.create_table(
        "warehouse_source",
        sa.Column("warehouse_id", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_warehouse_source_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"],
            ["warehouse.id"],
            name=op.f("fk_warehouse_source_warehouse_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("warehouse_id", "source_id", name=op.f("pk_warehouse_source")),
    )
    op.create_index(op.f("ix_warehouse_source_source_id"), "warehouse_source", ["source_id"], unique=False)
    op.create_table(
        "selective_sync",
        sa.Column("warehouse_id", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("property", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_selective_sync_source_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["warehouse_id"],
            ["warehouse.id"],
            name=op.f("fk_selective_sync_warehouse_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "warehouse_id", "source_id", "collection", "property", name=op.f("pk_selective_sync")
        ),
    )
    op.create_index(op.f("ix_selective_sync_source_id"), "selective_sync", ["source_id"], unique=False)
    op.create_table(
        "reverse_etl_model",
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("schedule_strategy", sa.String(), nullable=False),
        sa.Column("schedule_config", sa.JSON(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("identifier_column", sa.String(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_reverse_etl_model_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reverse_etl_model")),
    )
    op.create_index(
        op.f("ix_reverse_etl_model_created_at_id"), "reverse_etl_model", ["created_at", "id"], unique=False
    )
    op.create_index(op.f("ix_reverse_etl_model_source_id"), "reverse_etl_model", ["source_id"], unique=False)


def downgrade() -> None:
    for table in ("reverse_etl_model", "selective_sync", "warehouse_source", "warehouse"):
        op.drop_table(table)
