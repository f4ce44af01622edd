"""Events and products."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables of the first release, which counted them as schema version 1."""
    op.create_table(
        "events",
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(), nullable=False, unique=True),
        sa.Column("visitor_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String()),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("time", _NUMBER, nullable=False),
        sa.Column("received", _NUMBER, nullable=False),
        sa.Column("request_id", sa.String()),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_visitor", "events", ["visitor_id", "time", "sequence"])
    op.create_index("events_of_user", "events", ["user_id", "time", "sequence"])
    op.create_table(
        "products",
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("item_id", sa.String(), nullable=False, unique=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated", _NUMBER, nullable=False),
        sqlite_autoincrement=True,
    )
