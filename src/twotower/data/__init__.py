"""What happened in the shop: read, check, clean, profile, split.

    reading -> mapping -> check -> clean -> splits -> Dataset      (prepare.py says it in order)

`words` are those that shops use for our columns, `shop_toml` is the file that maps any others,
`guess` writes one from what the columns look like. `streaming/` is the same path for a log
larger than memory. `profiling/` makes a page of a prepared dataset.
`synthetic/` makes a shop up: the demo's default and the world of the tests.
"""
