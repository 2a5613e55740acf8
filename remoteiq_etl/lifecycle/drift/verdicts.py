"""Which difference between a live database and our definitions blocks, on which side, and what to do about it.

Belongs here: one verdict per side and kind, as data. Does not belong here: finding the differences (`differences`).

Reasons name the places in braces: {schema}, {table}, {column}, {expected}, {found}; {name} is what --accept-drift takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from remoteiq_etl.lifecycle.drift.differences import DifferenceKind

Side = Literal["legacy", "target"]


class DriftScope(StrEnum):
    """What a difference that blocks keeps from happening."""

    RUN = "the run"
    ACCEPTANCE = "the run, until accepted"
    TABLE = "its tables"


@dataclass(frozen=True)
class DriftRule:
    """What a difference means. `written_only`: it blocks only in a table that this program writes."""

    blocks: bool
    reason: str
    written_only: bool = False
    scope: DriftScope = DriftScope.RUN


LEGACY: Mapping[DifferenceKind, DriftRule] = {
    DifferenceKind.MISSING_SCHEMA: DriftRule(
        True,
        "the legacy database has no schema {schema!r}; correct REMOTEIQ_LEGACY_SCHEMA or REMOTEIQ_LEGACY_URL",
    ),
    DifferenceKind.EMPTY_SCHEMA: DriftRule(
        True,
        "schema {schema!r} has none of the legacy tables; correct REMOTEIQ_LEGACY_SCHEMA or REMOTEIQ_LEGACY_URL",
    ),
    DifferenceKind.FOREIGN_DATABASE: DriftRule(
        True,
        "this is not a legacy RemoteIQ database; correct REMOTEIQ_LEGACY_URL or REMOTEIQ_LEGACY_SCHEMA",
    ),
    DifferenceKind.MISSING_TABLE: DriftRule(
        True,
        "table {table} is read and is not there, so its rows would be taken for deleted; restore it, empty if need be",
        scope=DriftScope.TABLE,
    ),
    DifferenceKind.EXTRA_TABLE: DriftRule(
        True,
        "no rule says where the rows of {table} go; add the table to schemas/legacy and give it a rule, or accept it with"
        " --accept-drift {name}: each run archives its rows as they are",
        scope=DriftScope.ACCEPTANCE,
    ),
    DifferenceKind.EXTRA_VIEW: DriftRule(False, "{table} holds no rows of its own and is not migrated"),
    DifferenceKind.DIFFERING_TABLE: DriftRule(
        True,
        "changes are found by the system column xmin, which a {found} has not; point REMOTEIQ_LEGACY_SCHEMA to the"
        " schema of the table itself",
        scope=DriftScope.TABLE,
    ),
    DifferenceKind.MISSING_COLUMN: DriftRule(
        True,
        "column {table}.{column} is read and is not there; add it to the legacy table (NULL suffices), or take it out"
        " of schemas/legacy when the application never had it",
        scope=DriftScope.TABLE,
    ),
    DifferenceKind.EXTRA_COLUMN: DriftRule(
        True,
        "no rule says where {table}.{column} goes; add it to schemas/legacy and give it a rule, or accept it with"
        " --accept-drift {name}: each run archives its values",
        scope=DriftScope.ACCEPTANCE,
    ),
    DifferenceKind.REQUIRED_COLUMN: DriftRule(
        True,
        "no rule says where {table}.{column} goes, and it is NOT NULL, so the application fills it; add it to"
        " schemas/legacy and give it a rule, or accept it with --accept-drift {name}: each run archives its values",
        scope=DriftScope.ACCEPTANCE,
    ),
    DifferenceKind.READ_ONLY_COLUMN: DriftRule(False, "nothing to do: legacy is only read"),
    DifferenceKind.DIFFERING_TYPE: DriftRule(
        True,
        "values of {found} cannot be relied on to be {expected}; change the column's type, or give schemas/legacy and"
        " the rule of {table} the type that the database has",
        scope=DriftScope.TABLE,
    ),
    DifferenceKind.READABLE_TYPE: DriftRule(False, "nothing to do: every value of {found} can be read as {expected}"),
    DifferenceKind.ACCEPTED_TYPE: DriftRule(False, "nothing to do: every value of {found} is read as {expected}"),
    DifferenceKind.LOOSER_COLUMN: DriftRule(
        False, "{table}.{column} may be NULL here; a row whose rule needs the value is quarantined by name"
    ),
    DifferenceKind.STRICTER_COLUMN: DriftRule(False, "nothing to do: {table}.{column} is never NULL here"),
    DifferenceKind.MISSING_DEFAULT: DriftRule(
        False, "nothing to do: only the legacy application makes use of its defaults"
    ),
    DifferenceKind.DIFFERING_DEFAULT: DriftRule(
        False, "nothing to do: only the legacy application makes use of its defaults"
    ),
    DifferenceKind.MISSING_ENUM: DriftRule(
        False, "nothing to do: the columns of type {table} are judged by the type they have"
    ),
    DifferenceKind.MISSING_LABEL: DriftRule(False, "nothing to do: no row can hold the word {column!r}"),
    DifferenceKind.EXTRA_LABEL: DriftRule(False, "nothing to do: no row has the word {column!r}"),
    DifferenceKind.MISSING_PRIMARY_KEY: DriftRule(
        False, "legacy does not refuse two rows of {table} with equal {column}; rows with equal keys are quarantined"
    ),
    DifferenceKind.MISSING_UNIQUE: DriftRule(
        False, "legacy does not refuse two rows of {table} with equal {column}; duplicates are decided or quarantined"
    ),
    DifferenceKind.MISSING_FOREIGN_KEY: DriftRule(
        False, "rows of {table} may refer to parents that do not exist; such rows are held or quarantined by name"
    ),
    DifferenceKind.MISSING_CHECK: DriftRule(
        False, "rows of {table} may hold words and numbers that legacy used to refuse; unknown ones are quarantined"
    ),
    DifferenceKind.BROKEN_CHECK: DriftRule(
        False, "rows of {table} break a check of the legacy application; their rules judge each of them by its value"
    ),
    DifferenceKind.UNREADABLE_KEY: DriftRule(
        True,
        "keys of {table} hold bytes that are no text in the encoding of the database, so no row can refer to them; correct"
        " {table}.{column} in these rows (other columns would only quarantine theirs)",
        scope=DriftScope.TABLE,
    ),
    DifferenceKind.HIDDEN_ROWS: DriftRule(
        True,
        "row security hides rows of {table} from {found}, and rows that are not shown would be taken for deleted; ALTER ROLE"
        " … BYPASSRLS for it (a superuser may), or read as the owner of the table while it has no FORCE ROW LEVEL SECURITY",
        scope=DriftScope.TABLE,
    ),
}
"""Constraints that legacy has beyond ours are left out: they refuse nothing that is read."""

TARGET: Mapping[DifferenceKind, DriftRule] = {
    DifferenceKind.MISSING_SCHEMA: DriftRule(False, "the schema and its tables will be created by prepare"),
    DifferenceKind.EMPTY_SCHEMA: DriftRule(False, "the tables will be created by prepare"),
    DifferenceKind.MISSING_TABLE: DriftRule(False, "prepare creates {table}"),
    DifferenceKind.EXTRA_TABLE: DriftRule(
        False, "nothing to do: {table} is not part of the redesign and is left alone"
    ),
    DifferenceKind.EXTRA_VIEW: DriftRule(False, "nothing to do: {table} is not part of the redesign and is left alone"),
    DifferenceKind.DIFFERING_TABLE: DriftRule(
        True, "rows cannot be loaded into a {found}; drop it so that prepare creates the table, or correct the schema"
    ),
    DifferenceKind.MISSING_COLUMN: DriftRule(
        True,
        "the redesign has {table}.{column}; bring the target to the redesign's version with the application's own"
        " migrations, or correct REMOTEIQ_TARGET_SCHEMA",
    ),
    DifferenceKind.EXTRA_COLUMN: DriftRule(False, "no rule fills {table}.{column}: it gets its default, else NULL"),
    DifferenceKind.REQUIRED_COLUMN: DriftRule(
        True,
        "no rule fills {table}.{column}, which is NOT NULL without default, so no row could be inserted; give the"
        " column a default or allow NULL",
        written_only=True,
    ),
    DifferenceKind.OPTIONAL_COLUMN: DriftRule(
        False,
        "optional: filled from the legacy value, cast to its type; where it is NOT NULL without default, rows"
        " without a value are quarantined",
    ),
    DifferenceKind.READ_ONLY_COLUMN: DriftRule(
        True,
        "the database makes up {table}.{column} itself and refuses the legacy value; make it an ordinary column, or"
        " an identity BY DEFAULT",
        written_only=True,
    ),
    DifferenceKind.DIFFERING_TYPE: DriftRule(
        True, "{table}.{column} must be {expected} for every value to fit; change its type, or correct the schema"
    ),
    DifferenceKind.READABLE_TYPE: DriftRule(
        True, "{table}.{column} must be {expected} for every value to fit; change its type, or correct the schema"
    ),
    DifferenceKind.ACCEPTED_TYPE: DriftRule(False, "nothing to do: {table}.{column} is filled as {found}"),
    DifferenceKind.LOOSER_COLUMN: DriftRule(False, "nothing to do: {table}.{column} allows more than is written"),
    DifferenceKind.STRICTER_COLUMN: DriftRule(
        True,
        "the redesign allows NULL in {table}.{column}, and rows without a value would be refused; drop NOT NULL",
        written_only=True,
    ),
    DifferenceKind.MISSING_DEFAULT: DriftRule(
        True,
        "rows without a legacy value get the default of {table}.{column}, and it has none; set DEFAULT {expected}",
        written_only=True,
    ),
    DifferenceKind.DIFFERING_DEFAULT: DriftRule(False, "rows without a legacy value get {found} instead of {expected}"),
    DifferenceKind.MISSING_ENUM: DriftRule(False, "prepare creates the type {table} with the tables that use it"),
    DifferenceKind.MISSING_LABEL: DriftRule(
        True, "rows that need {column!r} would be refused; run ALTER TYPE {table} ADD VALUE {column!r}"
    ),
    DifferenceKind.EXTRA_LABEL: DriftRule(
        False,
        "nothing to do: the word {column!r} is carried as it is where a rule would fold it, else nothing writes it",
    ),
    DifferenceKind.MISSING_PRIMARY_KEY: DriftRule(
        True,
        "rows of {table} are upserted on {column}, which needs a unique index; add {expected}",
        written_only=True,
    ),
    DifferenceKind.MISSING_UNIQUE: DriftRule(
        True,
        "the database must refuse a second row of {table} with equal {column}, or the new application's own writes"
        " could duplicate ours; add {expected}",
        written_only=True,
    ),
    DifferenceKind.EXTRA_UNIQUE: DriftRule(False, "rows of {table} that violate it are quarantined by name"),
    DifferenceKind.MISSING_FOREIGN_KEY: DriftRule(
        False,
        "finalize adds it after the load when prepare created {table}; a table that was there before keeps what it has",
    ),
    DifferenceKind.EXTRA_FOREIGN_KEY: DriftRule(False, "rows of {table} that violate it are quarantined by name"),
    DifferenceKind.MISSING_CHECK: DriftRule(False, "nothing to do: the rules write no other values"),
    DifferenceKind.EXTRA_CHECK: DriftRule(False, "rows of {table} that violate it are quarantined by name"),
    DifferenceKind.HIDDEN_ROWS: DriftRule(
        True,
        "row security hides rows of {table} from {found}, and rows that are not shown would be taken for deleted by a user;"
        " ALTER ROLE … BYPASSRLS for it (a superuser may), or write as the owner of the table while it has no FORCE ROW LEVEL"
        " SECURITY",
    ),
}

VERDICTS: Mapping[Side, Mapping[DifferenceKind, DriftRule]] = {"legacy": LEGACY, "target": TARGET}
