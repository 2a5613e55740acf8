"""Belongs here: columns in memory: dtypes and their binary forms, JSON text, text as it is compared and as it is shown,
derived ids, key search.

Not here: tables, databases, outcomes of rows.
"""
