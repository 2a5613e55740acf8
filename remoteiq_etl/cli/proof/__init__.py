"""Belongs here: commands that only look: doctor, verify, report, lineage; `commands.py` as above.

Not here: anything that writes.
"""
