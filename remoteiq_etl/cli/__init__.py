"""Belongs here: `main.py` registers the three groups, exit codes and errors as text; the order of commands; options, output, selection shared
by all.

Not here: what a command does.
"""

from remoteiq_etl.cli.main import main

__all__ = ["main"]
