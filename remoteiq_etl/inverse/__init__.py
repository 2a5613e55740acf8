"""Belongs here: the mapping read backwards: one SELECT for each legacy table, the views made of them, and the round trip.

Not here: anything of transforms and expectations, with which an inverse shares no code.
"""
