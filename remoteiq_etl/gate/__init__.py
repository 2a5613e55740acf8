"""Belongs here: what must be true before a cut-over: the rules, what was accepted, who approved and what for.

Not here: the cut-over itself; verifying; what a rule asks people to do.
"""
