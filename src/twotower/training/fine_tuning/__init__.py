"""The small text encoder trained end to end on the shop's own queries and titles.

A stage of its own, before the towers are trained on what comes out. Start at `stage.fine_tuned`.
"""
