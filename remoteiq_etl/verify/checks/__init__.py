"""Belongs here: one check per file: keys, checksums, aggregates, constraints, sequences, conservation, matrices,
business rules (with `rules/<domain>/*.sql`).

Not here: labels.
"""
