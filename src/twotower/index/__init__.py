"""Vectors in, nearest rows out. This room knows no shop and no PyTorch.

base.py       the `Index` protocol and `Hits`
exact.py      every row is scored: right by definition, for catalogues below 200k
hnsw.py       a graph over the rows: for larger catalogues
live.py       products that changed since the index was built, over untouched files
live_rows.py  what all indexes do alike: rows set and deleted while others read
files.py      arrays on disk, hashed and memory-mapped
ranking.py    scores and order, the same to the last bit in every implementation
build.py      choosing, building, measuring and loading an index
"""
