"""What a rehearsal came to: as data, as a file, and kept in the state of the target that it was a rehearsal for.

Belongs here: the certificate and where it goes. Does not belong here: rehearsing (see cycle).
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from remoteiq_etl.errors import RehearsalError
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.rehearsal.locks import LongestLock
from remoteiq_etl.state.orders import actor
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class StepResult:
    """One step that was done: how long it took, in seconds, and what it came to. `rows`: those that it read or wrote."""

    step: str
    seconds: float
    said: str
    rows: int = 0


@dataclass(frozen=True)
class Certificate:
    """A rehearsal. `window`: seconds from fence to switch that are to be expected, at least and at most, by what was measured;
    `wal_bytes`: written by the scratch target's server meanwhile, by others, too; `memory_bytes`: the most of this process.
    `failures`: why it did not pass.
    """

    source: str
    scratch: str
    began_at: datetime
    program: str
    code: str
    legacy_schema: str
    target_schema: str
    steps: Sequence[StepResult]
    window: tuple[float, float, float] | None
    wal_bytes: int | None
    memory_bytes: int
    locks: Sequence[LongestLock]
    failures: Sequence[str]

    @property
    def passed(self) -> bool:
        """Whether every step came to what it should."""
        return not self.failures

    @property
    def verdict(self) -> str:
        """The verdict in one word."""
        return "passed" if self.passed else "failed"

    @property
    def rows(self) -> int:
        """Legacy rows that the first load read."""
        return next((one.rows for one in self.steps if one.rows), 0)

    def as_json(self) -> dict[str, Any]:
        """The certificate as plain data."""
        found = asdict(self)
        found["began_at"] = self.began_at.isoformat()
        return {"verdict": self.verdict, "rows": self.rows, **found}


def write(certificate: Certificate, directory: Path) -> Path:
    """Write it as JSON, for its owner alone; returns the path. Raises RehearsalError where that cannot be done."""
    path = directory / f"rehearsal-{certificate.source}-{certificate.began_at:%Y%m%dT%H%M%S}.json"
    text = json.dumps(certificate.as_json(), indent=1) + "\n"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RehearsalError(
            f"{path}: the certificate cannot be written ({error.strerror}). Set REMOTEIQ_HOME."
        ) from error
    return path


def keep(certificate: Certificate, migration: Migration) -> bool:
    """Keep it in the state of the real target, where the gate finds it; False where the source is not prepared there yet."""
    state = State(migration.target, migration.settings.state_schema)
    with contextlib.closing(migration.target.connect()) as session:
        if not state.exists(session):
            return False
        state.ensure(session)
        source_id = store.source_of(session, state, certificate.source)
        if source_id is None:
            return False
        values: Mapping[str, Any] = {
            "source_id": source_id,
            "verdict": certificate.verdict,
            "code": certificate.code,
            "legacy_schema": certificate.legacy_schema,
            "target_schema": certificate.target_schema,
            "certificate": Jsonb(certificate.as_json()),
            "actor": actor(),
        }
        session.execute(SQL["keep"].format(**state.names), dict(values))
    return True
