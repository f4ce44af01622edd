"""Words in, rows out: how a text becomes terms, and BM25 over those terms.

analysis.py    a text as a list of terms
documents.py   an item as fields of text
postings.py    which rows hold which term, how often
bm25.py        scores and search
live.py        products that changed since the words were counted
files.py       saved and opened without pickle
tuning.py      k1 and b chosen on validation cases
"""
