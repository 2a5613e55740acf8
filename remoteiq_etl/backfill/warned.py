"""What a decide step warns of, kept in the state schema while it holds: one row per asset, rule and key.

Belongs here: bringing the warnings of one asset to what its decide step says. Does not belong here: what it warns of (see
assets), and remarks about single rows, which the ledger counts.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING

from remoteiq_etl.backfill import jsons
from remoteiq_etl.backfill.database import load_sql
from remoteiq_etl.backfill.spec import Decided, TableSpec

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run


def keep_warnings(run: "Run", spec: TableSpec, decided: Decided) -> None:
    """Add the warnings that are new, and drop those that no longer hold; the others stay untouched."""
    rows = [asdict(one) for one in sorted(set(decided.warnings))]
    statement = load_sql("keep_warnings").format(warnings=run.state.name("decision_warnings"))
    parameters = {"source_id": run.registered.id, "asset": spec.asset, "run_id": run.id, "rows": jsons.dumps(rows)}
    run.session.execute(statement, parameters)
