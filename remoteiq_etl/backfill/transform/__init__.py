"""Belongs here: from legacy frame to rows ready for staging: contracts, set-wise decisions, lookups, adoption of
target rows.

Not here: SQL that writes target rows.
"""
