"""Belongs here: which legacy rows a run reads and why: watermarks, full-pass reasons, row counts, fingerprints, rows
to read again, key scans, the sweep.

Not here: reading the rows; loading them.
"""
