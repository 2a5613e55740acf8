"""Belongs here: findings and verdicts as plain data, their counts, their storage.

Not here: finding or judging.
"""
