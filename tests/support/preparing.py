"""What the tests of prepare and finalize share: sessions on a test's database, and a process killed at a statement."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from remoteiq_etl.lifecycle.target.finalize import Finalized, Progress, finalize
from remoteiq_etl.lifecycle.target.prepare import PreparedTarget, prepare
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.state.schema import State
from tests.support import server

STATE_SCHEMA = "remoteiq_etl"


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it, and the connection is closed behind it."""


class KillAt:
    """An observer that ends the process when the k-th statement is about to be sent."""

    def __init__(self, k: int | None = None) -> None:
        self.k = k
        self.seen: list[str] = []

    def __call__(self, statement: str) -> None:
        self.seen.append(statement)
        if len(self.seen) == self.k:
            raise Killed(statement)


@dataclasses.dataclass(frozen=True)
class Target:
    """The target of one test."""

    database: server.Database
    schema: str = "public"
    role: str = server.SUPERUSER

    def observed(self, observer: KillAt | None = None) -> Database:
        return Database(self.database.url_as(self.role), self.schema, observer=observer)

    @property
    def state(self) -> State:
        return State(self.observed(), STATE_SCHEMA)

    @contextlib.contextmanager
    def session(self, observer: KillAt | None = None) -> Iterator[Session]:
        with contextlib.closing(self.observed(observer).connect()) as session:
            yield session

    def prepare(self, observer: KillAt | None = None, tables: tuple[str, ...] | None = None) -> PreparedTarget:
        with self.session(observer) as session:
            return prepare(session, target_schema=self.schema, state=self.state, tables=tables)

    def finalize(self, observer: KillAt | None = None, progress: Progress | None = None) -> Finalized:
        with self.session(observer) as session:
            return finalize(session, target_schema=self.schema, state=self.state, progress=progress)

    def execute(self, *statements: str) -> None:
        with self.session() as session:
            for statement in statements:
                session.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.session() as session:
            return session.rows(statement)

    def value(self, statement: str) -> Any:  # whatever the column holds
        return self.rows(statement)[0][0]
