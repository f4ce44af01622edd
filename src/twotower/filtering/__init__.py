"""Which products may be an answer: a small language, and the columns it is asked of.

This room knows rows and their columns, and no vectors.

fields.py      what a filter may speak of, and what each field may be compared with
tokens.py      text in, tokens with their positions out
syntax.py      what a filter says, as a tree
grammar.py     tokens in, tree out, or an error that says where and what was meant
terms.py       texts by number, and which lie below a category
segments.py    columns of neighbouring rows
columns.py     columns of the whole catalogue, live products included
masks.py       which rows a tree allows
facets.py      how often each value occurs among rows
"""
