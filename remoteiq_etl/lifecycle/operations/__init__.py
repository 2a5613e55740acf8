"""Belongs here: afterwards, for people: listing and deciding on quarantine, conflicts, deletes, resets, sealed values;
status.

Not here: showing it (cli, report); carrying it out (backfill).
"""
