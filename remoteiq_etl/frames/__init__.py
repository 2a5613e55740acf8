"""Belongs here: columns in memory: dtypes and their binary forms, JSON text, text normalisation, derived ids, key
search.

Not here: tables, databases, outcomes of rows.
"""
