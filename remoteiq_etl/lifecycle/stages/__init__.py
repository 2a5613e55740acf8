"""Belongs here: where the migration of a source stands: the stages as data, what they were and are, what is missing for
the next one.

Not here: the work that leads from one to another.
"""
