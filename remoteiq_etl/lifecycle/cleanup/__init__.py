"""Belongs here: dropping what nobody needs after the cut-over: which objects, in which order, and the archive that is made before.

Not here: the cut-over itself; rows of the target.
"""
