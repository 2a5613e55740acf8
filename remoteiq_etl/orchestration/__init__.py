"""Everything Dagster: assets made of table declarations, their checks, the jobs, the run behind them, and its instance.

Belongs here: what Dagster is told and what it shows. Does not belong here: any table's name or rule, and anything that
the engine or the command line would need without Dagster.
"""
