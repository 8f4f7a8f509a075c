"""When a session was seen last is not kept any more: nobody asked, and who looked waited for changes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("session", "seen_at")


def downgrade() -> None:
    op.add_column("session", sa.Column("seen_at", sa.BigInteger(), nullable=False, server_default="0"))
