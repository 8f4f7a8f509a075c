"""What a version of a function runs and which handlers it has; secrets of sources that are functions."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "function_version",
        sa.Column("language", sa.String(), nullable=False, server_default="JAVASCRIPT"),
    )
    op.add_column("function_version", sa.Column("compiled", sa.String(), nullable=True))
    op.add_column("function_version", sa.Column("handlers", sa.JSON(), nullable=True))
    op.add_column("source", sa.Column("secrets", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("source", "secrets")
    for column in ("handlers", "compiled", "language"):
        op.drop_column("function_version", column)
