"""Where the migration of each source stands, how it came there, which command is in work on that, and what people decided
before the cut-over, with the rehearsals that they decided on; cut-overs, and the archives made before a cleanup.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

STAGES = "prepared, loading, in step, verified, finalized, cut over, cleaned up"


def _entry() -> list[Column[Any]]:
    """What is known of one move. Made for each table: a column belongs to one."""
    return [
        Column("at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when"),
        Column("actor", Text, comment="user and host that did it"),
        Column("role", Text, nullable=False, server_default=text("session_user"), comment="role of the session"),
        Column("reason", Text, comment="why, in words"),
        Column("run_id", BigInteger, comment="run that did it; null: no run"),
        Column("details", JSONB, comment="what else is to be known of it; no value of any row"),
    ]


stages = Table(
    "stages",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("stage", Text, comment=f"{STAGES}; null: nothing has been prepared"),
    Column("came_from", Text, comment="the stage before it"),
    *_entry(),
    comment="Where the migration of each source stands",
)

stage_history = Table(
    "stage_history",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order of the moves"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("came_from", Text, comment="the stage before it; null: nothing had been prepared"),
    Column("stage", Text, comment=f"{STAGES}; null: what was prepared has been taken away"),
    *_entry(),
    Index("idx_stage_history_source_id_id", "source_id", "id"),
    comment="Every move of a source from one stage to another; rows are added and never changed",
)

stage_claims = Table(
    "stage_claims",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("command", Text, nullable=False, comment="what is in work"),
    Column("actor", Text, nullable=False, comment="user and host that began it"),
    Column("role", Text, nullable=False, server_default=text("session_user"), comment="role of the session"),
    Column("at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when it began"),
    comment="The command that works on a stage; it is in work as long as its session holds the lock",
)

rehearsals = Table(
    "rehearsals",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they ended"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("verdict", Text, nullable=False, comment="passed or failed"),
    Column("code", Text, nullable=False, comment="hash of the program's rules"),
    Column("legacy_schema", Text, nullable=False, comment="hash of the legacy catalogue"),
    Column("target_schema", Text, nullable=False, comment="hash of the target's tables, or of those of the scratch"),
    Column("certificate", JSONB, nullable=False, comment="steps, durations, rows and locks; no value of any row"),
    Column("actor", Text, nullable=False, comment="user and host that rehearsed"),
    Column("ended_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when it ended"),
    Index("idx_rehearsals_source_id_id", "source_id", "id"),
    comment="Rehearsals of the whole cycle on a scratch target",
)

gate_acceptances = Table(
    "gate_acceptances",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("rule", Text, primary_key=True, comment="rule of the gate"),
    Column("item", Text, primary_key=True, comment="what is accepted: a row, a role, an account"),
    Column("detail", Text, nullable=False, comment="what was said of it: accepted as long as the same is said"),
    Column("reason", Text, nullable=False, comment="why, in the words of who accepted it"),
    Column("actor", Text, nullable=False, comment="user and host that accepted it"),
    Column("role", Text, nullable=False, server_default=text("session_user"), comment="role of the session"),
    Column("accepted_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when"),
    comment="What stands in the way of a cut-over and was accepted one by one",
)

gate_approvals = Table(
    "gate_approvals",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in their order; the last one counts"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("seen", JSONB, nullable=False, comment="what it holds for: hashes and numbers, no value of any row"),
    Column("reason", Text, nullable=False, comment="why, in the words of who approved"),
    Column("actor", Text, nullable=False, comment="user and host that approved"),
    Column("role", Text, nullable=False, server_default=text("session_user"), comment="role of the session"),
    Column("approved_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when"),
    Column("until", TIMESTAMPTZ, nullable=False, comment="when it ends by itself"),
    Column("needs_second", Boolean, nullable=False, comment="it counts when a second person has approved, too"),
    Column("second_actor", Text, comment="user and host of the second person"),
    Column("second_at", TIMESTAMPTZ, comment="when the second person approved"),
    Column("revoked_at", TIMESTAMPTZ, comment="when it was taken back"),
    Column("revoked_by", Text, comment="user and host that took it back"),
    Column("revoke_reason", Text, comment="why it was taken back"),
    Index("idx_gate_approvals_source_id_id", "source_id", "id"),
    comment="Approvals of the cut-over",
)

cutovers = Table(
    "cutovers",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were begun"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("phase", Text, nullable=False, comment="begun, fenced, switching, done, failed, going back, taken back"),
    Column("actor", Text, nullable=False, comment="user and host that began it"),
    Column("begun_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when it was begun"),
    Column(
        "fence",
        JSONB,
        comment="what keeps the old application from writing, and what was there before; written before it is taken; null:"
        " nothing is taken",
    ),
    Column(
        "fenced_at",
        TIMESTAMPTZ,
        comment="when the fence stood, by the clock of the legacy server; runs from then on are those of the cut-over",
    ),
    Column("switched_at", TIMESTAMPTZ, comment="when the new application was let in"),
    Column("ended_at", TIMESTAMPTZ, comment="when it was done, had failed, or was taken back"),
    Column("schemas", JSONB, comment="of one database: oids and names of both schemas before and after; null: of two"),
    Column("marks", JSONB, comment="horizons and rows of both sides, by which later writes are told"),
    Column("seconds", JSONB, comment="how long each step took"),
    Column("error", Text, comment="class and text of what ended it, without values"),
    Index("idx_cutovers_source_id_id", "source_id", "id"),
    comment="Attempts to cut over; of a source the last one counts",
)

fall_back_batches = Table(
    "fall_back_batches",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were begun"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column(
        "cutover_id", BigInteger, ForeignKey("state.cutovers.id"), nullable=False, comment="cut-over it goes back on"
    ),
    Column("legacy_table", Text, nullable=False, comment="legacy table that was written"),
    Column("operation", Text, nullable=False, comment="insert, update or delete"),
    Column(
        "legacy_xids",
        ARRAY(BigInteger),
        comment="xmin of the rows that it wrote; recorded before legacy commits, so that they are known as ours",
    ),
    Column("rows", BigInteger, nullable=False, comment="rows that were to be written"),
    Column("refused", BigInteger, comment="of these, those that legacy refused or that had changed; null: not known"),
    Column("begun_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when it was begun"),
    Column(
        "done_at",
        TIMESTAMPTZ,
        comment="when it was committed in legacy; null: the process was killed before it said so",
    ),
    Column("noted_at", TIMESTAMPTZ, comment="when a run had taken note of what legacy has since"),
    Index("idx_fall_back_batches_source_id_cutover_id", "source_id", "cutover_id"),
    comment="Batches of what the new application had written, carried back to the legacy tables",
)

state_archives = Table(
    "state_archives",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were made"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("directory", Text, nullable=False, comment="where its files lie"),
    Column("digest", Text, nullable=False, comment="sha256 of its manifest, which has that of every file"),
    Column("files", Integer, nullable=False, comment="files besides the manifest"),
    Column("rows", BigInteger, nullable=False, comment="rows in them"),
    Column("sealed", Boolean, nullable=False, comment="whether they are encrypted with the sealing key"),
    Column("actor", Text, nullable=False, comment="user and host that made it"),
    Column(
        "checked_at",
        TIMESTAMPTZ,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="when it was read back and found whole",
    ),
    comment="Archives of this schema that were made before the legacy tables were dropped",
)
