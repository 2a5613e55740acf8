"""Belongs here: the run behind a Dagster run: resource, run options, instance, launcher, workers, signals, progress,
SQLite.

Not here: assets and jobs.
"""
