"""What decisions over several legacy rows warn of."""

from sqlalchemy import BigInteger, Column, ForeignKey, SmallInteger, Table, Text, func

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import LEGACY_KEY, LEGACY_TABLE, SOURCE, metadata

legacy_settings_map = Table(
    "legacy_settings_map",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("legacy_table", Text, primary_key=True, comment="singleton table"),
    Column("legacy_key", Text, primary_key=True, comment="id of the row that the legacy application reads"),
    Column("legacy_column", Text, primary_key=True, comment="column of that row"),
    Column("settings_type", Text, nullable=False, comment="branding, localization, support or notifications"),
    Column("path", Text, nullable=False, comment="keys from the top of the setting, joined by dots"),
    Column(
        "outcome",
        Text,
        nullable=False,
        comment="carried; empty: null in legacy, so that the key is left out; superseded: the path has another column's value",
    ),
    Column("run_id", BigInteger, nullable=False, comment="run that last changed this row"),
    comment="Legacy settings to JSON settings: one row per column of each singleton row that is read",
)

decision_warnings = Table(
    "decision_warnings",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("table_name", Text, primary_key=True, comment="asset that decides"),
    Column("rule", Text, primary_key=True, comment="what there is to know: hostname_renamed, spelling_would_change, …"),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("legacy_key", Text, primary_key=True, comment=LEGACY_KEY),
    Column("run_id", BigInteger, nullable=False, comment="run that found it first"),
    Column("found_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="when"),
    comment="Decisions that a person should know of, as long as they hold",
)
