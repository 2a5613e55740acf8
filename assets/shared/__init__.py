"""Belongs here: rules that tables of several domains share.

Not here: rules of one domain; a SPEC.
"""
