"""A prepared dataset as one page to look at: `page.render(dataset)`.

events.py    the log in numbers: volumes, the long tail, sessions, the funnel, repeats
tables.py    the catalogue and the judgments in numbers: gaps, words, prices, categories
leaks.py     what a split must not let through, checked
plots.py     numbers as inline SVG and HTML bars
page.py      all of it in order, self-contained
style.py     the stylesheet, light and dark
"""
