"""Prepare and finalize as steps of a migration: they claim the source, fit its stage, do the work and move the stage.

Belongs here: that order, and the same as a script. Does not belong here: the work (see prepare, finalize), and what is looked
at before it (remoteiq_etl.lifecycle.drift.checkup).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.lifecycle.target.back import take_back
from remoteiq_etl.lifecycle.target.finalize import Finalized, Progress, finalize
from remoteiq_etl.lifecycle.target.prepare import PreparedTarget, prepare
from remoteiq_etl.lifecycle.target.script import Script, ScriptSession
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.session_checks import refuse_shared
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import register

SQL = statements(__file__)

_AS = "Run it by psql as the role that the migration connects as, or as one whose tables that role may write."


@dataclass(frozen=True)
class StagedTarget:
    """The target of one source, with a session on it."""

    session: Session
    state: State
    settings: Settings

    @property
    def schema(self) -> str:
        """The target schema."""
        return self.state.target.schema

    # --- prepare --------------------------------------------------------------------------------------------------

    def prepare(self) -> PreparedTarget:
        """Create what the target lacks, in one transaction, and move a source that stands nowhere to `prepared`.

        It may be repeated; later it moves nothing. Raises StageError after the cut-over, LockedError while another command
        works on the stage, DriftError and PrepareError as `prepare` does.
        """
        with self._claimed("prepare") as source_id, self.session.transaction():
            stage = store.require(self.session, self.state, source_id, "prepare")
            prepared = prepare(self.session, target_schema=self.schema, state=self.state)
            if stage is None:
                details = {"created": len(prepared.created), "found": len(prepared.existing)}
                reason = f"{details['created']} tables created, {details['found']} found"
                store.move(self.session, self.state, source_id, Stage.PREPARED, reason=reason, details=details)
            return prepared

    def try_prepare(self) -> None:
        """Do what `prepare` does and take it back. Raises what it raises; after the cut-over nothing is tried."""
        if self._stage() in (Stage.CUT_OVER, Stage.CLEANED_UP):
            return
        with self.session.transaction():
            self.state.ensure(self.session)
            prepare(self.session, target_schema=self.schema, state=self.state)
            raise psycopg.Rollback

    def prepare_script(self) -> Script:
        """What `prepare` would do, as one transaction. Nothing is written, and no right to write is needed."""
        script = Script(f"prepare of {self.schema} for {self.settings.source}. {_AS}", whole=True)
        session = ScriptSession.beside(self.session, script)
        stage = self._stage()
        store.refuse_misfit(stage, "prepare")
        prepare(session, target_schema=self.schema, state=self.state)
        names = {"source": self.settings.source, "slug": self.settings.organization_slug}
        session.execute(SQL["registered"].format(**self.state.names), names)
        if stage is None:
            self._move(session, Stage.PREPARED, None, "prepared by a script")
        return script

    def take_back(self) -> tuple[str, ...]:
        """Drop the tables that prepare made, if all are empty, with their types and the function; returns their names.

        The schema, the extensions and the state schema stay. Raises StageError where anything has been loaded, PrepareError
        when a table has rows or something of somebody else's depends on it; then nothing is changed.
        """
        with self._claimed("prepare --back") as source_id, self.session.transaction():
            stage = store.require(self.session, self.state, source_id, "prepare --back")
            dropped = take_back(self.session, target_schema=self.schema, state=self.state)
            if stage is not None:
                store.move(self.session, self.state, source_id, None, reason=f"{len(dropped)} tables dropped")
            return dropped

    # --- finalize -------------------------------------------------------------------------------------------------

    def finalize(self, progress: Progress | None = None) -> Finalized:
        """Complete the target and move a verified source to `finalized`. Killed at any statement, the next call goes on.

        Raises StageError when the source is not verified, LockedError while another command works on the stage,
        PrepareError as `finalize` does.
        """
        with self._claimed("finalize") as source_id:
            stage = store.require(self.session, self.state, source_id, "finalize")
            done = finalize(self.session, target_schema=self.schema, state=self.state, progress=progress, whole=True)
            if stage is not Stage.FINALIZED:
                reason = f"{len(done.tables)} tables completed, {len(done.views)} reporting views made"
                with self.session.transaction():
                    store.move(self.session, self.state, source_id, Stage.FINALIZED, reason=reason)
            return done

    def finalize_script(self) -> Script:
        """What `finalize` would do now, statement by statement. Nothing is written; it is shown at any stage after `prepared`."""
        script = Script(f"finalize of {self.schema} for {self.settings.source}. {_AS}", whole=False)
        session = ScriptSession.beside(self.session, script)
        finalize(session, target_schema=self.schema, state=self.state, whole=True)
        self._move(session, Stage.FINALIZED, Stage.VERIFIED, "finalized by a script")
        return script

    # --- both -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _claimed(self, command: str) -> Iterator[int]:
        """The source, registered, on which no other command works."""
        self.state.ensure(self.session)
        source = register(self.session, self.state, self.settings.source, self.settings.organization_slug)
        with store.claim(self.session, self.state, source.id, command):
            yield source.id

    def _stage(self) -> Stage | None:
        if not self.state.is_current(self.session):
            return None
        source_id = store.source_of(self.session, self.state, self.settings.source)
        entry = None if source_id is None else store.current(self.session, self.state, source_id)
        return None if entry is None else entry.stage

    def _move(self, session: Session, to: Stage, came_from: Stage | None, reason: str) -> None:
        values = {"source": self.settings.source, "stage": to, "came_from": came_from, "reason": reason}
        for name in ("moved", "recorded"):
            session.execute(SQL[name].format(**self.state.names), values)


@contextmanager
def staged(target: Database, settings: Settings) -> Iterator[StagedTarget]:
    """The target of these settings. Raises ConnectionFailed, ConfigurationError where its sessions do not stay what they are."""
    with closing(target.connect()) as session:
        refuse_shared(session)
        yield StagedTarget(session, State(target, settings.state_schema), settings)
