"""Public data sets: one file each, from the publisher's own files to the tables of a shop.

`registry` lists them by name. A loader only reads; what it takes for no product, no purchase
and so on is left out by rules that are counted in the profile, as those of `data.clean` are,
and everything after that is the path of any shop.
"""
