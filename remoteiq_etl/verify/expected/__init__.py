"""Belongs here: the second, independent mapping: its SQL files (`<domain>/*.sql`), legacy rows copied beside the
target, asking one, comparing by EXCEPT.

Not here: why a row differs.
"""
