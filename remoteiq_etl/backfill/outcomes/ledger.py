"""The ledger: the account of each batch, written in the transaction that commits it. Nothing else belongs here."""

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.context.report import BatchAccount
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)


def write_account(run: RunContext, table: str, number: int, account: BatchAccount) -> None:
    """Record one batch: its number within the run and the pair of target and legacy table. Needs a transaction."""
    values = {
        "run_id": run.id,
        "table_name": table,
        "legacy_table": account.legacy_table,
        "batch": number,
        "primary_rows": account.primary,
        "read": account.read,
        "outcomes": Jsonb(dict(account.outcomes)),
        "rules": Jsonb(account.rules_by_outcome()),
        "warnings": Jsonb(dict(account.warnings)),
        "bytes": account.bytes,
    }
    run.session.execute(SQL["ledger"].format(ledger=run.state.name("ledger")), values)


def write_outcomes(run: RunContext, table: str, legacy_table: str, outcomes: dict[str, int]) -> None:
    """Add one batch to the ledger that read nothing."""
    names = {
        "ledger": run.state.name("ledger"),
        "run_id": sql.Literal(run.id),
        "table_name": sql.Literal(table),
        "legacy_table": sql.Literal(legacy_table),
    }
    run.session.execute(SQL["ledger_of_deletes"].format(**names), {"outcomes": Jsonb(outcomes)})
