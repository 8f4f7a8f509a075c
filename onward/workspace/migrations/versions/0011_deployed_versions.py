"""Which version of its function each instance runs: so far, all of a function's ran the deployed one."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FUNCTION = {
    "destination": "definition = 'function-' || function.id",
    "source": "kind = 'function-' || function.id",
    "insert_function_instance": "function_id = function.id",
}
"""By table: how an instance knows its function."""


def upgrade() -> None:
    for table, is_of in FUNCTION.items():
        op.add_column(table, sa.Column("function_version_id", sa.String(length=32), nullable=True))
        op.execute(
            f"UPDATE {table} SET function_version_id ="
            f" (SELECT deployed_id FROM function WHERE {table}.{is_of})"
        )
    with op.batch_alter_table("insert_function_instance") as batch:
        batch.alter_column("function_version_id", nullable=False)


def downgrade() -> None:
    for table in FUNCTION:
        op.drop_column(table, "function_version_id")
