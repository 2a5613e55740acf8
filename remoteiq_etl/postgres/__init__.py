"""Belongs here: sessions on a server, the hash of a row as SQL, the one loader of named statements.

Not here: any table of ours, of legacy or of the target.
"""
