"""How the tables came to be what they are: Alembic revisions, applied when a database is opened."""
