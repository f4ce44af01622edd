"""Is it any good: cases, ranks, metrics, baselines, significance, report.

Every case is ranked against the whole catalogue, in batches, exactly. The story in order:
`cases` (who asks, what is right), `protocol` (ranks under a scorer), `metrics` (numbers from
ranks), `significance` (intervals), `diversity` and `health` (does everyone get the same list),
`baselines` (what to beat), `report` and `gate` (what is written and whether
it may be released), `page` (the same for people). `comparison` puts two systems side by side, and
`classic` our numbers beside those of old demos.
"""
