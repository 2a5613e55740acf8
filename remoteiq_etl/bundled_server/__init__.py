"""Belongs here: the PostgreSQL of the project: where it lies, as whom it runs, when it starts and stops.

Not here: configured databases, statements.
"""
