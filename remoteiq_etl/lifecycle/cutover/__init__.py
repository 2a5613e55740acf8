"""Belongs here: the cut-over and the way back from it: what keeps the old application from writing (the write fence), the wait
for its open transactions, the switch, the conductor.

Not here: whether it may begin (the gate), the run and the verification themselves.
"""
