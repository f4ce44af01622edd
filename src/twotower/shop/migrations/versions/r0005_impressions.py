"""Impressions, which the indexes of histories leave out, and events by the list they refer to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NOT_SEEN_ONLY = sa.text("event <> 'impression'")


def upgrade() -> None:
    """Makes the indexes anew; an older database has no impressions."""
    for of in ("visitor", "user"):
        op.drop_index(f"events_of_{of}", "events")
        op.create_index(
            f"events_of_{of}",
            "events",
            [f"{of}_id", "time", "sequence"],
            sqlite_where=_NOT_SEEN_ONLY,
            postgresql_where=_NOT_SEEN_ONLY,
        )
    op.create_index("events_of_request", "events", ["request_id", "sequence"])
