"""Words in, rows out: how a text becomes terms, and BM25 over those terms.

analysis.py   a text as a list of terms
postings.py   which rows hold which term, how often
bm25.py       scores, search, live changes, files
tuning.py     k1 and b chosen on validation cases
"""
