"""Belongs here: what an error of a server says and means: its text without values, the catalogue, missing rights, who blocks.

Not here: the classes of our own errors (remoteiq_etl.errors); what follows from an error.
"""
