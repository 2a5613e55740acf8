"""Belongs here: commands about the legacy-shaped views and what is read back through them. `commands.py` holds their signatures
and imports nothing heavy.

Not here: the reporting views, which finalize makes; the inverses themselves.
"""
