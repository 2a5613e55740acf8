"""Prepare and finalize as steps: scripts that psql runs to the same catalogue, one at a time, stages moved as they should be."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.target.steps import StagedTarget, staged
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support.server import Database, Server


def target_of(database: Database, role: str | None = None) -> EngineDatabase:
    return EngineDatabase(database.url if role is None else database.url_as(role), "public")


def settings() -> Settings:
    return Settings(source="head-office", organization_slug="head-office")


def step(database: Database, what: Callable[[StagedTarget], object]) -> str:
    with staged(target_of(database), settings()) as place:
        return str(what(place))


def psql(database: Database, script: str) -> None:
    done = subprocess.run(
        [database.server.bin_dir / "psql", "-X", "-q", "-d", database.url], input=script, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def catalogue(database: Database) -> list[tuple[object, ...]]:
    """Everything of both schemas that the catalogue knows, without numbers of objects."""
    query = Path(__file__).with_name("catalogue.sql").read_text(encoding="utf-8")
    with database.connect() as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.mark.every_postgres
def test_the_script_of_prepare_makes_what_prepare_makes(server: Server) -> None:
    by_psql, by_us = server.create_database(), server.create_database()
    script = step(by_psql, StagedTarget.prepare_script)
    assert catalogue(by_psql) == []
    psql(by_psql, script)
    step(by_us, StagedTarget.prepare)
    assert catalogue(by_psql) == catalogue(by_us) != []
