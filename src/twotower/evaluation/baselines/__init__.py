"""What a model has to beat: chance, popularity, recent popularity, item-kNN.

Each baseline is a `Scorer` made by a function; those with settings are tuned on validation by
`tuning.tune`, and the report prints the grid. BM25 and the frozen text encoder come in as
scorers of their own rooms.
"""
