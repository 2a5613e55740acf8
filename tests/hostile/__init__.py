"""Hostile surroundings as a matrix, and what a migration makes of each.

`surroundings`  what may be hostile, one dimension each: settings, encoding, row security, triggers, DDL between two runs, values
`sides`         a legacy database with its target, disturbed or not, and the two runs of it
`outcome`       the oracle: right, quarantined with its reason, or refused with a sentence before anything is written; never less
`soak`          cells at random for as long as one likes: make soak

One more way to be hostile is one more entry of a dimension. What a cell finds becomes a test of its own where it belongs.
"""
