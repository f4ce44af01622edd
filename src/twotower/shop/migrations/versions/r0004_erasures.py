"""Users that were erased."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the table of erasures; an older database has none."""
    op.create_table(
        "erasures",
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("erased", _NUMBER, nullable=False),
    )
