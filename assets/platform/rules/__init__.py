"""Belongs here: decisions and parsers shared by the tables of this domain.

Not here: a SPEC: one file per target table stays a floor above.
"""
