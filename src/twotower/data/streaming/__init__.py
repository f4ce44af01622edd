"""A log larger than memory, prepared a part at a time; the dataset is the same as from memory.

log.py       the files of a log, batch by batch
survey.py    once through it: how its columns are written, and where users are parted
sort.py      again: typed rows, those of each range of users in files of their own
kept.py      those rows kept for the next time, when files have come
clean.py     the rules, range by range, and histories in their order
write.py     the split, the numbers and the hash, range by range, into one file
prepare.py   all of it in order
"""
