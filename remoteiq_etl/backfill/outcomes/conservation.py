"""The conservation law of a table's load: every row to be read was read, has one outcome, and what is ours adds up.

Belongs here: checking it. Does not belong here: the outcomes themselves.
"""

from collections.abc import Mapping

from psycopg import sql

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.errors import ConservationError
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.maps import map_of


def check_read(spec: TableSpec, report: TableReport, expected: Mapping[str, int]) -> None:
    """Every row to be read of the snapshot was read, and every row read has one outcome. Raises ConservationError.

    `expected`: by legacy table the rows that the snapshot holds.
    """
    for source in spec.sources:
        if not isinstance(source, Source):
            continue
        account = report.account(source.name, primary=source.primary)
        rows = expected[source.name]
        if account.read != rows or (source.primary and account.accounted != account.read):
            raise ConservationError(
                f"{spec.name} from {source.name}: the snapshot holds {rows} rows, {account.read} were read and"
                f" {account.accounted} are accounted for ({dict(account.outcomes)}). Nothing was taken back:"
                f" committed batches are whole."
                " This is a fault of the program or of the source; keep the state schema and report it."
            )


def check_ours(spec: TableSpec, report: TableReport, before: tuple[int, int], after: tuple[int, int]) -> None:
    """Ours after = ours before + inserted − removed; rows deleted in the target count until then, and made again, too.

    Raises ConservationError. `before`, `after`: see mapped_rows.
    """
    inserted = report.total(Ledger.INSERTED) - report.recreated
    if sum(after) != sum(before) + inserted - report.removed:
        raise ConservationError(
            f"{spec.name}: {sum(before)} rows were ours, {inserted} were inserted and {report.removed}"
            f" removed, but {sum(after)} are mapped now."
            " This is a fault of the program; keep the state schema and report it."
        )


def mapped_rows(run: RunContext, spec: TableSpec) -> tuple[int, int]:
    """Rows of this table that are ours: live, and deleted in the target since."""
    if not run.state.has_map(run.session, spec.name):
        return 0, 0
    query = sql.SQL(
        "SELECT count(*) FILTER (WHERE state = 'live'), count(*) FILTER (WHERE state = 'deleted') FROM {}"
        " WHERE source_id = %s AND NOT adopted"
    )
    row = run.session.rows(query.format(run.state.name(map_of(spec).name)), [run.source_record.id])[0]
    return int(row[0]), int(row[1])
