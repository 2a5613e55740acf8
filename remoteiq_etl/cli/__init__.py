"""The command line `remoteiq-etl`.

    app         the commands, their options, and how errors and exit codes come out
    output      consoles, tables, numbers, JSON
    progress    how far a run is, on a terminal and in a log
    summary     what a run did, or would do, per table
    selection   which tables a command is about
    …           one module per command: demo, doctor, generate, lineage, plan, quarantine, run, status

Belongs here: reading options, calling what does the work, showing what came out. Does not belong here: any of the work.
Modules of commands are imported when their command is called: Dagster and pandas take seconds.
"""

from remoteiq_etl.cli.main import main

__all__ = ["main"]
