"""Belongs here: commands that lead a migration from one stage to the next one and back, and how a stage is shown.
`commands.py` holds their signatures and imports nothing heavy.

Not here: runs; rows one by one; proof.
"""
