"""Each flag tells how often chance alone would do as much.

A flag raised before is given one change a year, the humblest claim; its next check says what it really is.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("flag") as flag:
        flag.add_column(sa.Column("chance", sa.Double(), nullable=False, server_default="1"))
    with op.batch_alter_table("flag") as flag:
        flag.alter_column("chance", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("flag") as flag:
        flag.drop_column("chance")
