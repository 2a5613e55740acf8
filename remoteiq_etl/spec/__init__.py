"""Belongs here: all that a file of assets/ may import besides frames and schemas: the declaration of a table, the
batch given to a transform, lookups, value maps, decisions.

Not here: running a declaration; any session.
"""
