"""Belongs here: the column map put together from all declarations, and its document.

Not here: any column by name.
"""
