"""What every session of ours has set, whatever its role, its database, the environment or the URL would have it set to.

The settings are given when the connection starts, where the server takes them, and once more by SET when it stands: a pooler
refuses or forgets what a start-up packet asks for, and `default_transaction_read_only` in it keeps libpq from finding a
server for `target_session_attrs=read-write`. Belongs here: the settings with the reason of each, and the statements that
set them. Does not belong here: opening the connection (see database).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

#: A lock that is not to be had within this time ends the statement, with a sentence about who holds it (see lock_waits).
LOCK_TIMEOUT = "5min"


@dataclass(frozen=True)
class Pinned:
    """One setting: its value, why it is pinned, and from which major version on every server knows it
    (None: all that we support)."""

    name: str
    value: str
    why: str
    since: int | None = None


PINNED = (
    Pinned("client_encoding", "UTF8", "drivers and Arrow read texts as UTF-8, whatever the database keeps"),
    Pinned("standard_conforming_strings", "on", "a backslash in a literal is itself"),
    Pinned("quote_all_identifiers", "off", "definitions and names out of the catalogue are compared as texts"),
    Pinned("array_nulls", "on", "NULL in an array literal is a null, not a word"),
    Pinned("transform_null_equals", "off", "= NULL is unknown, as everywhere"),
    Pinned("DateStyle", "ISO, MDY", "times as texts, in row hashes and casts"),
    Pinned("IntervalStyle", "postgres", "intervals as texts, in row hashes and casts"),
    Pinned("TimeZone", "UTC", "times as texts, and days"),
    Pinned("timezone_abbreviations", "Default", "EST in a legacy text is that of New York, not of Sydney"),
    Pinned("bytea_output", "hex", "bytes as texts, in row hashes and casts"),
    Pinned("extra_float_digits", "1", "a float as text is read back as the same float"),
    Pinned("lc_numeric", "C", "to_char() writes a point"),
    Pinned("lc_monetary", "C", "money as text"),
    Pinned("lc_time", "C", "to_char() writes English names of days and months"),
    Pinned(
        "row_security",
        "off",
        "a policy that hides rows is an error: rows that are not shown would be taken for deleted",
    ),
    Pinned("gin_fuzzy_search_limit", "0", "an index gives all rows that it knows"),
    Pinned("default_transaction_deferrable", "off", "a reader does not wait for a quiet moment"),
    Pinned("statement_timeout", "0", "a large table takes longer than a web request"),
    Pinned("idle_in_transaction_session_timeout", "0", "the exporter of a snapshot idles while its readers work"),
    Pinned("lock_timeout", LOCK_TIMEOUT, "a run does not queue for ever, and says who holds the lock"),
    Pinned("exit_on_error", "off", "an error that is expected (a savepoint is there) does not end the session"),
    # Rows of a batch are sorted before they are inserted; with PostgreSQL's own 4 MB that goes through a file.
    Pinned("work_mem", "64MB", "the rows of a batch are sorted in memory"),
    Pinned("idle_session_timeout", "0", "control sessions idle as long as a run works", since=14),
    Pinned("transaction_timeout", "0", "the snapshot of a run is one transaction", since=17),
    Pinned("restrict_nonsystem_relation_kind", "", "views and foreign tables may be read", since=17),
)

#: These differ between readers and writers.
WRITER = {"default_transaction_isolation": "read committed", "default_transaction_read_only": "off"}
READER = {"default_transaction_isolation": "repeatable read", "default_transaction_read_only": "on"}

#: The first is given by SET alone: libpq looks at it when it looks for a server that can be written. The second is a
#: parameter of the connection itself, which every pooler takes.
_NEVER_AT_START = frozenset({"default_transaction_read_only", "client_encoding"})


def at_start(schema: str, further: Mapping[str, str], *, read_only: bool) -> Iterator[tuple[str, str]]:
    """The settings of the start-up packet: what every supported server knows, and `further` ones, which no statement shows."""
    yield from (
        (one.name, one.value) for one in PINNED if one.since is None and one.name not in {*further, *_NEVER_AT_START}
    )
    yield "search_path", _search_path(schema).as_string(None)
    yield from (pair for pair in (READER if read_only else WRITER).items() if pair[0] not in _NEVER_AT_START)
    yield from further.items()


#: Fails with SQLSTATE 22P02 where names are quoted already: the Arrow driver has read the catalogue so, and knows no type.
UNQUOTED = "SET exit_on_error = off; SELECT nullif(pg_catalog.current_setting('quote_all_identifiers'), 'off')::integer"


def pinning(schema: str, further: Mapping[str, str], *, read_only: bool) -> str:
    """The statements, sent at once, that set everything but keys; of these they ask whether the server has them.

    Where a pooler has swallowed the start-up packet they fail with SQLSTATE 42704, and nothing is set.
    """
    always = {one.name: one.value for one in PINNED if one.since is None} | (READER if read_only else WRITER)
    always |= {name: value for name, value in further.items() if name in always}
    parts = [_set(name, value) for name, value in always.items()]
    parts += [_set_if_known(one.name, further.get(one.name, one.value)) for one in PINNED if one.since is not None]
    parts.append(sql.SQL("SET search_path TO {}").format(_search_path(schema)))
    parts += [_has(name) for name in keys(further)]  # last: exit_on_error must be off
    return sql.SQL("; ").join(parts).as_string(None)


def keys(further: Mapping[str, str]) -> dict[str, str]:
    """Those further settings that are ours alone: keys, which no statement shows where it can be helped."""
    known = {one.name for one in PINNED}
    return {name: value for name, value in further.items() if name not in known}


def key_statements(further: Mapping[str, str]) -> str:
    """The statements that set the keys where a pooler took no start-up packet; the server's log of statements shows them."""
    return sql.SQL("; ").join(_set(name, value) for name, value in keys(further).items()).as_string(None)


def _has(name: str) -> sql.Composed:
    return sql.SQL("SELECT pg_catalog.length(pg_catalog.current_setting({}))").format(sql.Literal(name))


def _set(name: str, value: str) -> sql.Composed:
    # Parts of a name are identifiers of their own: remoteiq_etl.hash_inner.
    return sql.SQL("SET {} = {}").format(sql.Identifier(*name.split(".")), sql.Literal(value))


def _set_if_known(name: str, value: str) -> sql.Composed:
    return sql.SQL(
        "SELECT pg_catalog.set_config({name}, {value}, false) WHERE pg_catalog.current_setting({name}, true) IS NOT NULL"
    ).format(name=sql.Literal(name), value=sql.Literal(value))


def _search_path(schema: str) -> sql.Composed:
    return sql.SQL("{}, public").format(sql.Identifier(schema))
