"""Belongs here: commands that try the program out on invented data: demo, generate. `commands.py` holds their signatures and
imports nothing heavy.

Not here: the data themselves (remoteiq_etl.fixtures).
"""
