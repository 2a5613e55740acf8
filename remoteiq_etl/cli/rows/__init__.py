"""Belongs here: commands about single rows: quarantine, conflicts, deletes, explain, archive, seal; `commands.py` as
above.

Not here: runs.
"""
