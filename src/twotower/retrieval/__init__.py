"""Answering: search, recommend, similar, over a bundle and the products that came since.

retriever.py        questions in, answers out
questions.py        what may be asked of a search
search.py           typed words
matching.py         which rows a query matches: totals, facets and pages count these
relevance.py        how likely a product fits, and from where on it counts as a match
recommendations.py  visitors and products
blend.py            meaning and words become one score
suggestions.py      what a shopper may be typing: queries, categories, products
visitor.py          a visitor as a vector
popularity.py       what to show to a visitor of whom nothing is known
repeats.py          what a visitor had before stands higher, where it may be shown
shelves.py          what is trending, what is new, what is bought together
baskets.py          what goes into the same baskets
probing.py          whether a bundle answers as it should, before it is served
catalogue.py        the products, those of the bundle and live ones
rules.py            what the shop wants in its lists: boost, bury, pin, hide
pinning.py          searches under those rules
listing.py          recommendations under those rules
diversity.py        lists that are not all alike
order.py            the order of what matches, and its pages
cursor.py           where a page ended, as a text
faceting.py         values of fields among what matches
explain.py          parts that sum to a score
page.py             which hits are asked for
answers.py          the shape of an answer
"""
