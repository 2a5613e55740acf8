"""One run of ours behind one Dagster run, in one process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest

import assets
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError, DriftError
from remoteiq_etl.orchestration.assets.discovery import find_specs
from remoteiq_etl.orchestration.runtime.resource import FOLLOWS, OpenMigration
from tests.orchestration.conftest import runs
from tests.support.server import Database

SPECS = find_specs(assets)


@dataclass
class FakeInstance:
    root_directory: str = "/nowhere"
    tags: dict[str, str] = field(default_factory=dict)

    def add_run_tags(self, run_id: str, tags: dict[str, str]) -> None:
        self.tags |= tags


@dataclass
class FakeContext:
    """What a step asks of its context."""

    log: logging.Logger = field(default_factory=lambda: logging.getLogger("test_migration"))
    instance: FakeInstance = field(default_factory=FakeInstance)
    op_handle: Any = None


CONTEXT: Any = FakeContext()


@contextmanager
def opened(run_id: str = "run-of-dagster") -> Iterator[OpenMigration]:
    migration = OpenMigration(SPECS, Settings.load, run_id)
    try:
        yield migration
    finally:
        migration.close()


def test_nothing_is_opened_before_the_first_step(configured: Database) -> None:
    with opened():
        pass
    with configured.connect() as connection:
        assert connection.execute("SELECT to_regnamespace('remoteiq_etl')").fetchone() == (None,)


def test_all_steps_share_one_run(configured: Database) -> None:
    with opened() as migration:
        with migration.step(CONTEXT) as first:
            pass
        with migration.step(CONTEXT) as second:
            assert second is first
    assert runs(configured) == [("succeeded", None, "run-of-dagster")]


def test_the_first_error_is_the_end_of_the_run(configured: Database) -> None:
    with opened() as migration:
        for text in ("first", "second"):
            with pytest.raises(dg.Failure, match=f"DriftError: {text}"), migration.step(CONTEXT):
                raise DriftError(text)
        with migration.step(CONTEXT):
            pass
    assert runs(configured) == [("failed", "DriftError: first", "run-of-dagster")]


def test_a_failure_is_not_retried_and_hides_its_cause(configured: Database) -> None:
    with opened() as migration, pytest.raises(dg.Failure) as failure, migration.step(CONTEXT):
        raise ValueError("a value of a row")
    assert failure.value.description == "ValueError"
    assert failure.value.allow_retries is False
    assert failure.value.__suppress_context__


def test_what_could_not_be_opened_is_not_tried_again(configured: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def settings() -> Settings:
        calls.append(1)
        raise ConfigurationError("wrong")

    migration = OpenMigration(SPECS, settings, "run-of-dagster")
    for said in ("ConfigurationError: wrong", FOLLOWS):
        with pytest.raises(dg.Failure, match=said), migration.step(CONTEXT):
            pass
    migration.close()
    assert len(calls) == 1


def test_a_second_process_of_the_same_run_is_refused(configured: Database) -> None:
    """As a multiprocess executor would start one for each step."""
    with opened() as migration, migration.step(CONTEXT):
        pass
    with opened() as other, pytest.raises(dg.Failure, match="must be executed in one process"), other.step(CONTEXT):
        pass
    with opened("another-run") as next_run, next_run.step(CONTEXT):
        pass
    assert [status for status, *_ in runs(configured)] == ["succeeded", "succeeded"]


def test_a_step_that_dagster_gives_up_fails_the_run(configured: Database) -> None:
    """An asset that yields is closed by Dagster when what it yielded cannot be recorded."""

    class Handle:
        name = "clients"

    context: Any = FakeContext(op_handle=Handle())

    def asset(migration: OpenMigration) -> Iterator[int]:
        with migration.step(context):
            yield 1

    with opened() as migration:
        steps = asset(migration)
        next(steps)
        steps.close()  # type: ignore[attr-defined]
    assert runs(configured) == [("failed", "RemoteIQError: Dagster gave up clients.", "run-of-dagster")]
