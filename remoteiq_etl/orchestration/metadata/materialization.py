"""What a load shows as metadata of its materialization: counts, rates, rules. Never a value of a row."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.orchestration.metadata import columns, lineage
from remoteiq_etl.spec.table import TableSpec

#: Outcomes as numbers of their own, which the UI plots over time. The order is that of the conservation law.
COUNTS: Mapping[str, Ledger] = {
    "rows inserted": Ledger.INSERTED,
    "rows adopted": Ledger.ADOPTED,
    "rows updated": Ledger.UPDATED,
    "rows unchanged": Ledger.UNCHANGED,
    "conflicts kept": Ledger.CONFLICT,
    "rows merged away": Ledger.MERGED,
    "rows deleted in target": Ledger.DELETED,
    "rows archived only": Ledger.ARCHIVED,
    "rows filtered": Ledger.FILTERED,
    "rows quarantined": Ledger.QUARANTINED,
    "rows held": Ledger.HELD,
}
#: Words of one column that are shown; more belong to no enum.
SHOWN_WORDS = 50
_RULES = dg.TableSchema(
    columns=[
        dg.TableColumn("legacy table"),
        dg.TableColumn("outcome"),
        dg.TableColumn("rule"),
        dg.TableColumn("rows", type="int"),
    ]
)
#: What the archive holds of one legacy column under one rule, as the UI shows it.
_ARCHIVED: Mapping[str, str] = {
    "legacy table": "legacy_table",
    "column": "column",
    "rule": "rule",
    "rows": "rows",
    "bytes": "bytes",
    "sealed": "sealed",
    "withheld": "withheld",
    "retired": "retired",
}
_ARCHIVE = dg.TableSchema(
    columns=[
        dg.TableColumn(head, type="string" if head in ("legacy table", "column", "rule") else "int")
        for head in _ARCHIVED
    ]
)

Metadata = dict[str, dg.MetadataValue[Any]]


def of_definition(spec: TableSpec, schema: str) -> Metadata:
    """What is known of a table before any run: its name, columns, and where these come from."""
    return {
        "dagster/table_name": dg.MetadataValue.text(f"{schema}.{spec.name}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(columns.schema(spec.target, lineage.origins(spec))),
        "dagster/column_lineage": dg.MetadataValue.column_lineage(lineage.of_columns(spec)),
    }


def of_load(spec: TableSpec, report: TableReport, schema: str) -> Metadata:
    """What one load of a table did. The columns are repeated, because the UI takes lineage from the last load only.

    The number of rows is known where the table was counted: not without a source, nor where a few rows of a log were read.
    """
    rows = report.rows_in_target
    counted = {} if rows is None else {"dagster/row_count": dg.MetadataValue.int(rows)}
    return {
        **counted,
        **({"reading": dg.MetadataValue.text(report.reading)} if report.reading else {}),
        "rows read": dg.MetadataValue.int(report.read),
        **{name: dg.MetadataValue.int(report.total(outcome)) for name, outcome in COUNTS.items()},
        "rows found late": dg.MetadataValue.int(report.found_late),
        "rows removed": dg.MetadataValue.int(report.removed),
        "rows per second": dg.MetadataValue.float(round(report.rows_per_second, 1)),
        "bytes": dg.MetadataValue.int(report.bytes),
        "seconds": dg.MetadataValue.float(round(report.seconds, 3)),
        "first load": dg.MetadataValue.bool(report.first_load),
        **_waiting(report),
        **waited(report),
        **dict(_tables(report)),
        **of_definition(spec, schema),
    }


def _waiting(report: TableReport) -> Metadata:
    """What is open of the table now, whoever left it so, and how far it is behind the source."""
    open_rows = report.waiting
    times = {"oldest in quarantine": open_rows.oldest, "last sweep": open_rows.swept}
    run = {} if open_rows.run is None else {"last run": dg.MetadataValue.int(open_rows.run)}
    return {
        **run,
        "seconds behind the source": dg.MetadataValue.float(round(open_rows.behind, 1)),
        "open in quarantine": dg.MetadataValue.int(open_rows.quarantined),
        "of these ignored": dg.MetadataValue.int(open_rows.ignored),
        **{name: dg.MetadataValue.timestamp(at) for name, at in times.items() if at is not None},
        "open held": dg.MetadataValue.int(open_rows.held),
        "open conflicts": dg.MetadataValue.int(open_rows.conflicts),
        "decisions to know of": dg.MetadataValue.int(open_rows.warnings),
    }


def waited(report: TableReport) -> Metadata:
    """Seconds that each signal (or a pause) made the run wait; nothing where none did."""
    seconds = {name: round(value, 1) for name, value in sorted(report.waited.items())}
    return {"seconds waited": dg.MetadataValue.json(seconds)} if seconds else {}


def _tables(report: TableReport) -> Iterator[tuple[str, dg.MetadataValue[Any]]]:
    rules = [
        dg.TableRecord({"legacy table": table, "outcome": str(outcome), "rule": rule, "rows": count})
        for table, account in report.accounts.items()
        for outcome, counts in account.rules_by_outcome().items()
        for rule, count in counts.items()
    ]
    if rules:
        yield "rules", dg.MetadataValue.table(rules, schema=_RULES)
    if report.archived:
        archived = [
            dg.TableRecord({head: getattr(one, name) for head, name in _ARCHIVED.items()}) for one in report.archived
        ]
        yield "archived values", dg.MetadataValue.table(archived, schema=_ARCHIVE)
    if report.words:
        yield "words", dg.MetadataValue.json({name: _most_used(counts) for name, counts in report.words.items()})
    if report.new_words:
        yield "words seen for the first time", dg.MetadataValue.json(report.new_words)
    if report.warnings:
        yield "warnings", dg.MetadataValue.json(dict(sorted(report.warnings.items())))


def _most_used(counts: Mapping[str, int]) -> dict[str, int]:
    """The words of one column with their rows; of a column of free text only the most frequent."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_WORDS])
