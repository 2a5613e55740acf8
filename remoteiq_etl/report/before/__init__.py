"""Belongs here: what a person has to do and to decide before the cut-over, as the report says it.

Not here: doing it; the rules of the gate.
"""
