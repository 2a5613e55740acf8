"""What the new application needs in a target: said, made, looked at, taken away.

Each part is one transaction, together with the record that we made it, so that whatever ends an installation the next one goes
on. Belongs here: that order. Does not belong here: a single part (see standing, making).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from remoteiq_etl.errors import ApplicationError, LockedError
from remoteiq_etl.lifecycle.application.catalogue import Catalogue
from remoteiq_etl.lifecycle.application.making import kept_because, make, unmake
from remoteiq_etl.lifecycle.application.pairs import PairStatements
from remoteiq_etl.lifecycle.application.standing import PartKind, PartStanding, standing
from remoteiq_etl.lifecycle.target import ownership
from remoteiq_etl.lifecycle.target.prepare import LOCK_TIMEOUT
from remoteiq_etl.lifecycle.target.script import Script, ScriptSession
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import brief
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.locks import is_locked, run_lock
from remoteiq_etl.state.orders import actor
from remoteiq_etl.state.schema import State
from schemas.application.model import (
    GRANT,
    OWNER,
    PERMISSION,
    GrantPart,
    OwnerPart,
    PairPart,
    Part,
    PermissionPart,
    Profile,
    TablePart,
)
from schemas.state.maps import map_name

SQL = statements(__file__)


@dataclass(frozen=True)
class Found:
    """One part and how it stands; `ours`: we made it."""

    part: Part
    standing: PartStanding
    ours: bool


@dataclass(frozen=True)
class Removed:
    """The parts that are gone, and those of ours that stay, with the reason."""

    gone: tuple[str, ...]
    kept: dict[str, str]


@dataclass(frozen=True)
class ApplicationTarget:
    """A target and a profile. `organization`: the slug of the one whose settings the application shows; `owner`: the role that
    the application connects with, which is to own what it alters; `granted_keys`: permissions for every migrated role.
    """

    session: Session
    state: State
    profile: Profile
    organization: str
    owner: str | None = None
    granted_keys: tuple[str, ...] = ()

    @property
    def schema(self) -> str:
        """The schema of the target."""
        return self.state.target.schema

    def found(self) -> list[Found]:
        """Every part as it stands, in the order in which they are made."""
        catalogue, ours = self._catalogue(), self._records()
        return [Found(part, standing(part, catalogue), part.name in ours) for part in self._parts(catalogue)]

    def install(self) -> list[str]:
        """Make what is missing, part by part; returns the names. May be repeated, also after an end at any statement.

        Raises ApplicationError where something is there in a form that the application cannot use (nothing is made then), or a
        part cannot be made: those before it stand. Raises LockedError while a run is in work.
        """
        with self._alone():
            self._refuse_incompatible()
            self.state.ensure(self.session)
            missing = [one.part for one in self.found() if one.standing.kind is PartKind.MISSING]
            owners = Catalogue.read(self.session, self.schema).owners
            for part in missing:
                with self._part(part.name, "made"):
                    for statement in self._making(part):
                        self.session.execute(statement)
                    self._record(part, owners)
        return [part.name for part in missing]

    def script(self) -> Script:
        """What `install` would execute, for psql. Raises ApplicationError as it does."""
        script = Script(f"What the application of the profile {self.profile.name} needs, in {self.schema}", whole=False)
        place = replace(self, session=ScriptSession.beside(self.session, script))
        place.install()
        return script

    def remove(self) -> Removed:
        """Take away what we made and nobody uses, the last part first. What holds something of others stays, and is named.

        May be repeated. Raises ApplicationError where a part cannot be dropped; those before it are gone.
        """
        gone: list[str] = []
        kept: dict[str, str] = {}
        with self._alone():
            for part in self._made_by_us():
                with self._part(part.name, "taken away"):
                    why = self._kept_because(part)
                    if why is None:
                        for statement in self._undoing(part):
                            self.session.execute(statement)
                        self._forget(part)
                        gone.append(part.name)
                    else:
                        kept[part.name] = why
        return Removed(tuple(gone), kept)

    # --- parts ----------------------------------------------------------------------------------------------------

    def _parts(self, catalogue: Catalogue) -> Iterator[Part]:
        yield from self.profile.parts
        if self.owner is not None:
            tables = [part.table.name for part in self.profile.parts if isinstance(part, TablePart)]
            made = [name for name in tables if f"table {name}" in self._records() or name not in catalogue.kinds]
            yield from (OwnerPart(table, self.owner) for table in (*self.profile.owned, *made))
        yield from map(PermissionPart, self.granted_keys)
        yield from (GrantPart(role, key) for key in self.granted_keys for role in self._migrated_roles())

    def _migrated_roles(self) -> list[str]:
        """The ids of the roles that runs have written or adopted."""
        if not self.state.exists(self.session) or map_name("roles") not in self.state.maps(self.session):
            return []
        statement = SQL["migrated_roles"].format(map=self.state.name(map_name("roles")))
        return [role for (role,) in self.session.rows(statement)]

    def _catalogue(self) -> Catalogue:
        return Catalogue.read(self.session, self.schema).with_grants(self.session, self.schema)

    def _made_by_us(self) -> list[Part]:
        """What we made and is there, the last first. A part that somebody has dropped since is forgotten."""
        catalogue, records = self._catalogue(), self._records()
        parts: list[Part] = [part for part in self.profile.parts if part.name in records]
        parts += [PermissionPart(name.removeprefix(f"{PERMISSION} ")) for name in records if _is(name, PERMISSION)]
        parts += [_grant(name) for name in records if _is(name, GRANT)]
        parts += [OwnerPart(name.removeprefix(f"{OWNER} "), former) for name, former in records.items() if former]
        there = [part for part in parts if _is_there(part, catalogue)]
        for part in parts:
            if part not in there:
                self._forget(part)
        return there[::-1]

    def _making(self, part: Part) -> Iterable[sql.Composable]:
        return self._pair(part).make() if isinstance(part, PairPart) else make(part, self.schema)

    def _undoing(self, part: Part) -> Iterable[sql.Composable]:
        """What takes a part away: of an owner, giving the table back to the former one."""
        if isinstance(part, PairPart):
            return self._pair(part).unmake()
        return make(part, self.schema) if isinstance(part, OwnerPart) else unmake(part, self.schema)

    def _kept_because(self, part: Part) -> str | None:
        """Why a part stays; a table of settings may go with its rows as long as the redesign says the same."""
        pair = next((one for one in self._pairs if isinstance(part, TablePart) and one.table is part.table), None)
        if pair is None:
            return kept_because(part, self.session, self.schema)
        says_more = self.session.value(self._pair(pair).out_of_step())
        return "it holds settings that the redesign does not" if says_more else None

    @property
    def _pairs(self) -> list[PairPart]:
        return [part for part in self.profile.parts if isinstance(part, PairPart)]

    def _pair(self, part: PairPart) -> PairStatements:
        return PairStatements(part, self.schema, self.organization, Catalogue.read(self.session, self.schema))

    def _refuse_incompatible(self) -> None:
        wrong = [f"{one.part.name}: {one.standing.why}" for one in self.found() if _is_incompatible(one)]
        if wrong:
            raise ApplicationError(
                f"{len(wrong)} things are there in a form that the application of the profile {self.profile.name} cannot use: "
                + "; ".join(wrong)
                + ". Change or rename them, and repeat; nothing was made."
            )

    @contextmanager
    def _part(self, name: str, done: str) -> Iterator[None]:
        """One transaction for one part. Raises ApplicationError for what the server says."""
        try:
            with self.session.transaction():
                self.session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
                yield
        except psycopg.Error as error:
            raise ApplicationError(
                f"{name} cannot be {done}: {brief(error)}. What was {done} before it stands; mend this and repeat."
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with ownership.locked(self.session):
            self._refuse_run()
            yield

    def _refuse_run(self) -> None:
        """What a run has found of the target would not be so any more. Raises LockedError."""
        if not self.state.exists(self.session):
            return
        sources = self.session.rows(sql.SQL("SELECT id, name FROM {}").format(self.state.name("sources")))
        for source_id, name in sources:
            if is_locked(self.session, run_lock(source_id)):
                raise LockedError(f"a run of the source {name} is in work: wait for its end, then repeat.")

    # --- records --------------------------------------------------------------------------------------------------

    def _records(self) -> dict[str, str | None]:
        """The parts that we made, and of a table given away who owned it."""
        if not self.state.exists(self.session) or not self.state.is_current(self.session):
            return {}
        statement = SQL["records"].format(application_parts=self.state.name("application_parts"))
        return dict(self.session.rows(statement, {"schema": self.schema}))

    def _record(self, part: Part, owners: Mapping[str, str]) -> None:
        former = owners.get(part.table) if isinstance(part, OwnerPart) else None
        statement = SQL["record"].format(application_parts=self.state.name("application_parts"))
        values = {"schema": self.schema, "name": part.name, "profile": self.profile.name}
        self.session.execute(statement, {**values, "former": former, "actor": actor()})

    def _forget(self, part: Part) -> None:
        statement = SQL["forget"].format(application_parts=self.state.name("application_parts"))
        self.session.execute(statement, {"schema": self.schema, "name": part.name})


def _is(name: str, kind: str) -> bool:
    return name.startswith(f"{kind} ")


def _grant(name: str) -> GrantPart:
    key, _, role = name.removeprefix(f"{GRANT} ").partition(" to ")
    return GrantPart(role, key)


def _is_incompatible(found: Found) -> bool:
    return found.standing.kind is PartKind.INCOMPATIBLE


def _is_there(part: Part, catalogue: Catalogue) -> bool:
    if isinstance(part, OwnerPart):
        return part.table in catalogue.kinds
    return standing(part, catalogue).kind is PartKind.THERE
