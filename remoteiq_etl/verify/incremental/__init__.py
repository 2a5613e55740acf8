"""Belongs here: what need not be compared again: watermarks of a verdict, the rows written since, freshness.

Not here: comparing.
"""
