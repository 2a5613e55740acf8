"""How long records are kept that nobody needs for ever: the [retention] of the configuration file.

Belongs here: the periods and their defaults. Does not belong here: deleting anything (lifecycle.undo.retention,
orchestration.runtime.pruning).
"""

from typing import Annotated

from pydantic import Field, Strict

from remoteiq_etl.config.validation import Expected, SettingsTable

#: A hundred years: more days than PostgreSQL subtracts from any date in use is surely a slip.
MOST_DAYS = 36_500
MOST_RUNS = 1_000_000

_Days = Annotated[int, Strict(), Field(ge=1, le=MOST_DAYS)]


class Retention(SettingsTable):
    """The table [retention] of the file.

    `before_images_days`: after how many days before images go that no undo of a table or of everything needs; None keeps them.
    `dagster_days`: after how many days Dagster's records of a finished run may be pruned.
    `dagster_runs`: how many of the latest runs keep theirs, however young the others are; None counts none.
    """

    before_images_days: Annotated[_Days | None, Expected(f"1 to {MOST_DAYS}", "Without it they are kept.")] = None
    dagster_days: Annotated[_Days, Expected(f"1 to {MOST_DAYS}")] = 30
    dagster_runs: Annotated[
        int | None,
        Strict(),
        Field(ge=1, le=MOST_RUNS),
        Expected(f"1 to {MOST_RUNS}", "Without it the days alone decide."),
    ] = None
