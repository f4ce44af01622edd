"""Impressions by whom they were shown to, so that erasing a person reads no other's events."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_SEEN_ONLY = sa.text("event = 'impression'")


def upgrade() -> None:
    """Makes the indexes of what those of histories leave out."""
    for of in ("visitor", "user"):
        op.create_index(
            f"impressions_of_{of}",
            "events",
            [f"{of}_id"],
            sqlite_where=_SEEN_ONLY,
            postgresql_where=_SEEN_ONLY,
        )
