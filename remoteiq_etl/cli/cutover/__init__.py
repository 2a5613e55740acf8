"""Belongs here: commands of the cut-over and after it: cutover, cleanup.

Not here: what leads there (run, verify, finalize).
"""
