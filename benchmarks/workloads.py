"""The two workloads: which table, and what one SQL statement needs to write it."""

from dataclasses import dataclass
from importlib.resources import files

from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.frames.derived_ids import source_namespace
from remoteiq_etl.postgres.row_hash import row_hash
from schemas import legacy, target

LEGACY_SCHEMA = "legacy"
TARGET_SCHEMA = "public"
STATE_SCHEMA = "remoteiq_etl"
SOURCE = "default"

NAMES = ("check_runs", "agent_software")

# What the map's second hash is not over: the key, times of the insert, and updated_at.
_NOT_COMPARED = {"check_runs": {"id"}, "agent_software": {"id", "created_at", "updated_at"}}
_WRITTEN = {
    "check_runs": (
        "assignment_id", "status", "severity", "started_at", "finished_at", "metrics", "output", "created_at",
    ),
    "agent_software": ("agent_id", "name", "publisher", "version", "install_date", "created_at", "updated_at"),
}  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """One legacy table that becomes the target table of the same name."""

    name: str

    @property
    def source(self) -> Table:
        """The legacy table."""
        return getattr(legacy, self.name)

    @property
    def destination(self) -> Table:
        """The target table."""
        return getattr(target, self.name)

    def limit(self, source_id: int) -> sql.Composed:
        """The statement that transforms once and writes target and map: the fastest way there is."""
        text = files("benchmarks").joinpath("sql", f"{self.name}.sql").read_text(encoding="utf-8")
        compared = [name for name in _WRITTEN[self.name] if name not in _NOT_COMPARED[self.name]]
        return sql.SQL(text).format(
            source_id=sql.Literal(source_id),
            namespace=sql.Literal(source_namespace(SOURCE).hex),
            source_hash=row_hash([sql.Identifier("s", column.name) for column in self.source.columns]),
            written_hash=row_hash([sql.Identifier("t", name) for name in compared]),
        )
