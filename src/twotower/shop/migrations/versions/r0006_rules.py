"""What the shop wants in its lists."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the table of rules; an older database has none."""
    op.create_table(
        "rules",
        sa.Column("rule_id", sa.String(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated", _NUMBER, nullable=False),
    )
