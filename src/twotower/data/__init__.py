"""What happened in the shop: read, check, clean, profile, split.

    reading -> mapping -> check -> clean -> splits -> Dataset      (prepare.py says it in order)

`synthetic/` makes a shop up: the demo's default and the world of the tests.
"""
