"""Which difference between a live database and our definitions blocks, on which side, and what to do about it.

Belongs here: one verdict per side and kind, as data. Does not belong here: finding the differences (`differences`).

Reasons name the places in braces: {schema}, {table}, {column}, {expected}, {found}; {name} is what --accept-drift takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from remoteiq_etl.lifecycle.drift.differences import Kind

Side = Literal["legacy", "target"]


class Scope(StrEnum):
    """What a difference that blocks keeps from happening."""

    RUN = "the run"
    ACCEPTANCE = "the run, until accepted"
    TABLE = "its tables"


@dataclass(frozen=True)
class Verdict:
    """What a difference means. `written_only`: it blocks only in a table that this program writes."""

    blocks: bool
    reason: str
    written_only: bool = False
    scope: Scope = Scope.RUN


LEGACY: Mapping[Kind, Verdict] = {
    Kind.MISSING_SCHEMA: Verdict(
        True,
        "the legacy database has no schema {schema!r}; correct REMOTEIQ_LEGACY_SCHEMA or REMOTEIQ_LEGACY_URL",
    ),
    Kind.EMPTY_SCHEMA: Verdict(
        True,
        "schema {schema!r} has none of the legacy tables; correct REMOTEIQ_LEGACY_SCHEMA or REMOTEIQ_LEGACY_URL",
    ),
    Kind.MISSING_TABLE: Verdict(
        True,
        "table {table} is read and is not there, so its rows would be taken for deleted; restore it, empty if need be",
        scope=Scope.TABLE,
    ),
    Kind.EXTRA_TABLE: Verdict(
        True,
        "no rule says where the rows of {table} go; add the table to schemas/legacy and give it a rule, or accept it with"
        " --accept-drift {name}: each run archives its rows as they are",
        scope=Scope.ACCEPTANCE,
    ),
    Kind.EXTRA_VIEW: Verdict(False, "{table} holds no rows of its own and is not migrated"),
    Kind.DIFFERING_TABLE: Verdict(
        True,
        "changes are found by the system column xmin, which a {found} has not; point REMOTEIQ_LEGACY_SCHEMA to the"
        " schema of the table itself",
        scope=Scope.TABLE,
    ),
    Kind.MISSING_COLUMN: Verdict(
        True,
        "column {table}.{column} is read and is not there; add it to the legacy table (NULL suffices), or take it out"
        " of schemas/legacy when the application never had it",
        scope=Scope.TABLE,
    ),
    Kind.EXTRA_COLUMN: Verdict(
        True,
        "no rule says where {table}.{column} goes; add it to schemas/legacy and give it a rule, or accept it with"
        " --accept-drift {name}: each run archives its values",
        scope=Scope.ACCEPTANCE,
    ),
    Kind.REQUIRED_COLUMN: Verdict(
        True,
        "no rule says where {table}.{column} goes, and it is NOT NULL, so the application fills it; add it to"
        " schemas/legacy and give it a rule, or accept it with --accept-drift {name}: each run archives its values",
        scope=Scope.ACCEPTANCE,
    ),
    Kind.READ_ONLY_COLUMN: Verdict(False, "nothing to do: legacy is only read"),
    Kind.DIFFERING_TYPE: Verdict(
        True,
        "values of {found} cannot be relied on to be {expected}; change the column's type, or give schemas/legacy and"
        " the rule of {table} the type that the database has",
        scope=Scope.TABLE,
    ),
    Kind.READABLE_TYPE: Verdict(False, "nothing to do: every value of {found} can be read as {expected}"),
    Kind.LOOSER_COLUMN: Verdict(
        False, "{table}.{column} may be NULL here; a row whose rule needs the value is quarantined by name"
    ),
    Kind.STRICTER_COLUMN: Verdict(False, "nothing to do: {table}.{column} is never NULL here"),
    Kind.MISSING_DEFAULT: Verdict(False, "nothing to do: only the legacy application makes use of its defaults"),
    Kind.DIFFERING_DEFAULT: Verdict(False, "nothing to do: only the legacy application makes use of its defaults"),
    Kind.MISSING_ENUM: Verdict(False, "nothing to do: the columns of type {table} are judged by the type they have"),
    Kind.MISSING_LABEL: Verdict(False, "nothing to do: no row can hold the word {column!r}"),
    Kind.EXTRA_LABEL: Verdict(False, "nothing to do: no row has the word {column!r}"),
    Kind.MISSING_PRIMARY_KEY: Verdict(
        False, "legacy does not refuse two rows of {table} with equal {column}; rows with equal keys are quarantined"
    ),
    Kind.MISSING_UNIQUE: Verdict(
        False, "legacy does not refuse two rows of {table} with equal {column}; duplicates are decided or quarantined"
    ),
    Kind.MISSING_FOREIGN_KEY: Verdict(
        False, "rows of {table} may refer to parents that do not exist; such rows are held or quarantined by name"
    ),
    Kind.MISSING_CHECK: Verdict(
        False, "rows of {table} may hold words and numbers that legacy used to refuse; unknown ones are quarantined"
    ),
    Kind.BROKEN_CHECK: Verdict(
        False, "rows of {table} break a check of the legacy application; their rules judge each of them by its value"
    ),
}
"""Constraints that legacy has beyond ours are left out: they refuse nothing that is read."""

TARGET: Mapping[Kind, Verdict] = {
    Kind.MISSING_SCHEMA: Verdict(False, "the schema and its tables will be created by prepare"),
    Kind.EMPTY_SCHEMA: Verdict(False, "the tables will be created by prepare"),
    Kind.MISSING_TABLE: Verdict(False, "prepare creates {table}"),
    Kind.EXTRA_TABLE: Verdict(False, "nothing to do: {table} is not part of the redesign and is left alone"),
    Kind.EXTRA_VIEW: Verdict(False, "nothing to do: {table} is not part of the redesign and is left alone"),
    Kind.DIFFERING_TABLE: Verdict(
        True, "rows cannot be loaded into a {found}; drop it so that prepare creates the table, or correct the schema"
    ),
    Kind.MISSING_COLUMN: Verdict(
        True,
        "the redesign has {table}.{column}; bring the target to the redesign's version with the application's own"
        " migrations, or correct REMOTEIQ_TARGET_SCHEMA",
    ),
    Kind.EXTRA_COLUMN: Verdict(False, "no rule fills {table}.{column}: it gets its default, else NULL"),
    Kind.REQUIRED_COLUMN: Verdict(
        True,
        "no rule fills {table}.{column}, which is NOT NULL without default, so no row could be inserted; give the"
        " column a default or allow NULL",
        written_only=True,
    ),
    Kind.OPTIONAL_COLUMN: Verdict(
        False,
        "optional: filled from the legacy value, cast to its type; where it is NOT NULL without default, rows"
        " without a value are quarantined",
    ),
    Kind.READ_ONLY_COLUMN: Verdict(
        True,
        "the database makes up {table}.{column} itself and refuses the legacy value; make it an ordinary column, or"
        " an identity BY DEFAULT",
        written_only=True,
    ),
    Kind.DIFFERING_TYPE: Verdict(
        True, "{table}.{column} must be {expected} for every value to fit; change its type, or correct the schema"
    ),
    Kind.READABLE_TYPE: Verdict(
        True, "{table}.{column} must be {expected} for every value to fit; change its type, or correct the schema"
    ),
    Kind.LOOSER_COLUMN: Verdict(False, "nothing to do: {table}.{column} allows more than is written"),
    Kind.STRICTER_COLUMN: Verdict(
        True,
        "the redesign allows NULL in {table}.{column}, and rows without a value would be refused; drop NOT NULL",
        written_only=True,
    ),
    Kind.MISSING_DEFAULT: Verdict(
        True,
        "rows without a legacy value get the default of {table}.{column}, and it has none; set DEFAULT {expected}",
        written_only=True,
    ),
    Kind.DIFFERING_DEFAULT: Verdict(False, "rows without a legacy value get {found} instead of {expected}"),
    Kind.MISSING_ENUM: Verdict(False, "prepare creates the type {table} with the tables that use it"),
    Kind.MISSING_LABEL: Verdict(
        True, "rows that need {column!r} would be refused; run ALTER TYPE {table} ADD VALUE {column!r}"
    ),
    Kind.EXTRA_LABEL: Verdict(False, "nothing to do: no rule writes {column!r}"),
    Kind.MISSING_PRIMARY_KEY: Verdict(
        True,
        "rows of {table} are upserted on {column}, which needs a unique index; add {expected}",
        written_only=True,
    ),
    Kind.MISSING_UNIQUE: Verdict(
        True,
        "the database must refuse a second row of {table} with equal {column}, or the new application's own writes"
        " could duplicate ours; add {expected}",
        written_only=True,
    ),
    Kind.EXTRA_UNIQUE: Verdict(False, "rows of {table} that violate it are quarantined by name"),
    Kind.MISSING_FOREIGN_KEY: Verdict(
        False,
        "finalize adds it after the load when prepare created {table}; a table that was there before keeps what it has",
    ),
    Kind.EXTRA_FOREIGN_KEY: Verdict(False, "rows of {table} that violate it are quarantined by name"),
    Kind.MISSING_CHECK: Verdict(False, "nothing to do: the rules write no other values"),
    Kind.EXTRA_CHECK: Verdict(False, "rows of {table} that violate it are quarantined by name"),
}

VERDICTS: Mapping[Side, Mapping[Kind, Verdict]] = {"legacy": LEGACY, "target": TARGET}
