"""What an undo would do with each target row: go, get its former values back, or stay, and why.

Everything is worked out in one transaction, into a temporary table. Belongs here: that table. Does not belong here: the
plan made of it (see plan), writing (see execute).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from psycopg import sql

from remoteiq_etl.backfill.outcomes.before_images import outside, picked_hash, text_join, value_hash
from remoteiq_etl.lifecycle.undo.access import UndoContext
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import key_join
from remoteiq_etl.state.references import Reference
from remoteiq_etl.state.written_columns import CONSTANT, current_hash, written_columns

SQL = statements(__file__)


def row_now(spec: TableSpec) -> sql.Composable:
    """The hash of a target row (t) as it is, without what stands outside the comparison."""
    return row_hash([sql.SQL("to_jsonb(t) - {}::text[]").format(sql.Literal(outside(spec)))])


def row_over_image(undo: UndoContext, spec: TableSpec, image: str) -> sql.Composable:
    """The hash of a target row (t) over the columns of an image, as the image itself was hashed."""
    columns = sql.SQL("{0}({1}.image, {1}.withheld, {1}.sealed)").format(
        undo.state.name("image_columns"), sql.Identifier(image)
    )
    return picked_hash(undo.state.schema, sql.Identifier("t"), columns, outside(spec))


@dataclass(frozen=True)
class RowVerdicts:
    """Fills the temporary table `undoing`. Needs a transaction; `accept_loss`: rows come back without lost secrets."""

    undo: UndoContext
    scope: UndoScope
    accept_loss: bool = False

    def execute(self) -> None:
        """Look at every row that the scope has written."""
        session = self.undo.session
        session.execute(SQL["undoing"].format())
        for table in self.undo.tables:
            legacy_tables = self._legacy_tables(table)
            if legacy_tables:
                self._look_at(table, legacy_tables)
        session.execute("ANALYZE undoing")
        self._look_at_secrets()
        while self._hold():
            continue
        for table in self._tables_with("u.action <> 'delete'"):
            for statement in (*self._orphaned(table), *self._taken(table)):
                session.execute(statement)

    # --- what was written ---------------------------------------------------------------------------------------

    def _legacy_tables(self, table: str) -> list[str]:
        """The names under which the assets in the scope write rows of a table."""
        specs = [s for asset, s in self.undo.place.specs.items() if s.name == table and self.scope.has(asset)]
        return sorted({source.name for source in chain.from_iterable(spec.sources for spec in specs)})

    def _look_at(self, table: str, legacy_tables: list[str]) -> None:
        session, spec = self.undo.session, self.undo.tables[table]
        names = {
            **self.undo.of(table),
            "row_now": row_now(spec),
            "row_left": row_over_image(self.undo, spec, "l"),
            "absent": sql.SQL("t.{} IS NULL").format(sql.Identifier(spec.primary_key[0])),
            "in_scope": sql.SQL("(l.run_id IS NULL OR {})").format(self.scope.of_run("l.run_id")),
        }
        has_images = sql.Literal(self._has_images(table))
        for legacy_table in legacy_tables:
            statement = SQL["inserted"].format(**names, **self._written(spec, legacy_table), has_images=has_images)
            session.execute(statement)
        changed = SQL["changed"].format(
            **names,
            of_run=self.scope.of_run("i.run_id"),
            inserted_in_scope=self.scope.of_run("m.inserted_run"),
            before_us=sql.SQL("true" if self.scope.run is not None else _NOT_OURS_BEFORE),
            row_join=text_join(spec, "b"),
            live_columns=sql.SQL("{}::text[]").format(sql.Literal(list(self.undo.live[table]))),
            edited_between=self._edited_between(table, "b.new_key", "i.id BETWEEN b.id AND l.id", "false"),
        )
        session.execute(changed, {"legacy_tables": legacy_tables})

    def _edited_between(self, table: str, key: str, which: str, first: str) -> sql.Composable:
        """Whether somebody edited a row between our writes. `first`: how the first of them (w) tells of an edit before it."""
        return SQL["edited_between"].format(
            **self.undo.of(table), key=sql.SQL(key), which=sql.SQL(which), first=sql.SQL(first)
        )

    def _has_images(self, table: str) -> bool:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {before_images} WHERE table_name = {table_name})")
        return bool(self.undo.session.value(query.format(**self.undo.of(table))))

    def _written(self, spec: TableSpec, legacy_table: str) -> dict[str, sql.Composable]:
        """What the insert left: the hash of the columns that it wrote, and the constants of those that it did not."""
        written = written_columns(self.undo, spec, legacy_table) or []
        known = {*written, *spec.primary_key, *spec.insert_only, *outside(spec)}
        others = {name: found for name, found in self.undo.live[spec.name].items() if name not in known}
        plain = {name: found.default for name, found in others.items() if _is_plain(found.default)}
        return {
            "legacy_table": sql.Literal(legacy_table),
            "of_run": self.scope.of_run("coalesce(m.inserted_run, m.first_run)"),
            "edited_between": self._edited_between(
                spec.name, "m.new_key::text", _SINCE_INSERTED, "w.first_found_other_values"
            ),
            "written": current_hash(self.undo, spec, legacy_table),
            "unwritten_names": sql.SQL("{}::text[]").format(sql.Literal(list(plain))),
            "unwritten": sql.SQL(" AND ").join([sql.SQL("true"), *(_untouched(*item) for item in plain.items())]),
        }

    # --- secrets ------------------------------------------------------------------------------------------------

    def _look_at_secrets(self) -> None:
        undo = self.undo
        value_now = value_hash(sql.SQL("to_jsonb(t) -> c.name"))
        for table in self._tables_with("u.action <> 'delete'"):
            lost = SQL["lost"].format(
                **undo.of(table),
                row_join=text_join(undo.tables[table], "u"),
                value_now=value_now,
                verdict=sql.Literal("free" if self.accept_loss else "blocked"),
            )
            undo.session.execute(lost)
            keyless = SQL["keyless"].format(**undo.of(table))
            undo.session.execute(keyless, {"key_ids": list(undo.sealer.key_ids) if undo.sealer else []})

    # --- what refers to what ------------------------------------------------------------------------------------

    def _tables_with(self, condition: str) -> list[str]:
        """The tables of which some row may be written."""
        query = sql.SQL("SELECT DISTINCT u.table_name FROM undoing AS u WHERE u.verdict = 'free' AND {}")
        return sorted(row[0] for row in self.undo.session.rows(query.format(sql.SQL(condition))))

    def _hold(self) -> int:
        """Rows that were to go and cannot, because of a row that stays."""
        return sum(
            self.undo.session.execute(self._held(table, reference)).rowcount
            for table in self._tables_with("u.action = 'delete'")
            for reference in self.undo.referring[table]
        )

    def _held(self, table: str, reference: Reference) -> sql.Composable:
        undo, spec = self.undo, self.undo.tables[table]
        name = reference.named_from(undo.target.schema)
        if not reference.readable:
            unknown = sql.SQL(
                "UPDATE undoing SET verdict = 'blocked', reason = 'a table that cannot be read may refer to it', holder = {}"
                " WHERE table_name = {} AND verdict = 'free' AND action = 'delete'"
            )
            return unknown.format(sql.Literal(name), sql.Literal(table))
        child = undo.tables.get(reference.table) if reference.schema == undo.target.schema else None
        managed = self._managed(child)
        return SQL["held"].format(
            **undo.of(table),
            row_join=text_join(spec, "u"),
            child=sql.Identifier(reference.schema, reference.table),
            child_name=sql.Literal(f"{name} "),
            child_key=reference.shown_key(),
            references=reference.pairs(),
            child_join=_of_table(child, "k", "c"),
            managed=managed,
            managed_may_stay=managed if self.scope.run is not None else sql.SQL("false"),
            lets_go=_lets_go(reference),
        )

    def _managed(self, child: TableSpec | None) -> sql.Composable:
        """Whether a row that refers (c) is one that this source wrote."""
        if child is None:
            return sql.SQL("false")
        found = sql.SQL(
            "EXISTS (SELECT FROM {map} AS o WHERE o.source_id = {source_id} AND o.state = 'live' AND NOT o.adopted AND {joined})"
        )
        return found.format(**self.undo.of(child.name), joined=key_join(child, "c", "o"))

    def _orphaned(self, table: str) -> Iterator[sql.Composable]:
        undo = self.undo
        for parent, references in undo.referring.items():
            for reference in references:
                if (reference.schema, reference.table) == (undo.target.schema, table):
                    yield SQL["orphaned"].format(
                        **undo.of(table),
                        parent=undo.target.table(parent),
                        parent_table=sql.Literal(parent),
                        parent_name=sql.Literal(f"{parent} "),
                        parent_value=_listed("concat_ws(', ', {})", reference.columns),
                        parent_join=_of_table(undo.tables[parent], "k", "p"),
                        complete=_each("b.image ->> {0} IS NOT NULL", reference.columns),
                        parent_pairs=_each("p.{1}::text = b.image ->> {0}", reference.columns, reference.parents),
                        inserted_pairs=_each("o.image ->> {2} = b.image ->> {0}", reference.columns, reference.parents),
                    )

    def _taken(self, table: str) -> Iterator[sql.Composable]:
        """For each unique constraint: who has what a row would get back. Secret values cannot be compared."""
        undo, spec = self.undo, self.undo.tables[table]
        for columns in undo.unique[table]:
            if any(is_secret(spec.target.columns[name]) for name in columns):
                continue
            yield SQL["taken"].format(
                **undo.of(table),
                row_join=text_join(spec, "u"),
                former_values=sql.SQL(", ").join(sql.Identifier("p", name) for name in columns),
                columns=sql.Literal(", ".join(columns)),
                name=sql.Literal(f"{table} "),
                other_key=sql.SQL("concat_ws(', ', {})").format(
                    sql.SQL(", ").join(sql.Identifier("t", name) for name in spec.primary_key)
                ),
                other_join=text_join(spec, "k"),
                same_values=_equal("t", "f", columns),
                both_want=_equal("g", "f", columns),
            )


#: In a scope of all runs what we inserted goes, whatever was done to it since. What remains was there before us.
_NOT_OURS_BEFORE = "(b.operation = 'adopt' OR b.legacy_key IS NULL)"


_SINCE_INSERTED = "i.run_id >= coalesce(m.inserted_run, m.first_run) AND i.operation <> 'delete'"


def _is_plain(default: str | None) -> bool:
    """Whether every row that nobody gave a value has the same one."""
    return default is None or CONSTANT.fullmatch(default) is not None


def _untouched(name: str, default: str | None) -> sql.Composable:
    if default is None:
        return sql.SQL("t.{} IS NULL").format(sql.Identifier(name))
    value = sql.SQL(default.replace("{", "{{").replace("}", "}}")).format()
    return sql.SQL("to_jsonb(t.{}) IS NOT DISTINCT FROM to_jsonb({})").format(sql.Identifier(name), value)


def _of_table(spec: TableSpec | None, keyed: str, row: str) -> sql.Composable:
    """The condition under which a judged row (keyed) is a row of this table."""
    if spec is None:
        return sql.SQL("false")
    named = sql.SQL("{}.table_name = {} AND ").format(sql.Identifier(keyed), sql.Literal(spec.name))
    return sql.SQL("{}{}").format(named, text_join(spec, keyed, row))


def _lets_go(reference: Reference) -> sql.Composable:
    """Whether a row refers to another one than this as soon as it has its former values (b) back."""
    differ = sql.SQL(" OR ").join(
        sql.SQL("b.image ->> {} IS DISTINCT FROM t.{}::text").format(sql.Literal(column), sql.Identifier(parent))
        for column, parent in zip(reference.columns, reference.parents, strict=True)
    )
    return sql.SQL("(k.action = 'restore' AND ({}))").format(differ)


def _equal(one: str, other: str, columns: Sequence[str]) -> sql.Composable:
    """Two rows have the same values in these columns, and none is null."""
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(one, name), sql.Identifier(other, name)) for name in columns
    )


def _each(pattern: str, columns: tuple[str, ...], parents: tuple[str, ...] | None = None) -> sql.Composable:
    return sql.SQL(" AND ").join(
        sql.SQL(pattern).format(sql.Literal(column), sql.Identifier(parent), sql.Literal(parent))
        for column, parent in zip(columns, parents or columns, strict=True)
    )


def _listed(pattern: str, columns: tuple[str, ...]) -> sql.Composable:
    values = sql.SQL(", ").join(sql.SQL("b.image ->> {}").format(sql.Literal(column)) for column in columns)
    return sql.SQL(pattern).format(values)
