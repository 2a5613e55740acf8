"""What people decided before a cut-over, and the rehearsals that they decided on."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, SmallInteger, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

rehearsals = Table(
    "rehearsals",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they ended"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("verdict", Text, nullable=False, comment="passed or failed"),
    Column("code", Text, nullable=False, comment="hash of the program's rules"),
    Column("legacy_schema", Text, nullable=False, comment="hash of the legacy catalogue"),
    Column("target_schema", Text, nullable=False, comment="hash of the catalogue of the scratch target"),
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
