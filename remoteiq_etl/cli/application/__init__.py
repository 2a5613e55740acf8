"""Belongs here: commands about what the new application needs beyond the redesign.

Not here: what it needs, and how it is made.
"""
