"""A made-up installation that no declaration of assets/ knows, loaded once, and an open run of it: for tests of single steps.

A library: authors, their books, the tags of each book. After the first load, legacy has given book 1 another title, added
book 5 and deleted book 4. What a test writes to the target is taken back at its end, so that all tests share the databases.
Belongs here: the declarations and rows of it. Does not belong here: a rule of a real table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Column, ForeignKey, MetaData, Table, Text, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import JSONB, UUID

from remoteiq_etl.backfill.change_capture.capture import Capture
from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.context.prepared import PreparedBatch
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.load.commit import BatchWriter
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.backfill.outcomes.open_rows import OpenRows
from remoteiq_etl.backfill.run import Run, open_run
from remoteiq_etl.backfill.transform.adoption import Adopter
from remoteiq_etl.backfill.transform.contracts import Contract
from remoteiq_etl.backfill.transform.prepare import with_keys
from remoteiq_etl.frames.dtypes import BOOLEAN, TEXT, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.column_guards import OnceSet
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.lookup import NOTHING
from remoteiq_etl.spec.table import NOW, OWNER, Adoption, OnDelete, Revocation, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.state.maps import map_of
from schemas import ddl
from schemas.columns import NAMES, TIMESTAMPTZ, secret
from tests.assets.builders import uid
from tests.support.server import Database, Server

_LEGACY, _TARGET = (
    MetaData(schema="legacy", naming_convention=NAMES),
    MetaData(schema="target", naming_convention=NAMES),
)


def _tables(metadata: MetaData, *constraints: UniqueConstraint) -> tuple[Table, Table, Table]:
    authors = Table("authors", metadata, Column("id", UUID, primary_key=True), Column("name", Text, nullable=False))
    books = Table(
        "books",
        metadata,
        Column("id", UUID, primary_key=True),
        Column("author_id", UUID, ForeignKey("authors.id"), nullable=False),
        Column("title", Text, nullable=False),
        Column("isbn", Text),
        Column("notes", JSONB),
        Column("pin", Text, info=secret()),
        Column("withdrawn_at", TIMESTAMPTZ),
        Column("read_at", TIMESTAMPTZ),
        *constraints,
    )
    tags = Table(
        "book_tags",
        metadata,
        Column("book_id", UUID, ForeignKey("books.id", ondelete="CASCADE"), primary_key=True),
        Column("tag", Text, primary_key=True),
    )
    return authors, books, tags


LEGACY = dict(zip(("authors", "books", "book_tags"), _tables(_LEGACY), strict=True))
TARGET = dict(zip(LEGACY, _tables(_TARGET, UniqueConstraint("isbn")), strict=True))

#: Two of the authors have one name.
_ROWS = f"""
INSERT INTO authors VALUES ('{uid(101)}', 'Ann'), ('{uid(102)}', 'Ben'), ('{uid(103)}', 'ann');
INSERT INTO books
    SELECT ('{uid(0)[:-1]}' || n)::uuid, '{uid(101)}', 'Book ' || n, 'isbn-' || n, '{{"pages": 100, "token": "t"}}', 'pin-' || n
    FROM generate_series(1, 4) AS n;
INSERT INTO book_tags SELECT id, tag FROM books, unnest(ARRAY['long', 'old']) AS tag;
"""
_SINCE = f"""
UPDATE books SET title = 'Changed' WHERE id = '{uid(1)}';
DELETE FROM book_tags WHERE book_id = '{uid(4)}'; DELETE FROM books WHERE id = '{uid(4)}';
INSERT INTO books VALUES ('{uid(5)}', '{uid(102)}', 'Book 5', 'isbn-5');
"""


# --- the declarations -----------------------------------------------------------------------------------------------


def equal_names(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Authors of one name are one author: the first of them."""
    names = inputs["names"].sort_values("id")
    first = names.groupby(names["name"].str.lower())["id"].transform("first")
    return Decided(prepared={"into": dict(zip(names["id"], first, strict=True))})


def _authors(batch: Batch, context: Context) -> Batch:
    into = batch.keys.map(context.prepared["into"]).astype(TEXT)
    batch.merge(into != batch.keys, "equal_name", into)
    batch.carry("id", "name")
    return batch


def _books(batch: Batch, context: Context) -> Batch:
    batch.carry("id", "title", "isbn", "notes", "pin", "withdrawn_at", "read_at")
    batch["author_id"] = batch.parent("author_id", context.lookup("authors"), "authors")
    return batch


def _tags(batch: Batch, context: Context) -> Batch:
    batch["book_id"] = batch.parent("book_id", context.lookup("books"), "books")
    batch.carry("tag", **{OWNER: "book_id"})
    return batch


AUTHORS = TableSpec(
    TARGET["authors"],
    "one row per author",
    sources=(Source(LEGACY["authors"], _authors),),
    decide=Decide({"names": select(LEGACY["authors"].c.id, LEGACY["authors"].c.name)}, equal_names),
    adopt=Adoption(("name",)),
)
BOOKS = TableSpec(
    TARGET["books"],
    "one row per book",
    sources=(Source(LEGACY["books"], _books),),
    lookups=(("authors", "authors"),),
    activity=("read_at",),
    column_guards=(OnceSet("withdrawn_at"),),
    on_delete=OnDelete((Revocation(sets={"withdrawn_at": NOW}), Revocation("book_tags", "book_id"))),
)
TAGS = TableSpec(
    TARGET["book_tags"],
    "one row per book and tag",
    sources=(Source(LEGACY["book_tags"], _tags),),
    lookups=(("books", "books"),),
    replaces=True,
    owned_by=LEGACY["books"],
    moves_with="book_id",
)
SPECS = {spec.name: spec for spec in (AUTHORS, BOOKS, TAGS)}


def author(number: int, **changed: Any) -> dict[str, Any]:
    """The target row of an author, as legacy gives it, but for what is changed."""
    return {KEY: uid(number), "id": uid(number), "name": f"Author {number}"} | changed


def book(number: int, **changed: Any) -> dict[str, Any]:
    """The target row of a book: of the first four what the first load has written, but for what is changed."""
    own = {KEY: uid(number), "id": uid(number), "author_id": uid(101), "title": f"Book {number}"}
    values = {"isbn": f"isbn-{number}", "notes": '{"pages": 100, "token": "t"}', "pin": f"pin-{number}"}
    return own | values | {"withdrawn_at": None, "read_at": None} | changed


def tag(book_number: int, name: str, key: str | None = None) -> dict[str, Any]:
    """The target row of a tag; `key`: the tag that its legacy key names."""
    row = {KEY: key_text([uid(book_number), key or name]), "book_id": uid(book_number), "tag": name}
    return row | {OWNER: uid(book_number)}


# --- the run --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Library:
    """An open run of the library. No table has been loaded by it."""

    run: Run

    @property
    def context(self) -> RunContext:
        return self.run.context

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.context.session.rows(statement, list(parameters) or None)

    def column(self, statement: str, *parameters: Any) -> list[Any]:
        """The first column of each row."""
        return [row[0] for row in self.rows(statement, *parameters)]

    def spec(self, table: str) -> TableSpec:
        return self.context.live_spec(table)

    def prepared(self, table: str, *rows: Mapping[str, Any]) -> PreparedBatch:
        """A batch of these rows, of the legacy table of the same name."""
        spec = self.spec(table)
        given = frame({name: [row[name] for row in rows] for name in rows[0]}, {"_adopted": BOOLEAN})
        typed, failures = Contract.of_target(spec.target).split(given)
        assert failures == []
        legacy = typed[[KEY]]
        keyed = with_keys(typed, spec, table, Adopter(spec), NOTHING, legacy)
        return PreparedBatch(table, len(rows), legacy, keyed)

    def merge(self, table: str, prepared: PreparedBatch, **more: Any) -> Merge:
        """The statements that bring a batch into its table, whose rows are staged."""
        context, spec = self.context, more.pop("spec", self.spec(table))
        columns = tuple(column.name for column in spec.target.columns if column.name in prepared.rows)
        stage = self.run.stages.stage(spec, table, 0, columns)
        assert self.run.stages.fill(stage, prepared.rows)[1] == {}
        target, state = context.target_name(spec.name), context.state.schema
        own = (context.source_record.id, context.id, context.target.schema)
        return Merge(spec, stage, table, state, target, map_of(spec), *own, **more)

    def staged(self, table: str, *rows: Mapping[str, Any], **more: Any) -> Merge:
        """The same of these rows."""
        return self.merge(table, self.prepared(table, *rows), **more)

    def writer(self, table: str, context: RunContext | None = None) -> BatchWriter:
        """Writes batches of a table, as if nothing had been written before."""
        context = context or self.context
        capture = Capture(context, self.run.sweep)
        return BatchWriter(context, context.live_spec(table), TableReport(table), OpenRows(context), capture)


@pytest.fixture(scope="session")
def library_template(server: Server) -> RunPlan:
    """The library after its first load, and what legacy has changed since. Nobody has a session of its target."""
    legacy, target = server.create_database(), server.create_database()
    for database, metadata in ((legacy, _LEGACY), (target, _TARGET)):
        statements = [*ddl.extension_ddl(), *ddl.create_tables(metadata, "public", foreign_keys=True, indexes=True)]
        database.execute(";".join(statements))
    legacy.execute(_ROWS)
    plan = RunPlan(EngineDatabase(legacy.url, "public", read_only=True), EngineDatabase(target.url, "public"), SPECS)
    with open_run(plan) as run:
        run.load_all()
    legacy.execute(_SINCE)
    return plan


def _cloned(server: Server, template: RunPlan) -> tuple[Database, RunPlan]:
    """A target of its own, of the same legacy database: no run writes to that one."""
    target = server.create_database(template=str(conninfo_to_dict(template.target.url)["dbname"]))
    # What waits for a lock here waits for a session of the same test.
    return target, replace(template, target=EngineDatabase(target.url, "public", session={"lock_timeout": "2s"}))


@pytest.fixture(scope="session")
def library_plan(server: Server, library_template: RunPlan) -> RunPlan:
    return _cloned(server, library_template)[1]


@pytest.fixture(scope="module")
def open_library(library_plan: RunPlan) -> Iterator[Library]:
    """A run that the tests of a module share."""
    with open_run(library_plan) as run:
        assert SPECS.keys() <= run.context.catalogue.tables.keys(), "read before a test alters a table"
        yield Library(run)


@pytest.fixture
def library(open_library: Library) -> Iterator[Library]:
    """The same for one test: all of it is one transaction, which is taken back."""
    with open_library.context.session.connection.transaction(force_rollback=True):
        yield open_library


@pytest.fixture
def own_library(server: Server, library_template: RunPlan) -> Iterator[Library]:
    """A target and a run of the test's own, for what commits."""
    target, plan = _cloned(server, library_template)
    with open_run(plan) as run:
        yield Library(run)
    target.drop()
