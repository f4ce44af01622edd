"""The demo shop: a made-up catalogue, shoppers and queries with planted tastes."""
