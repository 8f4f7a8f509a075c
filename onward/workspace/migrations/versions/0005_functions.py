"""Functions, their versions and instances."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "function",
        sa.Column("workspace_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("logo_url", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("catalog_id", sa.String(length=24), nullable=False),
        sa.Column("batch_max_count", sa.BigInteger(), nullable=False),
        sa.Column("latest_id", sa.String(length=32), nullable=False),
        sa.Column("deployed_id", sa.String(length=32), nullable=True),
        sa.Column("deployed_at", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_function_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_function")),
        sa.UniqueConstraint("catalog_id", name=op.f("uq_function_catalog_id")),
        sa.UniqueConstraint("workspace_id", "kind", "name", name=op.f("uq_function_workspace_id_kind_name")),
    )
    op.create_index(op.f("ix_function_created_at_id"), "function", ["created_at", "id"], unique=False)
    op.create_table(
        "function_version",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("function_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deployed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["function_id"], ["function.id"], name=op.f("fk_function_version_function_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_function_version")),
        sa.UniqueConstraint("function_id", "number", name=op.f("uq_function_version_function_id_number")),
    )
    op.create_table(
        "insert_function_instance",
        sa.Column("function_id", sa.String(length=32), nullable=False),
        sa.Column("destination_id", sa.String(length=32), nullable=True),
        sa.Column("source_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"],
            ["destination.id"],
            name=op.f("fk_insert_function_instance_destination_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["function_id"],
            ["function.id"],
            name=op.f("fk_insert_function_instance_function_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["source.id"],
            name=op.f("fk_insert_function_instance_source_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_insert_function_instance")),
        sa.UniqueConstraint("destination_id", name=op.f("uq_insert_function_instance_destination_id")),
        sa.UniqueConstraint("source_id", name=op.f("uq_insert_function_instance_source_id")),
    )
    op.create_index(
        op.f("ix_insert_function_instance_created_at_id"),
        "insert_function_instance",
        ["created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_insert_function_instance_function_id"),
        "insert_function_instance",
        ["function_id"],
        unique=False,
    )
    op.create_table(
        "edge_function",
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("download_url", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_edge_function_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edge_function")),
        sa.UniqueConstraint("source_id", "version", name=op.f("uq_edge_function_source_id_version")),
    )


def downgrade() -> None:
    for table in ("edge_function", "insert_function_instance", "function_version", "function"):
        op.drop_table(table)
