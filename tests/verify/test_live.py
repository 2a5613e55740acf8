"""A verification beside a legacy application that writes, and beside runs: no BUG where there is none, and one where there is."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Finding, Label
from tests.support.migrating import Migration
from tests.support.verifying import Verifying, Watched
from tests.verify.wrong import written_wrong

#: Tables with ranges, with decisions over all of their rows, with owners, with parents of each other.
TABLES = ("users", "sessions", "tickets", "ticket_tags")
#: What runs load meanwhile: these, and what they refer to.
LOADED = ("organizations", "clients", "sites", "devices", "contacts", *TABLES)
#: Statements of a legacy application at work, each with a number of its own: rows that come, change and go.
WRITES = (
    "INSERT INTO users (id, name, email, role) VALUES (gen_random_uuid(), 'Live {n}', 'live{n}@example.com', 'role {m}')",
    "UPDATE users SET name = 'Renamed {n}', last_seen = now() WHERE email LIKE 'live%{m}@example.com'",
    "INSERT INTO sessions (id, user_id, jti, created_at)"
    " SELECT gen_random_uuid(), id, 'live-{n}', now() FROM users ORDER BY random() LIMIT 1",
    "DELETE FROM sessions WHERE jti LIKE 'live-%{m}'",
    "INSERT INTO tickets (id, title, requester_name, client, site)"
    " VALUES (gen_random_uuid(), 'Live {n}', 'Person {m}', 'Client {m}', 'Site {n}')",
    "UPDATE tickets SET client = 'Client {n}' WHERE id = (SELECT id FROM tickets ORDER BY random() LIMIT 1)",
    "DELETE FROM tickets WHERE title LIKE 'Live%{m}'",
)


@dataclass
class Busy:
    """The legacy application and the runs, each in a thread, until told to end; what went wrong there is kept."""

    migration: Migration
    ended: threading.Event = field(default_factory=threading.Event)
    writes: int = 0
    runs: int = 0
    errors: list[str] = field(default_factory=list)

    def write(self) -> None:
        with self.migration.legacy.connect() as connection:
            while not self.ended.is_set():
                self.writes += 1
                number = self.writes
                connection.execute(WRITES[number % len(WRITES)].format(n=number, m=number % 5).encode())
                time.sleep(0.02)

    def run(self) -> None:
        while not self.ended.is_set():
            self.migration.run(*LOADED)
            self.runs += 1
            time.sleep(0.5)

    def in_thread(self, work: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except (RemoteIQError, psycopg.Error) as error:
                self.errors.append(f"{type(error).__name__}: {error}")

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread


@contextmanager
def busy(migration: Migration, *, runs: bool = True) -> Iterator[Busy]:
    found = Busy(migration)
    threads = [found.in_thread(work) for work in ([found.write, found.run] if runs else [found.write])]
    try:
        yield found
    finally:
        found.ended.set()
        for thread in threads:
            thread.join(timeout=60)
    assert found.errors == []
    assert found.writes > len(WRITES)


def test_live_writes_and_runs_give_no_bug_and_a_real_one_is_found_among_them(copy: Migration) -> None:
    user, _ = written_wrong(copy, "users", "first_name", 0)
    with busy(copy) as both:
        slowly = Watched("tickets", lambda: time.sleep(0.1), after_each=True)
        live = Verifying(copy, TABLES, slowly, range_rows=5).start().end()
    assert both.runs > 0
    assert live.verdict is not None, live.error
    assert [(one.table, one.error) for one in live.verdict.tables if one.error] == []
    bugs = [(one.table, one.key, one.columns) for one in of(live, Label.BUG)]
    assert bugs == [("users", user, ("first_name",))], of(live, Label.BUG)
    copy.run(*LOADED)
    copy.run(*LOADED)  # what recalls a map that was loaded after it settles in the second
    calm = verify(copy.plan, TABLES)
    assert [(one.table, one.key) for table in calm.tables for one in table.findings if one.label is Label.BUG] == [
        ("users", user)
    ]


def test_what_is_written_after_the_last_run_is_labelled_so(copy: Migration) -> None:
    with busy(copy, runs=False):
        time.sleep(0.5)
        live = Verifying(copy, TABLES, Watched("tickets", lambda: time.sleep(0.05), after_each=True)).start().end()
    assert live.verdict is not None, live.error
    assert of(live, Label.BUG) == []
    assert {one.table for one in of(live, Label.CHANGED_IN_LEGACY)} >= {"users", "tickets"}


def test_a_table_that_a_run_completed_since_is_compared_with_what_the_run_saw(copy: Migration) -> None:
    """The first look is older than the run: against it everything that the run brought would differ."""

    def meanwhile() -> None:
        copy.legacy.execute("UPDATE users SET name = 'Somebody Else'")
        copy.run("users")

    seen = Verifying(copy, ["tickets", "users"], Watched("tickets", meanwhile)).start().end()
    assert seen.verdict is not None, seen.error
    tickets, users = seen.verdict.tables
    assert (users.passed, users.labels.get(Label.CHANGED_IN_LEGACY)) == (True, None)
    assert users.snapshot != tickets.snapshot


def of(ended: Verifying, label: Label) -> list[Finding]:
    assert ended.verdict is not None
    return [one for table in ended.verdict.tables for one in table.findings if one.label is label]
