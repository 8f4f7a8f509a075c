"""Hours that a function may use in a month."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("function", sa.Column("monthly_hours", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("function", "monthly_hours")
