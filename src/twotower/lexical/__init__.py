"""Words in, rows out: what a query may mean, and BM25 over it.

language.py      stems and stop words of the shop's language
analysis.py      a text as tokens and terms
documents.py     an item as fields of text
postings.py      which rows hold which term, how often in which field
bm25.py          scores and search by what was typed
vocabulary.py    words as they are written, and which stand side by side
spelling.py      words near a mistyped one
synonyms.py      the shop's own rules
reading.py       a query as slots of alternatives: typed, joined, split, mistyped, synonym
word_search.py   all of it as one object, kept right while products change
live.py          products that changed since the words were counted
prefixes.py      texts found by the beginnings of their words
files.py         saved and opened without pickle
tuning.py        k1, b and field weights chosen on validation cases
typos.py         typing mistakes made to order, for measuring
"""
