"""Belongs here: from prepared rows to committed target rows: staging, type check, classification, merge, conflicts, unique swaps,
the batch transaction.

Not here: what is recorded beside the row (outcomes), rows gone from legacy (deletes).
"""
