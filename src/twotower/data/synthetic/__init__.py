"""The demo shop: a made-up catalogue, shoppers and queries with planted tastes.

The world of the tests, where right answers are known, and the demo's default, as it needs
no network. Start reading at `shop.synthetic_shop`.
"""
