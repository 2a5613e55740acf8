"""Settings that a role or a database may have and that would change what we read or write, were they not pinned."""

from collections.abc import Collection

from psycopg import sql

from tests.support.server import Database

#: One value of each pinned setting that is not ours.
HOSTILE = {
    "client_encoding": "LATIN1",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "DateStyle": "German, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "timezone_abbreviations": "Australia",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "lc_numeric": "C.UTF-8",
    "lc_monetary": "C.UTF-8",
    "lc_time": "C.UTF-8",
    "row_security": "on",
    "gin_fuzzy_search_limit": "1",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "statement_timeout": "150ms",
    "idle_in_transaction_session_timeout": "150ms",
    "idle_session_timeout": "150ms",
    "transaction_timeout": "150ms",
    "lock_timeout": "1ms",
    "exit_on_error": "on",
    "work_mem": "64kB",
    "restrict_nonsystem_relation_kind": "view, foreign-table",
    "search_path": "nowhere",
}


def make_hostile(database: Database, *, role: str | None = None, but: Collection[str] = ()) -> None:
    """Give every later session of a database, or of a role in it, all of these settings that its server knows (`but` some)."""
    with database.connect() as connection:
        known = {name.lower() for (name,) in connection.execute("SELECT name FROM pg_settings").fetchall()}
        for name, value in HOSTILE.items():
            if name.lower() in known and name not in but:
                connection.execute(_alter(database, role, name, value))


def _alter(database: Database, role: str | None, name: str, value: str) -> sql.Composed:
    where = sql.SQL("DATABASE {}").format(sql.Identifier(database.name))
    if role is not None:
        where = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), sql.Identifier(database.name))
    return sql.SQL("ALTER {} SET {} = {}").format(where, sql.Identifier(name), sql.Literal(value))
