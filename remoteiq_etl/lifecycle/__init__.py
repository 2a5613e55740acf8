"""Belongs here: `migration.py` from settings to an open run, `activity.py` whether one is worth it, `interventions.py`
what was asked of one run.

Not here: any phase: each is a folder below.
"""
