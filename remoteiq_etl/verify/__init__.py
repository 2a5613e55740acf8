"""Belongs here: `engine.py` which tables, in which order, when a difference is believed; `table.py` the checks of one
table; `snapshots.py` the pair of snapshots; `pace.py`.

Not here: a check itself. Never anything of backfill/transform, load, outcomes, deletes.
"""
