"""Retention: before images that are old enough go, as far as no undo of a table or of everything needs them.

Kept in any case: what a row held that was there before us, the last image of each row (by it an edit is noticed), and those of
tables whose history another table records. A run of which images went cannot be undone for itself any more, and its plan says
so. Belongs here: which images go. Does not belong here: how long they are kept (see remoteiq_etl.config.settings).
"""

from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)


def prune(run: RunContext, days: int) -> int:
    """Remove the before images of runs that ended so many days ago. Returns how many went."""
    history = sorted({table for spec in run.plan.specs.values() if spec.decide for table in spec.decide.history})
    statement = SQL["prune"].format(
        before_images=run.state.name("before_images"),
        runs=run.state.name("runs"),
        source_id=sql.Literal(run.source_record.id),
    )
    with run.session.transaction():
        run.check_fence()
        return int(run.session.value(statement, {"days": days, "history": history}))
