"""Rows that exist only as long as something else says so: what a complete read no longer yields is removed.

Removed is only what is ours, as we wrote it, and referred to by nothing. Belongs here: rows of an owner (links, tags) and
derived rows declared so. Does not belong here: rows gone from legacy, whose policy is the operator's.
"""

from collections import Counter
from collections.abc import Collection, Sequence

import psycopg
from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.backfill.outcomes.before_images import Image, ImageWriter
from remoteiq_etl.backfill.outcomes.movements import Cause
from remoteiq_etl.frames.derived_ids import short_key
from remoteiq_etl.postgres.errors.row_errors import is_about_rows
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import Derived, TableSpec
from remoteiq_etl.state.maps import key_join, map_of
from remoteiq_etl.state.written_columns import T_column, differs_from_written

SQL = statements(__file__)

KEPT_BY_TARGET = "kept_by_target"
"""The warning about a row that a trigger or rule of the target does not let go."""


class _Kept(Exception):  # not an error: it takes a savepoint back
    pass


# What a child's map (o) says of the rows that go with the row of this map (m).
_OWNED = sql.SQL(
    "o.source_id = m.source_id AND o.legacy_table = m.legacy_table AND o.owner_key = m.legacy_key::text AND NOT o.adopted"
)


def removing_sources(spec: TableSpec) -> list[str]:
    """The sources whose rows are removed when they are no longer yielded."""
    if spec.replaces:
        return [source.name for source in spec.sources]
    return [source.name for source in spec.sources if isinstance(source, Derived) and source.removes]


def remove_replaced(
    run: RunContext,
    spec: TableSpec,
    seen: set[tuple[str, str]],
    waiting_owners: set[str],
    emptied: Collection[str] = (),
) -> int:
    """Remove what was not seen in a complete read; rows that wait, or whose owner does, stay. Returns rows removed.

    Rows whose owner is gone from legacy, and rows of a legacy table that is empty (`emptied`), stay too: these are gone as
    any other row is, with a policy and a brake (see gone).
    """
    names, children = run.names(spec), _children(run, spec)
    query = SQL["removable"].format(**names, edited=_edited(run, spec), unreferenced=_unreferenced(run, spec, children))
    mapped = run.session.rows(query, [removing_sources(spec)])
    unseen = [
        (table, key, owner)
        for table, key, owner in mapped
        if (table, key) not in seen and owner not in waiting_owners and table not in emptied
    ]
    owners = present_owners(run, spec, {owner for _, _, owner in unseen})
    gone = [(table, key) for table, key, owner in unseen if owners is None or owner in owners]
    removed: Counter[str] = Counter()
    for table, key in gone:
        removed += _remove_with_children(run, spec, children, table, key)
    for name, rows in removed.items():
        movements.of_run(run, name, Cause.REPLACED, -rows)
    return removed[spec.name]


def _remove_with_children(
    run: RunContext, spec: TableSpec, children: Sequence[TableSpec], table: str, key: str
) -> Counter[str]:
    """Remove one row with those that go with it, or, where the target does not let one of them go, none. Rows by table."""
    removed: Counter[str] = Counter()
    try:
        with run.session.transaction():
            for child in children:
                removed[child.name] += _remove_owned(run, child, table, key)
            _remove(run, spec, table, key)
            removed[spec.name] += 1
    except (psycopg.Error, _Kept) as error:
        if isinstance(error, psycopg.Error) and not is_about_rows(error):
            raise
        parameters = {"asset": spec.asset, "rule": KEPT_BY_TARGET, "table": table, "key": short_key(key)}
        run.session.execute(SQL["warn_kept"].format(**run.names(spec)), parameters)
        return Counter()
    return removed


def _edited(run: RunContext, spec: TableSpec) -> sql.Composable:
    """Whether a row (t) is not as it was last written (m), where the values are kept."""
    columns = [
        sql.SQL("m.last_written ? {} AND {}").format(
            sql.Literal(column.name), differs_from_written(column, T_column(column), run.state.schema)
        )
        for column in run.live_spec(spec.name).target.columns
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(columns))


def present_owners(run: RunContext, spec: TableSpec, owners: set[str]) -> set[str] | None:
    """Which of these owners the legacy database has; None for a table whose rows have none."""
    if spec.owned_by is None:
        return None
    key = next(iter(spec.owned_by.primary_key.columns)).name
    query = sql.SQL("SELECT {0}::text FROM {1} WHERE {0}::text = ANY (%s)").format(
        sql.Identifier(key), run.legacy.table(spec.owned_by.name)
    )
    return {row[0] for row in run.snapshot.session.rows(query, [sorted(owners)])} if owners else set()


def _remove(run: RunContext, spec: TableSpec, table: str, key: str) -> None:
    names, parameters = run.names(spec), {"table": table, "key": key}
    writer = ImageWriter(spec, run.target_name(spec.name), run.state.schema, run.sealer)
    removed = SQL["removed_image"].format(**names, **Image.of(spec, run.state.schema).statement)
    writer.write(run.session, removed, parameters)
    if not run.session.execute(SQL["remove"].format(**names), parameters).rowcount:
        raise _Kept
    run.session.execute(SQL["forget"].format(**names), parameters)


def _remove_owned(run: RunContext, child: TableSpec, table: str, owner: str) -> int:
    """Remove a child's rows that go with their owner: all are ours and there, or the owner would not go. Returns how many."""
    query = sql.SQL(
        "SELECT legacy_key::text FROM {map} WHERE source_id = {source_id} AND legacy_table = %s AND owner_key = %s"
        " AND state = 'live' AND NOT adopted"
    )
    rows = run.session.rows(query.format(**run.names(child)), [table, owner])
    for (key,) in rows:
        _remove(run, child, table, key)
    return len(rows)


def _children(run: RunContext, spec: TableSpec) -> list[TableSpec]:
    """The tables whose rows go with a row that is removed."""
    named = [name for source in spec.sources if isinstance(source, Derived) for name in source.takes]
    return [run.live_spec(name) for name in named if run.has_target(name) and run.state.has_map(run.session, name)]


def _unreferenced(run: RunContext, spec: TableSpec, children: Sequence[TableSpec]) -> sql.Composable:
    """Conditions that no row of another table refers to the row: a cascade must never take a row that is not ours.

    Children that go with it may, as long as all of them are ours, and none of ours is missing: else somebody edited it.
    """
    taken = {child.name: child for child in children}
    conditions = [
        sql.SQL("AND NOT EXISTS (SELECT FROM {} AS c WHERE c.{} = t.{}{})").format(
            run.target_name(child.name),
            sql.Identifier(column),
            sql.Identifier(parent),
            _not_ours(run, taken[child.name]) if child.name in taken else sql.SQL(""),
        )
        for child, column, parent in _references(run.spec(spec.name).target)
        if run.has_target(child.name)
    ]
    return sql.SQL("\n    ").join([*conditions, *(_none_missing(run, child) for child in children)])


def _not_ours(run: RunContext, child: TableSpec) -> sql.Composable:
    owned = sql.SQL(" AND NOT EXISTS (SELECT FROM {map} AS o WHERE {owned} AND o.state = 'live' AND {joined})")
    return owned.format(map=run.state.name(map_of(child).name), owned=_OWNED, joined=key_join(child, "c", "o"))


def _none_missing(run: RunContext, child: TableSpec) -> sql.Composable:
    missing = sql.SQL(
        "AND NOT EXISTS (SELECT FROM {map} AS o WHERE {owned} AND o.state IN ('live', 'deleted')"
        " AND NOT EXISTS (SELECT FROM {child} AS c WHERE {joined}))"
    )
    return missing.format(
        map=run.state.name(map_of(child).name),
        owned=_OWNED,
        child=run.target_name(child.name),
        joined=key_join(child, "c", "o"),
    )


def _references(table: Table) -> list[tuple[Table, str, str]]:
    """(child table, its column, our column) for every foreign key that refers to a table."""
    return [
        (child, key.parent.name, key.column.name)
        for child in table.metadata.sorted_tables
        for key in child.foreign_keys
        if key.column.table is table
    ]
