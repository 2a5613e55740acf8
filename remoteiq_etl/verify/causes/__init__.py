"""Belongs here: why a difference is there: evidence gathered, label decided, what has changed in legacy since.

Not here: finding differences.
"""
