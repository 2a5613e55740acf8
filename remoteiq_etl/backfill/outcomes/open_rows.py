"""What waits of a table after its load: rows in quarantine, those that a person ignores, held rows, conflicts, warnings.

Belongs here: counting them for the table's report. Does not belong here: which rows wait (see commit, merge), showing
them (lifecycle).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from remoteiq_etl.backfill.context.report import Waiting
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run

SQL = statements(__file__)


def count_waiting(run: "Run", spec: TableSpec) -> Waiting:
    """What is open of the rows that an asset reads, as it is committed now."""
    names = ("quarantine", "held", "conflicts", "assets", "decision_warnings")
    query = SQL["waiting"].format(**{name: run.state.name(name) for name in names})
    parameters = {
        "source_id": run.registered.id,
        "snapshot_at": run.started_at,
        "table_name": spec.name,
        "asset": spec.asset,
        "legacy_tables": [source.name for source in spec.sources],
    }
    return replace(Waiting(*run.session.rows(query, parameters)[0]), run=run.id)
