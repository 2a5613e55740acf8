"""Belongs here: reading legacy: one exported snapshot, which database it is, the SELECT of a source, the condition
that narrows it.

Not here: deciding which rows; the target.
"""
