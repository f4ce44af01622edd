"""twotower: semantic search and personal recommendations for a shop, from one model."""

__version__ = "0.1.0"
