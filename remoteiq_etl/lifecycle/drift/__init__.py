"""Belongs here: before: is the legacy database, and the target, what we know; what a difference means; the doctor.

Not here: changing a schema.
"""
