"""The maps after a fall-back: entries of the rows that it carried, so that the next run finds the same target rows under the same ids.

Each is written before legacy is, in one transaction with the record of the batch, so that a kill leaves nothing that a run would
make twice. Belongs here: these entries. Does not belong here: what a run makes of them (remoteiq_etl.backfill.load).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.fallback.model import Kind
from remoteiq_etl.inverse import definition
from remoteiq_etl.inverse.inverse import Inverse
from remoteiq_etl.inverse.views import LegacyViews
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import key_join, map_of
from remoteiq_etl.state.schema import State

SQL = statements(__file__)

#: By legacy table, the target tables that its rows become besides, with those alone of which it does not follow from the key which.
_BESIDES: Mapping[str, tuple[str, ...]] = {
    "users": ("user_security", "user_roles"),
    "role_permissions": ("role_permissions",),
    "jobs": ("agent_task_runs",),
    "job_results": ("agent_task_results",),
    "backup_jobs": ("backup_job_artifacts",),
}


@dataclass(frozen=True)
class Entries:
    """The maps of one source. `session` is one on the target, `specs` are the declarations by asset."""

    session: Session
    views: LegacyViews
    specs: Mapping[str, TableSpec]

    @property
    def state(self) -> State:
        """The state schema."""
        return self.views.state

    def prepare(self, kind: Kind, inverse: Inverse, keys: Sequence[str]) -> None:
        """Before legacy rows of these keys are inserted or updated. Needs a transaction."""
        if kind is Kind.INSERT:
            self._add(inverse, keys)
        if kind is not Kind.DELETE:
            for spec in self._made_of(inverse.name):
                self._execute("changed", spec, inverse.name, keys)
            for table in _BESIDES.get(inverse.name, ()):
                self._lead(inverse.name, table, SQL[table].format(**self._places()), keys)

    def forget(self, legacy_table: str, keys: Sequence[str]) -> None:
        """After legacy rows were deleted, or were not there any more: of rows that the target has not either. Needs a transaction."""
        for spec in self._made_of(legacy_table):
            gone = self._execute("gone", spec, legacy_table, keys)
            movements.of_fall_back(self.session, self.state, self.views.source_id, spec.name, -gone)

    def take_back(self, legacy_table: str, keys: Sequence[str]) -> None:
        """Of rows that legacy refused to insert. Needs a transaction."""
        for spec in self._made_of(legacy_table):
            taken = self._execute("refused", spec, legacy_table, keys)
            movements.of_fall_back(self.session, self.state, self.views.source_id, spec.name, -taken)

    # --- statements ---------------------------------------------------------------------------------------------------

    def _add(self, inverse: Inverse, keys: Sequence[str]) -> None:
        if inverse.new is not None:
            rows = definition.new_rows(inverse, self.views.place)
            self._lead(inverse.name, str(inverse.keys), rows, keys)
        if inverse.name == "tickets" and (spec := self._spec("tickets")) is not None:
            self._execute("ticket_numbers", spec, inverse.name, keys)

    def _lead(self, legacy_table: str, table: str, rows: sql.Composable, keys: Sequence[str]) -> None:
        """Let legacy keys lead to the rows that a SELECT of legacy key and new key gives."""
        spec = self._spec(table)
        if spec is not None:
            statement = SQL["new"].format(**self._names(spec, legacy_table), rows=rows)
            made = int(self.session.value(statement, {"keys": list(keys)}))
            movements.of_fall_back(self.session, self.state, self.views.source_id, table, made)

    def _execute(self, name: str, spec: TableSpec, legacy_table: str, keys: Sequence[str]) -> int:
        statement = SQL[name].format(**self._names(spec, legacy_table), key_join=key_join(spec))
        return self.session.execute(statement, {"keys": list(keys)}).rowcount

    def _names(self, spec: TableSpec, legacy_table: str) -> dict[str, sql.Composable]:
        found = map_of(spec)
        return {
            **self.state.names,
            "map": self.state.name(found.name),
            "map_key": sql.SQL(", ").join(sql.Identifier(column.name) for column in found.primary_key.columns),
            "target": self.state.target.table(spec.name),
            "source_id": sql.Literal(self.views.source_id),
            "legacy_table": sql.Literal(legacy_table),
            "legacy_type": sql.SQL(str(found.c.legacy_key.type)),
            "new_type": sql.SQL(str(found.c.new_key.type)),
        }

    def _places(self) -> dict[str, sql.Composable]:
        return {
            "schema": sql.Identifier(self.state.schema),
            "target_schema": sql.Identifier(self.state.target.schema),
            "source_id": sql.Literal(self.views.source_id),
        }

    def _spec(self, table: str) -> TableSpec | None:
        """The declaration of a target table whose map is there."""
        spec = self.specs.get(table)
        return spec if spec is not None and self.state.has_map(self.session, table) else None

    def _made_of(self, legacy_table: str) -> Iterator[TableSpec]:
        """The declarations of the target tables that rows of a legacy table become."""
        for name, spec in self.specs.items():
            if spec.source(legacy_table) is not None and self._spec(name) is not None:
                yield spec
