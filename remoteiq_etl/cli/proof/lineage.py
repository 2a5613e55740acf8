"""`lineage`: what becomes of a legacy column, and what fills a target column. Reaches no database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import typer
from rich.console import Console

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.inverse.inverse import recoveries
from remoteiq_etl.lifecycle.mapping.column_map import ColumnMap, LegacyColumn, TargetColumn, column_map
from remoteiq_etl.lifecycle.mapping.document import markdown, told
from remoteiq_etl.spec.dispositions import DispositionKind

NAME = "TABLE|TABLE.COLUMN"

_Column = TypeVar("_Column", LegacyColumn, TargetColumn)


def show(name: str | None, *, check: bool, as_markdown: bool, as_json: bool) -> Exit:
    """Print the map of columns, of one table or column if it is named. FAILED when `check` finds something wrong."""
    found = column_map({key: table.spec for key, table in selection.all_tables().items()})
    if check:
        return _check(found, as_json=as_json)
    if as_markdown:
        typer.echo(markdown(found, recoveries()), nl=False)
        return Exit.DONE
    if name is not None:
        _check_name(found, name)
    legacy, target = _chosen(found, name)
    if as_json:
        fates = [_legacy_json(one, found) for one in legacy]
        output.print_json("lineage", {"legacy": fates, "target": [_target_json(one) for one in target]})
    elif name is None:
        _print_overview(output.results(), found)
    else:
        _print(output.results(), legacy, target)
    return Exit.DONE


def _check(found: ColumnMap, *, as_json: bool) -> Exit:
    result = f"{found.accounted} of {len(found.legacy)} legacy columns accounted for"
    if as_json:
        output.print_json(
            "lineage", {"accounted": found.accounted, "columns": len(found.legacy), "problems": list(found.problems)}
        )
    else:
        output.results().print(f"{result}.", style="red" if found.problems else "green")
        for problem in found.problems:
            output.errors().print(problem, style="red", markup=False, soft_wrap=True)
    return Exit.FAILED if found.problems else Exit.DONE


def _chosen(found: ColumnMap, name: str | None) -> tuple[list[LegacyColumn], list[TargetColumn]]:
    """All columns, those of a table, or one with its other ends: what it fills, or what fills it."""
    legacy, target = _named(found.legacy, name), _named(found.target, name)
    if name is not None and "." in name:
        fills = {place for one in legacy for place in (*one.targets, *one.optional)}
        behind = {place for one in target for place in one.sources}
        target += [one for place, one in found.target.items() if place in fills and one not in target]
        legacy += [one for place, one in found.legacy.items() if place in behind and one not in legacy]
    return legacy, target


def _named(columns: Mapping[str, _Column], name: str | None) -> list[_Column]:
    return [column for place, column in columns.items() if name in (None, place, column.table)]


def _check_name(found: ColumnMap, name: str) -> None:
    places = {*found.legacy, *found.target}
    table = name.partition(".")[0]
    check_names(NAME, [table], {place.partition(".")[0] for place in places})
    check_names(NAME, [name], {table, *(place for place in places if place.startswith(f"{table}."))})


def _legacy_json(column: LegacyColumn, found: ColumnMap) -> dict[str, Any]:
    return {
        "table": column.table,
        "column": column.name,
        "dispositions": [{"kind": one.kind, "rule": one.rule, "reason": one.reason} for one in column.dispositions],
        "targets": {place: found.target[place].rule for place in column.targets},
        "optional_targets": list(column.optional),
        "map": column.map,
    }


def _target_json(column: TargetColumn) -> dict[str, Any]:
    return {
        "table": column.table,
        "column": column.name,
        "sources": list(column.sources),
        "rule": column.rule,
        "optional": column.optional,
    }


def _print_overview(console: Console, found: ColumnMap) -> None:
    table = output.table("Legacy columns by what becomes of them")
    table.add_column("table", no_wrap=True)
    for head in ("columns", *DispositionKind):
        table.add_column(head, justify="right", no_wrap=True)
    names = list(dict.fromkeys(column.table for column in found.legacy.values()))
    for name in names:
        table.add_row(name, *_counts([column for column in found.legacy.values() if column.table == name]))
    table.add_section()
    table.add_row("all", *_counts(list(found.legacy.values())))
    console.print(table)
    console.print("remoteiq-etl lineage TABLE or TABLE.COLUMN shows the columns themselves, both ways.")


def _counts(columns: Sequence[LegacyColumn]) -> list[str]:
    kinds = Counter(column.disposition.kind for column in columns if column.disposition)
    return [output.number(len(columns)), *(output.number(kinds[kind]) for kind in DispositionKind)]


def _print(console: Console, legacy: Sequence[LegacyColumn], target: Sequence[TargetColumn]) -> None:
    if legacy:
        rows = [(one.place, one.disposition.kind if one.disposition else "none", told(one)) for one in legacy]
        _print_table(
            console, "What becomes of the legacy columns", ("legacy column", "disposition", "where to, and why"), rows
        )
    if target:
        rows = [(one.place, ", ".join(one.sources) or "-", one.rule or "") for one in target]
        _print_table(console, "What fills the target columns", ("target column", "from", "rule"), rows)


def _print_table(console: Console, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = output.table(title)
    for head in heads:
        table.add_column(head, overflow="fold")
    console.print(output.add_rows(table, rows))
