"""Legacy databases of other encodings: texts arrive as they are meant, and bytes that are no text cost one row alone."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import sql

from remoteiq_etl.lifecycle.drift.checkup import CheckFinding, examine_legacy
from remoteiq_etl.lifecycle.explain import Explainer
from remoteiq_etl.postgres.encodings import UNDEFINED, unreadable_in
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Status
from tests.conftest import with_legacy_schema
from tests.support import drifting, small_installation
from tests.support.migrating import Migration, specs
from tests.support.server import Database, Server
from tests.support.small_installation import TABLES, key

#: Bytes that are no text, as an escape in a literal; "é" is a text in all of them.
BAD = {"SQL_ASCII": r"caf\xe9", "WIN1252": r"caf\x81", "EUC_JP": r"caf\xf4\xa7"}
SHOWN = {"SQL_ASCII": r"caf\351", "WIN1252": r"caf\201", "EUC_JP": r"caf\364\247"}
WORDS = "Café Grün"
IN_EUC_JP = "東京 支店"


def _words(encoding: str) -> str:
    return IN_EUC_JP if encoding == "EUC_JP" else WORDS


@pytest.fixture(params=["LATIN1", "WIN1252", "SQL_ASCII", "EUC_JP"])
def encoded(request: pytest.FixtureRequest, server: Server, our_target: Database) -> Iterator[Migration]:
    legacy = server.create_database(encoding=request.param)
    with_legacy_schema(legacy)
    small_installation.fill(legacy)
    with legacy.connect() as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        words = _words(request.param)
        connection.execute("UPDATE tickets SET title = %s WHERE number = 1", [words])
        connection.execute("UPDATE users SET name = %s WHERE id = %s", [words, key("user", 1)])
    yield Migration.of(legacy, our_target)
    legacy.drop()


def spoil(legacy: Database, statement: str) -> str:
    """Run a statement with {bad} as the database's own client writes it; give what a row shows instead."""
    with legacy.connect() as connection:
        encoding = connection.info.parameter_status("server_encoding") or ""
        connection.execute(f"SET client_encoding = '{encoding}'".encode())
        bad = BAD[encoding]
        connection.execute(statement.replace("{bad}", f"E'{bad}'").encode())
    return SHOWN[encoding]


def _encoding_of(migration: Migration) -> str:
    with migration.legacy.connect() as connection:
        return connection.info.parameter_status("server_encoding") or ""


def _encoding(migration: Migration) -> CheckFinding:
    settled = drifting.settled(migration.legacy, migration.target)
    (found,) = [
        one for one in examine_legacy(settled.legacy, settled.drift_report).findings if one.subject == "encoding"
    ]
    return found


def _has_bad(migration: Migration) -> bool:
    return _encoding(migration).verdict == "warning"


def test_texts_arrive_as_they_are_meant(encoded: Migration) -> None:
    reports = encoded.run(*TABLES)
    words = _words(_encoding_of(encoded))
    assert [row["subject"] for row in encoded.rows("tickets") if row["ticket_number"] == 1] == [words]
    names = encoded.query("SELECT first_name, last_name FROM users WHERE id = %s", key("user", 1))
    assert names == [tuple(words.split())]
    assert sum(account.outcomes["quarantined"] for one in reports.values() for account in one.accounts.values()) == 0
    verdict = verify(encoded.plan, TABLES)
    assert (verdict.bugs, [one.error for one in verdict.tables if one.status is Status.FAILED]) == (0, [])
    assert encoded.run(*TABLES)["tickets"].reading == "nothing changed"


def test_bytes_that_are_no_text_quarantine_their_row_until_it_is_mended(encoded: Migration) -> None:
    if not _has_bad(encoded):
        assert unreadable_in("LATIN1") is None  # every byte is a character
        return
    encoded.run("permissions")
    shown = spoil(encoded.legacy, "UPDATE permissions SET label = {bad}")
    encoded.run("permissions")
    waits = "SELECT legacy_key, rule, detail FROM remoteiq_etl.quarantine WHERE released_run IS NULL"
    ((row, rule, detail),) = encoded.query(waits)
    assert (row, rule) == (key("perm", 1), "source_contract")
    assert detail == "label: bytes that are no text in the encoding of the legacy database"
    verdict = verify(encoded.plan, ["permissions"])
    assert (verdict.bugs, [one.error for one in verdict.tables if one.status is Status.FAILED]) == (0, [])
    with closing(encoded.plan.target.connect()) as target, closing(encoded.plan.legacy.connect()) as legacy:
        state = State(encoded.plan.target, encoded.plan.state_schema)
        told = Explainer(target, state, "default", 1, specs(), legacy).of("permissions", [row])
    assert told.legacy[0].values is not None
    assert told.legacy[0].values["label"] == shown
    encoded.legacy.execute("UPDATE permissions SET label = 'Coffee'")
    encoded.run("permissions")
    assert encoded.query(waits) == []
    assert [row["label"] for row in encoded.rows("permissions")] == ["Coffee"]


def test_accepted_drift_keeps_bytes_that_are_no_text_in_a_readable_form(encoded: Migration) -> None:
    if not _has_bad(encoded):
        return
    encoded.legacy.execute(
        "ALTER TABLE tickets ADD COLUMN extra text; CREATE TABLE notes (id int PRIMARY KEY, note text)"
    )
    shown = spoil(
        encoded.legacy, "UPDATE tickets SET extra = {bad} WHERE number = 3; INSERT INTO notes VALUES (1, {bad})"
    )
    drifting.run(drifting.settled(encoded.legacy, encoded.target), accept=("tickets.extra", "notes"))
    kept = dict(
        encoded.query(
            "SELECT legacy_table, value #>> '{}' FROM remoteiq_etl.legacy_archive WHERE rule = 'accepted_drift'"
        )
    )
    assert kept["tickets"] == shown


def test_a_table_whose_keys_are_no_text_is_refused_before_anything_is_written(encoded: Migration) -> None:
    if not _has_bad(encoded):
        return
    encoded.legacy.execute(
        "INSERT INTO jobs (id, agent_id, type, status) VALUES (gen_random_uuid(), 1, 'RUN_SCRIPT', 'queued')"
    )
    spoil(encoded.legacy, "INSERT INTO imap_state (purpose) VALUES ({bad})")
    settled = drifting.settled(encoded.legacy, encoded.target)
    blocked = settled.plan().blocked
    assert any("bytes that are no text" in reason for reason in blocked.values())


def test_the_checkup_says_what_an_encoding_costs(encoded: Migration) -> None:
    found = _encoding(encoded)
    if found.found.startswith("LATIN1"):
        assert (found.verdict, found.found) == ("ok", "LATIN1, read as UTF-8")
    else:
        assert "is quarantined" in found.advice


def test_the_bytes_without_a_character_are_those_that_the_server_refuses(empty_db: Database) -> None:
    """Of every encoding of one byte; of those that are not in the list every byte is a character of UTF-8."""
    query = (
        "SELECT DISTINCT pg_encoding_to_char(conforencoding) FROM pg_conversion"
        " WHERE contoencoding = pg_char_to_encoding('UTF8') AND pg_encoding_max_length(conforencoding) = 1"
    )
    with empty_db.connect() as connection:
        encodings = [row[0] for row in connection.execute(query).fetchall() if row[0] != "SQL_ASCII"]
        assert len(encodings) > 20
        for encoding in encodings:
            assert _listed(UNDEFINED.get(encoding, "")) == {
                byte for byte in range(128, 256) if not _is_character(connection, encoding, byte)
            }


def _listed(ranges: str) -> set[int]:
    pairs = [part.split("-") for part in ranges.split()]
    return {byte for pair in pairs for byte in range(int(pair[0], 16), int(pair[-1], 16) + 1)}


def _is_character(connection: psycopg.Connection, encoding: str, byte: int) -> bool:
    try:
        connection.execute("SELECT convert(%s::bytea, %s, 'UTF8')", [bytes([byte]), encoding])
    except psycopg.errors.UntranslatableCharacter:
        return False
    return True


@pytest.mark.parametrize("encoding", ["EUC_CN", "EUC_JIS_2004", "EUC_JP", "EUC_KR"])
def test_the_characters_without_utf8_are_those_that_the_server_refuses(server: Server, encoding: str) -> None:
    """Of encodings of two and three bytes, asked for each character that they have: the pattern knows no other, and all of them."""
    database = server.create_database(encoding=encoding)
    bad = unreadable_in(encoding)
    assert bad is not None
    pairs = "(SELECT b FROM generate_series(161, 254) AS b) AS one (b), (SELECT b FROM generate_series(161, 254) AS b) AS two (b)"
    characters = f"SELECT set_byte(set_byte('\\x0000', 0, one.b), 1, two.b) AS bytes FROM {pairs}"
    if encoding.startswith("EUC_J"):
        characters = (
            f"WITH two AS ({characters}) SELECT bytes FROM two UNION ALL SELECT '\\x8f'::bytea || bytes FROM two"
        )
    query = f"SELECT count(*), count(*) FILTER (WHERE pg_temp.is_utf8(bytes)) FROM ({characters}) AS c WHERE {{}}"
    with database.connect() as connection:
        connection.execute(_ASKED.format(encoding=encoding).encode())
        text = sql.SQL("pg_temp.read(bytes)")
        condition = sql.SQL("{} IS DISTINCT FROM NOT pg_temp.is_utf8(bytes)").format(bad.condition(text))
        wrong = connection.execute(sql.SQL(query).format(condition)).fetchone()  # type: ignore[arg-type]
        all_of_them = connection.execute(sql.SQL(query).format(sql.SQL("true"))).fetchone()  # type: ignore[arg-type]
    assert wrong == (0, 0)
    assert all_of_them is not None
    assert 7_000 < all_of_them[1] < all_of_them[0]
    database.drop()


_ASKED = """
CREATE FUNCTION pg_temp.is_utf8(bytes bytea) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN PERFORM convert(bytes, '{encoding}', 'UTF8'); RETURN true; EXCEPTION WHEN untranslatable_character THEN RETURN false; END $$;
CREATE FUNCTION pg_temp.read(bytes bytea) RETURNS text LANGUAGE sql AS $$ SELECT convert_from(bytes, '{encoding}') $$;
"""


@pytest.mark.parametrize(
    ("text", "is_utf8"),
    [
        ("67 72 c3 bc 6e", True),
        ("e6 97 a5", True),
        ("f0 9f 98 80", True),
        ("c2 85", True),
        ("ed 9f bf", True),
        ("0a c3 bc", True),
        ("e9", False),
        ("ed a0 80", False),
        ("c0 80", False),
        ("61 c2", False),
        ("f4 90 80 80", False),
        ("f5 80 80 80", False),
        ("0a e9", False),
        ("e0 80 80", False),
        ("f0 80 80 80", False),
    ],
)
def test_utf8_is_told_from_other_bytes_as_the_server_tells_it(server: Server, text: str, is_utf8: bool) -> None:
    database = server.create_database(encoding="SQL_ASCII")
    bad = unreadable_in("SQL_ASCII")
    assert bad is not None
    with database.connect() as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        value = sql.SQL("convert_from(decode({}, 'hex'), 'SQL_ASCII')").format(sql.Literal(text.replace(" ", "")))
        row = connection.execute(sql.SQL("SELECT {}").format(bad.condition(value))).fetchone()
        assert row == (not is_utf8,)
        if is_utf8:
            connection.execute(sql.SQL("SELECT {}").format(value))
        else:
            with pytest.raises(psycopg.errors.CharacterNotInRepertoire):
                connection.execute(sql.SQL("SELECT {}").format(value))
    database.drop()
