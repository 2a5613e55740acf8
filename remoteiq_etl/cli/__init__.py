"""Belongs here: `main.py` registers the commands, exit codes and errors as text; the order of the commands, options, output,
selection and how a command begins, shared by all.

Not here: what a command does.
"""

from remoteiq_etl.cli.main import main

__all__ = ["main"]
