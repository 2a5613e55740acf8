"""What may go wrong with a server, by SQLSTATE: what it means for whoever runs the program, and what to do.

An error in which the drivers leave no SQLSTATE (whatever ends the opening of a connection) is recognised by the words of libpq
and of the server. Belongs here: the catalogue and the look-up. Does not belong here: the text made of an error (see failures),
what becomes of a row that is refused (see row_errors).
"""

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Fault:
    """One kind of error. `code`: its SQLSTATE, the two characters of a whole class, or empty where libpq alone knows it.

    `words`: a pattern of its text, by which it is known where the SQLSTATE is missing; `by_words`: the SQLSTATE alone does not
    tell it. `about_rows`: it is about some rows of a statement, so that the others may pass without them. `ends_session`: what
    is asked of the session afterwards fails. `follows`: it only tells that something failed before.
    """

    code: str
    sentence: str
    advice: str
    words: str = ""
    by_words: bool = False
    ends_session: bool = False
    about_rows: bool = False
    follows: bool = False

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.words, re.IGNORECASE)

    def says(self, text: str) -> bool:
        """Whether a text has the words of this kind."""
        return bool(self.words) and self._pattern.search(text) is not None


_AGAIN = "Then repeat: what was committed stays, and the next run goes on from there."
_ONE_SESSION = "Connect without the pooler, or by one that keeps a session on its server connection (PgBouncer: pool_mode = session)."
_WHEN_BACK = f"Wait until the server takes connections again. {_AGAIN}"
_REPORT = "Compare its version with those that doctor supports, and report the error with its SQLSTATE."
_LIMIT = "Let the DBA raise the limit, or split what is too large."

#: Those with words come before the one of the same SQLSTATE that has none.
FAULTS: tuple[Fault, ...] = (
    # --- opening a connection -----------------------------------------------------------------------------------
    Fault("28P01", "the password is wrong or missing", "Mend ~/.pgpass, PGPASSWORD or the URL.",
          words=r"password authentication failed|no password supplied|fe_sendauth"),
    Fault("28000", "pg_hba.conf of the server does not let this role in from here", "Let the DBA add a line for role, database and"
          " address to pg_hba.conf; a line of hostssl wants sslmode=require in the URL.", words=r"pg_hba\.conf", by_words=True),
    Fault("28000", "the server knows no such role, or the role may not log in",
          "Mend the user of the URL, or let the DBA say CREATE ROLE … LOGIN.",
          words=r"role \".*\" does not exist|not permitted to log in", by_words=True),
    Fault("28", "the server does not let us in", "Compare user, password and pg_hba.conf with how this host should connect.",
          words=r"authentication failed|peer authentication|SASL|GSSAPI"),
    Fault("3D000", "the database does not exist", "Mend the name in the URL, or create the database.",
          words=r"database \".*\" does not exist"),
    Fault("55000", "the database takes no connections", "Let the DBA say ALTER DATABASE … ALLOW_CONNECTIONS true.",
          words=r"not currently accepting connections", by_words=True),
    Fault("42501", "the role may not connect to the database", "GRANT CONNECT ON DATABASE … TO the role of the URL.",
          words=r"permission denied for database", by_words=True),
    Fault("53300", "the server, the database or the role has no connection left", "A run holds up to ten sessions: let others"
          " end, or let the DBA raise max_connections or the CONNECTION LIMIT of database and role.",
          words=r"too many (clients|connections)|remaining connection slots|connection limit|no more connections allowed|max_client_conn"),
    Fault("08P01", "a pooler has no connection to the server for us", "Check the server behind it, and whether its pool is large"
          f" enough: a run holds up to ten sessions. {_AGAIN}",
          words=r"query_wait_timeout|client_login_timeout|server login|server down|server_login_retry", by_words=True),
    Fault("08P01", "a pooler between us and the server refuses what a session asks for", _ONE_SESSION,
          words=r"startup parameter|pooler|pgbouncer", by_words=True),
    Fault("57P03", "the server starts, stops or recovers and takes no connections yet", _WHEN_BACK,
          words=r"starting up|shutting down|in recovery mode|not yet accepting connections|not accepting connections", ends_session=True),
    # --- 08: the connection -------------------------------------------------------------------------------------
    Fault("08", "the connection to the server failed", f"Check the server, and what stands between it and us. {_AGAIN}", ends_session=True),
    # --- 25: the transaction ------------------------------------------------------------------------------------
    Fault("25P02", "the transaction had failed before", "Look for the first error of the run.", follows=True,
          words=r"current transaction is aborted|connection is in an error state"),
    Fault("25006", "the server takes no writes from the session", "It is a standby, or its default_transaction_read_only is on"
          " where a pooler keeps us from setting it: name the primary in REMOTEIQ_TARGET_URL.", words=r"read-only transaction"),
    Fault("25P03", "the server ended a session whose transaction idled too long", "idle_in_transaction_session_timeout is set"
          f" against us, by a pooler or a watchdog: exempt the role. {_AGAIN}", words=r"idle-in-transaction timeout", ends_session=True),
    Fault("25P04", "the server ended a transaction that lasted too long", "transaction_timeout is set against us, by a pooler"
          f" or a watchdog: exempt the role. {_AGAIN}", words=r"transaction timeout", ends_session=True),
    Fault("25", "the transaction is not in the state that the statement needs", _ONE_SESSION),
    # --- names that a session should know -----------------------------------------------------------------------
    Fault("26", "the session has forgotten a prepared statement", f"A pooler shares server connections among sessions. {_ONE_SESSION}"),
    Fault("34", "the session has forgotten a cursor", f"A pooler shares server connections among sessions. {_ONE_SESSION}"),
    Fault("3B", "the transaction has no such savepoint", f"A pooler shares server connections among sessions. {_ONE_SESSION}"),
    Fault("3D", "the database does not exist", "Mend the name in the URL, or create the database."),
    Fault("3F", "the schema does not exist", "Mend REMOTEIQ_LEGACY_SCHEMA or REMOTEIQ_TARGET_SCHEMA; doctor shows what is there."),
    # --- 40: rolled back because of others ----------------------------------------------------------------------
    Fault("40001", "the standby ended the statement, because replication had to go on",
          "Set hot_standby_feedback = on there, or raise max_standby_streaming_delay (and max_standby_archive_delay) beyond the"
          f" time of a run, or read the primary. {_AGAIN}", words=r"conflict with recovery", by_words=True),
    Fault("40001", "another transaction changed the same rows at the same time", f"Repeat when the other has ended. {_AGAIN}"),
    Fault("40P01", "the standby ended the statement, because replication waited for it", "Set hot_standby_feedback = on there,"
          f" or read the primary. {_AGAIN}", words=r"conflict with recovery", by_words=True),
    Fault("40P01", "two transactions waited for each other, and the server ended ours",
          "Look in the server's log for the other one, and run when it does not."),
    Fault("40", "the server took the transaction back because of others", f"Repeat when they have ended. {_AGAIN}"),
    # --- 42: what no row is to blame for ------------------------------------------------------------------------
    Fault("42501", "the role lacks a right", "Grant it; doctor shows which rights are missing."),
    Fault("42P01", "a table is not there, or not for this role", "It was dropped or renamed, or the schema is another one:"
          " doctor shows what is there."),
    Fault("42703", "a column is not there", "It was dropped or renamed while we worked, or before: doctor shows what differs."),
    Fault("42P05", "the session has a prepared statement of another one",
          f"A pooler shares server connections among sessions. {_ONE_SESSION}"),
    Fault("42704", "a type, setting, extension or other object is not there", "doctor shows what is missing."),
    Fault("42883", "a function or operator is not there", "An extension is missing or in another schema: doctor shows which."),
    *(
        Fault(code, "an object of this name is there already", "Rename or drop it, or name another schema; doctor shows what is"
              " there.")
        for code in ("42P06", "42P07", "42710", "42723")
    ),
    Fault("42830", "a foreign key refers to columns that are not unique", "Make them the primary key, or unique."),
    Fault("42", "the server does not understand the statement, or lacks what it names", _REPORT),
    # --- 53 to 58: the server and what is under it --------------------------------------------------------------
    Fault("53100", "the server has no room left on its disk", "Free or add room there: tables, WAL and temporary files."
          f" {_AGAIN}", words=r"No space left on device"),
    Fault("53200", "the server has no memory left", "Let others end, or let the DBA lower shared_buffers, max_connections or"
          f" work_mem, or raise max_locks_per_transaction where its text asks for that. {_AGAIN}",
          words=r"out of (shared )?memory"),
    Fault("53400", "a limit of the server's configuration is reached", "Raise the limit that its text names (temp_file_limit, for"
          f" one). {_AGAIN}"),
    Fault("53", "the server has run out of something", f"Give it more of what its text names. {_AGAIN}"),
    Fault("54", "a limit of the server is reached", _LIMIT, about_rows=True),
    Fault("55P03", "a lock was not to be had in time", "Let the session end that holds it. " + _AGAIN, words=r"lock timeout"),
    Fault("55006", "somebody uses the object", f"Let the other session end. {_AGAIN}"),
    Fault("55", "an object is not in the state that the statement needs", "Its text names it; on a standby some things are not"
          " to be had at all: name the primary."),
    Fault("57014", "a timeout ended the statement", "statement_timeout is set against us, by a pooler or a watchdog: exempt the"
          f" role. {_AGAIN}", words=r"statement timeout", by_words=True),
    Fault("57014", "somebody cancelled the statement", "pg_cancel_backend was called, or a watchdog thinks it runs too long: ask"
          f" the DBA. {_AGAIN}", words=r"user request", by_words=True),
    Fault("57014", "the server ended the statement: somebody cancelled it, or a timeout did", f"Ask the DBA which. {_AGAIN}"),
    Fault("57P01", "the session was ended: by an administrator (pg_terminate_backend), or because the server stops", _WHEN_BACK,
          words=r"administrator command", ends_session=True),
    Fault("57P02", "another session crashed, and the server ended all", f"Look in the server's log for the crash. {_WHEN_BACK}",
          words=r"crash of another server process", ends_session=True),
    Fault("57P04", "the database was dropped", "Restore it, or mend the URL.", ends_session=True),
    Fault("57P05", "the server ended a session that idled too long", "idle_session_timeout is set against us, by a pooler or a"
          f" watchdog: exempt the role. {_AGAIN}", words=r"idle-session timeout", ends_session=True),
    Fault("57", "somebody or something stopped the server, the session or the statement", f"Ask the DBA. {_WHEN_BACK}"),
    Fault("58P01", "a file of the server is not there: its data are damaged", "Stop writing to it. Restore the table from a backup"
          " or read a standby; the server's log names the file."),
    Fault("58030", "the server cannot read or write its disk", "Look at its disk and file system before anything else; damaged"
          " data are restored from a backup or read from a standby."),
    Fault("58", "the system under the server failed", "Look in the server's log and at its disk. " + _AGAIN),
    # --- 72, F0, HV ---------------------------------------------------------------------------------------------
    Fault("72", "the snapshot is too old for the server", f"Let the DBA raise old_snapshot_threshold. {_AGAIN}"),
    Fault("F0", "the server's configuration file is wrong", "Let the DBA mend it."),
    Fault("HV", "a foreign table cannot be read", "Its own server or user mapping is to be mended: select from it with psql."),
    # --- XX: damage ---------------------------------------------------------------------------------------------
    Fault("XX001", "stored data of the server are damaged, out of line (TOAST)", "The row cannot be read. Find it with psql by"
          " halves, restore it from a backup or read a standby; amcheck and pg_dump show how much is damaged.",
          words=r"toast|compressed", by_words=True),
    Fault("XX001", "stored data of the server are damaged", "Restore the table from a backup or read a standby; pg_amcheck shows"
          " how much is damaged. Do not set zero_damaged_pages: it drops rows."),
    Fault("XX002", "an index of the server is damaged", "REINDEX it, and let pg_amcheck look for more."),
    Fault("XX", "stored data of the server are damaged, out of line (TOAST)", "The row cannot be read. Find it with psql by"
          " halves, restore it from a backup or read a standby.", words=r"toast (value|chunk)", by_words=True),
    Fault("XX", "the server met what it did not expect", "Look in the server's log.", about_rows=True),
    # --- about rows ---------------------------------------------------------------------------------------------
    Fault("0A", "the server cannot do this, or a table changed under the statement", f"Run it when nobody alters tables. {_AGAIN}",
          about_rows=True),
    Fault("22P05", "a character of a text does not exist in the other encoding", "A target in UTF8 has them all.",
          about_rows=True),
    Fault("22", "the server refuses a value", "The server's log has it; its text may hold values and is not shown.",
          about_rows=True),
    Fault("23", "a constraint refuses a row", "The server's log has the row; its text may hold values and is not shown.",
          about_rows=True),
    Fault("39", "a trigger broke the rules for triggers", "Ask who owns it.", about_rows=True),
    Fault("44", "a view refuses a row that it would not show", "Write to its table, or ask who owns it.", about_rows=True),
    Fault("P0", "a function of the database refuses it: a trigger, a rule, or an event trigger for DDL",
          "Ask who owns it, or have it disabled for the migration (psql: \\dy shows event triggers).", about_rows=True),
    # --- what ends with a connection that is lost, or was never made: last, because others say it, too ----------
    Fault("08003", "the connection is closed: it was lost before", f"Look for the first error of the run. {_AGAIN}",
          words=r"connection is (closed|lost)|no connection to the server|connection already closed", follows=True, ends_session=True),
    Fault("08006", "the connection to the server was lost", "Look in the server's log whether somebody ended the session"
          f" (pg_terminate_backend) or it crashed; else a firewall or a pooler did. {_AGAIN}",
          words=r"closed the connection unexpectedly|Connection reset|Broken pipe|consuming input failed|sending query failed"
          r"|could not (send|receive) data|EOF detected", ends_session=True),
    Fault("", "no server of the URL is of the kind that its target_session_attrs asks for", "Name a host that is (the primary"
          " for the target), or leave target_session_attrs out.",
          words=r"session is (not )?read-only|hot standby mode|not in hot standby"),
    Fault("", "the encrypted connection cannot be made",
          "Compare sslmode, sslrootcert, sslcert and sslkey of the URL with the server's certificate: is it valid, for this host"
          " name, and signed by a known root? Does the server have ssl = on?",
          words=r"\bSSL\b|\bTLS\b|certificate|private key file|sslmode|GSSAPI-encrypted"),
    Fault("", "the host has no address", "Mend the host of the URL, or the name service of this machine.",
          words=r"translate host name|resolve host|Name or service not known|Temporary failure in name resolution"),
    Fault("", "nobody listens at this host and port",
          "Check that the server runs (pg_isready), host and port of the URL, and the server's listen_addresses.",
          words=r"Connection refused|No such file or directory|Is the server running"),
    Fault("", "the host cannot be reached", "Check host and port of the URL, routes and firewalls between here and there.",
          words=r"timeout expired|connection timeout|timed out|No route to host|Network is unreachable|Host is (down|unreachable)"),
)  # fmt: skip

#: What the catalogue does not have: the server says no more than its SQLSTATE.
UNKNOWN = Fault(
    "", "the server reports an error", "Its SQLSTATE and the server's log tell more; report it.", about_rows=True
)
#: Without a SQLSTATE, and in no words that are known.
UNTOLD = Fault("", "the driver reports an error without saying which", f"The server's log tells more. {_AGAIN}")

#: Classes of SQLSTATE whose texts name objects, settings and limits, never a value of a row.
SHOWN = frozenset({"08", "25", "28", "3D", "42", "53", "54", "55", "57", "58"})


def find(code: str | None, text: str) -> Fault:
    """The kind of an error by its SQLSTATE and its text (which may be another language's)."""
    if not code:
        return next((fault for fault in FAULTS if fault.says(text)), UNTOLD)
    for known in (code, code[:2]):
        if fault := _of(known, text):
            return fault
    return UNKNOWN


def classes_not_about_rows() -> frozenset[str]:
    """The classes of SQLSTATE that are about the connection, the server, rights and limits, or the statement itself."""
    return frozenset(one.code for one in FAULTS if len(one.code) == 2 and not one.by_words and not one.about_rows)


def _of(code: str, text: str) -> Fault | None:
    known = [fault for fault in FAULTS if fault.code == code]
    said = (fault for fault in known if fault.says(text))
    return next(said, next((fault for fault in known if not fault.by_words), None))
