"""Belongs here: two conductors: `run.py` opens a run, loads its tables in order and closes it; `load_table.py` streams
one table.

Not here: a step itself: each is a folder below.
"""
