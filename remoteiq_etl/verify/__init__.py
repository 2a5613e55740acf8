"""Verification: what the target holds against what the mapping says it must hold, and the proof of it.

It shares nothing with the transforms: the mapping stands here once more, as plain SQL over the legacy tables (see
opinions/). It only reads both databases; what it needs of legacy lies in temporary tables of its own session of the target.
Does not belong here: loading, and mending what it finds.
"""
