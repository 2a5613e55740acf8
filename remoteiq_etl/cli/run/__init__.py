"""Belongs here: commands that move data or steer it: run, plan, status, pause, resume, stop, reset, undo. `commands.py` holds
their signatures and imports nothing heavy.

Not here: rows one by one; proof.
"""
