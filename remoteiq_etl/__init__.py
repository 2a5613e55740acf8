"""Backfill of a legacy RemoteIQ database into the redesigned schema.

Here belong the engine, its orchestration, the command line and the bundled server. Table definitions live in `schemas`,
transforms in `assets`; nothing here names a single table.
"""
