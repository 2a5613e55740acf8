"""Belongs here: the commands about the gate of the cut-over: their options, and what they print.

Not here: the rules and approvals themselves.
"""
