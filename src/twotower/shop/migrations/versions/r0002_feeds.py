"""Numbers by which replicas follow events and products."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Numbers the products in the order of their arrival; events are numbered already."""
    op.add_column("products", sa.Column("change", _NUMBER, nullable=False, server_default="0"))
    op.add_column(
        "products", sa.Column("deleted", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute("UPDATE products SET change = sequence")
    op.create_index("products_by_change", "products", ["change"], unique=True)
    op.create_table(
        "feeds",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("last", _NUMBER, nullable=False),
    )
    for name in ("events", "products"):
        op.execute(
            f"INSERT INTO feeds (name, last) SELECT '{name}', coalesce(max(sequence), 0)"  # noqa: S608 - our own names # nosec B608
            f" FROM {name}"
        )
