"""Belongs here: `build.py`: the Definitions put together.

Not here: any Dagster object itself.
"""
