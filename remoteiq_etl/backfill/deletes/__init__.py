"""Belongs here: target rows whose cause is gone: detection, mass-delete guard, deletion, revoking, rows owned by
another row.

Not here: change capture of rows that are there.
"""
