"""One file per revision, in their order; a released one is never edited."""
