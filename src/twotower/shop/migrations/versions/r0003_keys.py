"""Keys of the HTTP interface."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the table of keys; an older database has none."""
    op.create_table(
        "keys",
        sa.Column("key_id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False, unique=True),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("per_minute", _NUMBER),
        sa.Column("created", _NUMBER, nullable=False),
        sa.Column("revoked", _NUMBER),
    )
