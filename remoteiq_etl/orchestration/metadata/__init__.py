"""Belongs here: what Dagster shows: column schema, lineage, materialization metadata, legacy tables as external
assets.

Not here: deciding anything.
"""
