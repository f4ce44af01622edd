"""What a model has to beat; each baseline is a `Scorer` made by a function.

popularity.py    chance, popularity, popularity of late
frequency.py     what a visitor had most often, where the same is bought again
interactions.py  the matrix of who had to do with what
item_knn.py      people who bought what you bought also bought
ease.py          the closed form
factors.py       iALS, BPR, LightFM, by libraries of others
tuning.py        as many trials for each, on validation
lineup.py        which of them stand in a report

BM25 and the frozen text encoder come in as scorers of their own rooms.
"""
