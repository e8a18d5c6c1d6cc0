"""What an import met on the way, kept with its batch; two more links of a product.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("details", sa.Text(), nullable=True))
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dashlord_url", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("risk_analysis_url", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.drop_column("risk_analysis_url")
        batch_op.drop_column("dashlord_url")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_column("details")
