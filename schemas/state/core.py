"""Sources, runs, ledger, quarantine, held rows, before images, the archive and the numbers beside it."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import LEGACY_KEY, LEGACY_TABLE, SOURCE, metadata

_RUNS = {
    "run_id": "run that wrote it",
    "first_run": "first run that found it",
    "last_run": "last run that did",
    "released_run": "run that found it no longer so; null: it is open",
}


def _source() -> Column[Any]:
    return Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE)


def _run(name: str = "run_id", *, nullable: bool = False, comment: str | None = None) -> Column[Any]:
    return Column(name, BigInteger, nullable=nullable, comment=comment or _RUNS[name])


meta = Table(
    "meta",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=true(), comment="always true: there is one row"),
    Column("schema_version", Integer, nullable=False, comment="raised with every change of these tables"),
    Column("program_version", Text, nullable=False, comment="program that made or upgraded them"),
    comment="Version of this schema",
)

sources = Table(
    "sources",
    metadata,
    Column("id", SmallInteger, Identity(), primary_key=True, comment="what every other table names it by"),
    Column("name", Text, nullable=False, unique=True, comment="REMOTEIQ_SOURCE: one legacy database"),
    Column("organization_slug", Text, nullable=False, unique=True, comment="one slug belongs to one source"),
    Column(
        "hash_key", LargeBinary, nullable=False, comment="key of the HMAC over rows; no meaning outside this database"
    ),
    Column(
        "fence",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="raised by each run; a run with a lower one may not commit",
    ),
    Column("created_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="when its first run began"),
    comment="Legacy databases that share this target",
)

runs = Table(
    "runs",
    metadata,
    Column(
        "id", BigInteger, Identity(), primary_key=True, comment="in the order in which they began; gaps mean nothing"
    ),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("orchestrator_run_id", Text, comment="id of the Dagster run"),
    Column("status", Text, nullable=False, comment="plan, running, succeeded, failed, stopped, interrupted"),
    Column("started_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="when it began"),
    Column("finished_at", TIMESTAMPTZ, comment="when it ended; null: it runs, or nobody noticed its end"),
    Column("snapshot", Text, comment="pg_current_snapshot() of the legacy database"),
    Column("system_identifier", Text, comment="cluster of the legacy database, where it may be read"),
    Column(
        "fence", BigInteger, nullable=False, comment="its fencing token: it may commit while sources.fence is the same"
    ),
    Column("program_version", Text, nullable=False, comment="program that ran"),
    Column("options", JSONB, comment="options that the run was given; null: an older program ran"),
    Column(
        "images_pruned_at", TIMESTAMPTZ, comment="when before images of the run were removed: it cannot be undone alone"
    ),
    Column("error", Text, comment="class and text of what ended it, without values"),
    comment="One row per run",
)

ledger = Table(
    "ledger",
    metadata,
    Column("run_id", BigInteger, ForeignKey("state.runs.id"), primary_key=True, comment="run that wrote it"),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("batch", Integer, primary_key=True, comment="number of the batch within run and table"),
    Column("primary_rows", Boolean, nullable=False, comment="whether these rows count in the conservation law"),
    Column("read", BigInteger, nullable=False, comment="legacy rows that were read"),
    Column("outcomes", JSONB, nullable=False, comment="rows per outcome of the conservation law"),
    Column("rules", JSONB, nullable=False, comment="rows per outcome and rule"),
    Column("warnings", JSONB, nullable=False, comment="rows carried with a remark, per rule"),
    Column("bytes", BigInteger, nullable=False, comment="bytes of the staged rows"),
    Column(
        "committed_at",
        TIMESTAMPTZ,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="when the batch was written",
    ),
    comment="The conservation law: one row per table, run and batch, written in the transaction of the batch",
)

quarantine = Table(
    "quarantine",
    metadata,
    _source(),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("legacy_key", Text, primary_key=True, comment=LEGACY_KEY),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("rule", Text, nullable=False, comment="rule that stopped it"),
    Column("columns", ARRAY(Text), nullable=False, comment="legacy columns that the rule is about"),
    Column("detail", Text, nullable=False, comment="reason; names columns and keys, never values"),
    Column("row", JSONB, nullable=False, comment="the legacy row, secrets redacted, long texts cut"),
    _run("first_run"),
    _run("last_run"),
    Column("attempts", Integer, nullable=False, server_default="1", comment="how often runs have looked at it"),
    Column("quarantined_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="since when it waits"),
    _run("released_run", nullable=True),
    Column("source_hash", LargeBinary, comment="HMAC of the legacy row as it was last read"),
    Column("history", JSONB, comment="earlier reasons, the oldest first, each with its runs; null until there is one"),
    Column("ignored_at", TIMESTAMPTZ, comment="since when a person accepts that it stays; null again when it changes"),
    Column("ignored_by", Text, comment="who accepts that"),
    Column("ignored_reason", Text, comment="why"),
    comment="Legacy rows that cannot be carried as they are; looked at again on every run",
)

held = Table(
    "held",
    metadata,
    _source(),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("legacy_key", Text, primary_key=True, comment=LEGACY_KEY),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("parent_table", Text, nullable=False, comment="entity whose row is missing"),
    Column("parent_key", Text, nullable=False, comment="its legacy key, or the text that names it"),
    Column("column", Text, nullable=False, comment="legacy column that names the parent"),
    _run("first_run"),
    _run("last_run"),
    Column("attempts", Integer, nullable=False, server_default="1", comment="how often runs have looked at it"),
    Column("held_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="since when it waits"),
    _run("released_run", nullable=True),
    Column("source_hash", LargeBinary, comment="HMAC of the legacy row as it was last read"),
    Column("history", JSONB, comment="earlier parents, the oldest first, each with its runs; null until there is one"),
    comment="Legacy rows that wait for their parent",
)

left_out = Table(
    "left_out",
    metadata,
    _source(),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("legacy_key", Text, primary_key=True, comment=LEGACY_KEY),
    Column("outcome", Text, nullable=False, comment="merged, archived or filtered"),
    Column("rule", Text, nullable=False, comment="rule of the mapping that says so"),
    Column("source_hash", LargeBinary, comment="HMAC of the legacy row as it was last read"),
    _run(),
    comment="Legacy rows that became no target row of their own, by a rule of the mapping",
)

before_images = Table(
    "before_images",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order of the writes to one row"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    _run(comment="run that changed the row"),
    Column("table_name", Text, nullable=False, comment="target table"),
    Column("new_key", Text, nullable=False, comment="key of the target row"),
    Column("operation", Text, nullable=False, comment="adopt, update or delete"),
    Column("image", JSONB, nullable=False, comment="the target row before our write, secrets left out"),
    Column(
        "withheld",
        ARRAY(Text),
        comment="columns whose value the image lacks, or holds without its secret parts, and that are not sealed;"
        " null: nobody knows, an older program made the image",
    ),
    Column("sealed", JSONB, comment="the values that the image lacks, encrypted, by column"),
    Column("key_id", Text, comment="which key opens them"),
    Column("row_hash", LargeBinary, comment="HMAC of the row before our write, without activity and updated_at"),
    Column("after_hash", LargeBinary, comment="the same after our write; null: deleted, or an older program wrote"),
    Column("after_activity", LargeBinary, comment="HMAC of activity and updated_at after our write"),
    Column("hidden_hashes", JSONB, comment="HMAC of each value that the image lacks, by column"),
    Column("legacy_table", Text, comment="of the map row that led to the row; null: the row was nobody's"),
    Column("legacy_key", Text, comment="of the same map row"),
    Column("written_hash", LargeBinary, comment="what the map said was last written, before our write"),
    Column("last_written", JSONB, comment="the same as values, where the row had others"),
    Column("undone_by", BigInteger, comment="undo that took the write back; null: it stands"),
    Index("idx_before_images_table_name_new_key", "table_name", "new_key"),
    comment="Target rows as they were before we changed them",
)

legacy_archive = Table(
    "legacy_archive",
    metadata,
    _source(),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("legacy_key", Text, primary_key=True, comment=LEGACY_KEY),
    Column("column", Text, primary_key=True, comment="legacy column; * for a whole row"),
    Column("value", JSONB, comment="null where the whole value is secret; without the secret parts of a JSON value"),
    Column("rule", Text, nullable=False, comment="why it has no home"),
    Column("withheld", Boolean, nullable=False, comment="a secret was not kept, because no sealing key was given"),
    _run(),
    Column("sealed", Text, comment="the whole value, encrypted, where all or parts of it are secret"),
    Column("key_id", Text, comment="which key opens it"),
    Column("table_name", Text, comment="target table whose load archived it; null: no table's"),
    Column("gone_run", BigInteger, comment="run that found the legacy row gone; null: it is there"),
    comment="Legacy values without a home in the target, per legacy row",
)

legacy_numbers = Table(
    "legacy_numbers",
    metadata,
    _source(),
    Column("legacy_table", Text, primary_key=True, comment="legacy table whose keys are numbers"),
    Column("new_key", UUID, primary_key=True, comment="primary key of the target row, which the new application wrote"),
    Column("legacy_key", BigInteger, nullable=False, comment="number under which the legacy-shaped view shows it"),
    UniqueConstraint("source_id", "legacy_table", "legacy_key"),
    comment="Legacy keys of rows that only the new application wrote, above those of the legacy database",
)

archive_counts = Table(
    "archive_counts",
    metadata,
    Column("run_id", BigInteger, ForeignKey("state.runs.id"), primary_key=True, comment="run that wrote it"),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("column", Text, primary_key=True, comment="legacy column; * for whole rows"),
    Column("rule", Text, primary_key=True, comment="retired: values that are not carried"),
    Column("rows", BigInteger, nullable=False, comment="entries of the archive"),
    Column(
        "bytes", BigInteger, nullable=False, comment="of their values, clear and sealed; retired: in the legacy table"
    ),
    Column("clear", BigInteger, nullable=False, comment="entries with a value in clear"),
    Column("sealed", BigInteger, nullable=False, comment="entries with a sealed value"),
    Column("withheld", BigInteger, nullable=False, comment="entries of which a secret was not kept"),
    Column("retired", BigInteger, nullable=False, comment="values of the legacy table that are not carried"),
    comment="What the archive held of each legacy column when a run had loaded the table",
)

removed = Table(
    "removed",
    metadata,
    Column("schema_name", Text, primary_key=True, comment="real name of the target schema"),
    Column("name", Text, primary_key=True, comment="what prepare took away or left out until finalize"),
    Column("table_name", Text, nullable=False, comment="target table that lacks it"),
    Column("ddl", Text, nullable=False, comment="statement that makes it"),
    Column("validate", Text, comment="statement that validates it; null for an index"),
    Column("state", Text, nullable=False, comment="pending, created, valid"),
    comment="Constraints and indexes that finalize still has to make: intent, written before anything is left out",
)

schema_owner = Table(
    "schema_owner",
    metadata,
    Column("schema_name", Text, primary_key=True, comment="real name of the target schema"),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("created_by_us", Boolean, nullable=False, comment="whether prepare made it; else it was there"),
    Column("finalized", Boolean, nullable=False, comment="nothing that was left out is missing any more"),
    comment="Which target tables prepare created",
)

replaced_functions = Table(
    "replaced_functions",
    metadata,
    Column("schema_name", Text, primary_key=True, comment="real name of the target schema"),
    Column("name", Text, primary_key=True, comment="function"),
    Column("definition", Text, comment="the statement that puts the original back; null: there was none"),
    Column("replaced_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="when prepare replaced it"),
    comment="Functions of the target that prepare made or replaced",
)

words = Table(
    "words",
    metadata,
    _source(),
    Column("name", Text, primary_key=True, comment="value map"),
    Column("word", Text, primary_key=True, comment="as legacy writes it"),
    Column("rows", BigInteger, nullable=False, comment="legacy rows that have it"),
    _run("first_run"),
    _run("last_run"),
    comment="Legacy words seen per value map, and since which run",
)

application_parts = Table(
    "application_parts",
    metadata,
    Column("schema_name", Text, primary_key=True, comment="schema of the target"),
    Column("name", Text, primary_key=True, comment="the part, as application plan names it"),
    Column("profile", Text, nullable=False, comment="the profile that asked for it"),
    Column("former", Text, comment="who owned a table before it was given to another role"),
    Column("actor", Text, nullable=False, comment="user and host that made it"),
    Column("role", Text, nullable=False, server_default=text("session_user"), comment="role of the session"),
    Column("made_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when"),
    comment="What application install made, so that application remove takes away nothing else",
)
