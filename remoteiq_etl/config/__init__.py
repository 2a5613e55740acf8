"""Belongs here: what an operator may set: environment and remoteiq.toml, their defaults and checks, one file per table of the file.

Not here: acting on a setting; any connection.
"""
