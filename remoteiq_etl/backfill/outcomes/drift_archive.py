"""Archives what an operator accepted of the legacy database's drift: extra columns per legacy row, extra tables row by row.

Rows are streamed from the snapshot of the run, so memory stays flat, and put into the archive batch by batch, each with its
account. Belongs here: reading and archiving. Does not belong here: what was accepted (remoteiq_etl.lifecycle.drift.impact).
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa
from psycopg import sql

from remoteiq_etl.backfill.context.plan import WHOLE_ROW, Extra
from remoteiq_etl.backfill.context.progress import Pace
from remoteiq_etl.backfill.context.report import BatchAccount, Ledger, TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes import archive
from remoteiq_etl.backfill.outcomes.ledger import write_account
from remoteiq_etl.backfill.source.extract import rebatched
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.postgres.encodings import as_json
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import SECRET_KEY

SQL = statements(__file__)

#: The rule that such values are archived under; the name of their report and asset, too.
RULE = "accepted_drift"
#: Nobody knows how wide the rows of a foreign table are: a batch ends at this size even when it has few rows.
BATCH_BYTES = 8 * 1024 * 1024
#: Of the row as a whole: no column has such a name, and a column would win over it.
_ROW = sql.Identifier("row of remoteiq_etl")


def archive_extras(run: RunContext, pace: Pace) -> TableReport:
    """Archive everything that was accepted, as the snapshot has it. A plan only counts the rows.

    A value that is archived already is not written again; one that is gone from legacy stays in the archive.
    """
    report = TableReport(RULE, beside=True)
    started = time.monotonic()
    for extra in run.plan.extras:
        pace.before_table(report)
        account = report.account(extra.table, primary=extra.whole)
        for part in [_counted(run, extra)] if run.planning else _archived(run, pace, extra, report):
            account.add(part)
    if not run.planning:
        with run.session.transaction():
            report.archived = archive.count_entries(run, RULE, [extra.table for extra in run.plan.extras])
    report.seconds = time.monotonic() - started
    if run.plan.extras:
        run.listener.finished(report)
    return report


def extra_query(run: RunContext, extra: Extra) -> sql.Composed:
    """The SELECT of one extra: the parts of the key, then the values, all as text."""
    bad = run.legacy.unreadable
    values = [sql.SQL("({})::text").format(as_json(bad, _value(name))) for name in extra.archived_as]
    table = {"table": run.legacy.table(extra.table), "row": _ROW, "wanted": _wanted(extra)}
    if not extra.keys:
        names = [sql.Identifier(f"value {number}") for number in range(len(values))]
        named = [sql.SQL("{} AS {}").format(value, name) for value, name in zip(values, names, strict=True)]
        whole = sql.SQL("{}.*").format(_ROW)
        return SQL["extra_rows_by_hash"].format(hash=_hex(whole), values=_listed(named), names=_listed(names), **table)
    columns = [sql.SQL("{}.{}").format(_ROW, sql.Identifier(key)) for key in extra.keys]
    # A key that is a secret itself stands in no archive.
    secret = any(SECRET_KEY.search(key) for key in extra.keys) and extra.whole
    keys = [_hex(*columns)] if secret else [sql.SQL("{}::text").format(column) for column in columns]
    return SQL["extra_rows"].format(keys=_listed(keys), values=_listed(values), **table)


def _value(name: str) -> sql.Composable:
    return _ROW if name == WHOLE_ROW else sql.SQL("{}.{}").format(_ROW, sql.Identifier(name))


def _wanted(extra: Extra) -> sql.Composable:
    present = [sql.SQL("{}.{} IS NOT NULL").format(_ROW, sql.Identifier(name)) for name in extra.columns]
    return sql.SQL(" OR ").join(present) if present else sql.SQL("true")


def _hex(*expressions: sql.Composable) -> sql.Composable:
    return sql.SQL("encode({}, 'hex')").format(row_hash(expressions))


def _listed(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _counted(run: RunContext, extra: Extra) -> BatchAccount:
    query = sql.SQL("SELECT count(*) FROM {} AS {} WHERE {}")
    return _account(
        extra, int(run.snapshot.session.value(query.format(run.legacy.table(extra.table), _ROW, _wanted(extra))))
    )


def _account(extra: Extra, rows: int, size: int = 0) -> BatchAccount:
    account = BatchAccount(extra.table, extra.whole, read=rows, bytes=size)
    account.outcomes[Ledger.ARCHIVED] = account.rules[(Ledger.ARCHIVED, RULE)] = rows
    return account


def _archived(run: RunContext, pace: Pace, extra: Extra, report: TableReport) -> Iterator[BatchAccount]:
    """The account of each batch, after it was committed."""
    batches = run.reader.batches(extra_query(run, extra).as_string(None))
    for number, batch in enumerate(rebatched(batches, run.batch_rows, BATCH_BYTES), 1):
        account = _account(extra, batch.num_rows, batch.nbytes)
        entries = list(_entries(run, extra, batch))
        account.warnings += Counter({archive.WITHHELD: sum(entry.withheld for entry in entries)})
        pace.before_batch(report)
        with run.session.transaction():
            run.check_fence()
            archive.write(run, RULE, extra.table, entries)
            write_account(run, RULE, number, account)
        yield account


def _entries(run: RunContext, extra: Extra, batch: pa.Table) -> Iterator[archive.ArchiveEntry]:
    columns = [column.to_pylist() for column in batch.columns]
    at = batch.num_columns - len(extra.archived_as)
    for cells in zip(*columns, strict=True):
        key = str(cells[0]) if at == 1 else key_text(cells[:at])
        for name, text in zip(extra.archived_as, cells[at:], strict=True):
            if text is not None:
                secret = bool(SECRET_KEY.search(name))
                yield archive.entry_of_text(key, name, RULE, text, extra.table, run.sealer, secret=secret)
