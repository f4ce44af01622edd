"""How answers will be made, chosen on validation alone; what is reported is never looked at.

choose.py     all settings of serving, in the order in which they depend on each other
settings.py   the settings as the bundle keeps them
scorers.py    the towers, the frozen encoder and the words as scores of every row
fusion.py     the share of meaning in hybrid search, or none where it does not help
relevance.py  judged pairs become a probability, a cut-off and a reliability
"""
