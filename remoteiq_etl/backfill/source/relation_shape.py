"""What the live catalogue says of a table that changes its rows without a write to any of them.

A column dropped and added anew with a default, one renamed into another's place, a label of a type renamed, a child or a
partition attached, a policy lifted: the rows read otherwise, and their xmin is what it was. Belongs here: reading that, and
what has changed of it in words. Does not belong here: what follows (see change_capture.full_pass, verify.incremental).
"""

from collections.abc import Collection, Mapping

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: By part of the catalogue a digest of what it says.
RelationShape = Mapping[str, str]

_PARTS = {
    "relations": "its partitions or children",
    "columns": "its columns",
    "labels": "labels of its types",
    "policies": "its row security",
}
#: Of a digest, enough to tell one from another.
_LENGTH = 16


def read_shapes(session: Session, columns: Mapping[str, Collection[str]]) -> dict[str, RelationShape]:
    """The shapes of these tables (name → columns that are read) of the session's schema; without those that are not there."""
    pairs = [(table, column) for table, names in columns.items() for column in names]
    rows = session.rows(
        SQL["shapes"],
        {
            "schema": session.database.schema,
            "tables": [table for table, _ in pairs],
            "columns": [column for _, column in pairs],
        },
    )
    return {
        table: {part: digest[:_LENGTH] for part, digest in zip(_PARTS, digests, strict=True)}
        for table, *digests in rows
    }


def altered(before: RelationShape | None, now: RelationShape | None) -> str | None:
    """What was altered of a table, in words; None when nothing was.

    A state of an older program has not noted what a table was like (`before` is None): it is taken as it is now, so that an
    upgrade reads nothing again. What was altered before that, the next sweep finds, which compares every row.
    """
    if before is None:
        return None
    if now is None:
        return "it is not there"
    return ", ".join(words for part, words in _PARTS.items() if before.get(part) != now.get(part)) or None
