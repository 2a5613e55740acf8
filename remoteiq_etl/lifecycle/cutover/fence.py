"""The write fence: what keeps the old application from writing to the legacy database, taken and given back exactly.

A fence first surveys what it will change; that is recorded, then it is taken, in one transaction. Giving back puts what was
recorded there again, and may be repeated. Belongs here: the four kinds. Does not belong here: recording (see execute), ending
sessions and waiting for transactions (see open_transactions).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import psycopg
from psycopg import sql

from remoteiq_etl.config.cutover import CutOverSettings
from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.errors import CutOverError, FenceError
from remoteiq_etl.lifecycle.cutover import hooks
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

Record = Mapping[str, Any]
"""What a fence changes and what was there before, as JSON: `kind`, and what else the kind needs to give it back."""

_SETTING = "default_transaction_read_only"


class WriteFence(Protocol):
    """One kind. `ends_sessions`: old sessions must end, because they go on as they began. `is_enforced`: the server refuses
    writes; else they are looked for in every table. `outlives_switch`: it hinders nobody who uses the same database.
    """

    kind: FenceKind
    ends_sessions: bool
    is_enforced: bool
    outlives_switch: bool

    def survey(self, admin: Session) -> Record:
        """What is there now. Writes nothing. Raises FenceError when it cannot be taken as asked."""

    def take(self, admin: Session, record: Record) -> None:
        """Keep the old application from writing. Raises FenceError; then nothing is changed, of a hook as far as it tells."""

    def give_back(self, admin: Session, record: Record) -> None:
        """Put back what was there; may be repeated, and after a `take` that never came to its end. Raises FenceError."""


def fence_of(kind: FenceKind, settings: CutOverSettings) -> WriteFence:
    """The fence of this kind. Raises FenceError when the settings lack what it needs."""
    if kind is FenceKind.REVOKE and not settings.roles:
        raise FenceError("the fence revoke needs the roles of the old application: name them as [cutover] roles.")
    if kind is FenceKind.HOOK and not settings.fence_hook:
        raise FenceError("the fence hook needs a command: name it as [cutover] fence_hook.")
    if kind is FenceKind.READ_ONLY:
        return ReadOnly(settings.roles)
    if kind is FenceKind.REVOKE:
        return Revoke(settings.roles)
    return Hook(settings.fence_hook, settings.hook_seconds) if kind is FenceKind.HOOK else Stopped()


def fence_of_record(record: Record, settings: CutOverSettings) -> WriteFence:
    """The fence that a record is of, to give it back whatever the settings say by now."""
    kind = FenceKind(record["kind"])
    recorded = {"roles": tuple(record.get("roles", ())), "fence_hook": tuple(record.get("command", ()))}
    return fence_of(kind, settings.model_copy(update=recorded))


def refuse_rights(fence: WriteFence, admin: Session) -> None:
    """Find out whether the fence can be taken, by taking it in a transaction that is rolled back. Raises FenceError."""
    if not fence.is_enforced:
        return
    with admin.transaction():
        fence.take(admin, fence.survey(admin))
        raise psycopg.Rollback


# --- default_transaction_read_only -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadOnly:
    """New sessions of these roles, or of the whole database without any, begin read-only. Ours say otherwise themselves."""

    roles: tuple[str, ...] = ()
    kind = FenceKind.READ_ONLY
    ends_sessions = True
    is_enforced = True
    outlives_switch = False

    def survey(self, admin: Session) -> Record:
        """Who gets the setting (null: everybody), and what it was: null where there was none."""
        refuse_unknown_roles(admin, self.roles)
        found = admin.rows(SQL["read_only_settings"].format())
        here = {role: value for role, is_here, value in found if is_here}
        # What is set for a role goes before what is set for the database.
        overruling = sorted({role for role, _, _ in found if role is not None})
        concerned: list[str | None] = [*self.roles] or [None, *overruling]
        return {
            "kind": self.kind,
            "roles": list(self.roles),
            "database": admin.value("SELECT current_database()"),
            "before": [[role, here.get(role)] for role in concerned],
        }

    def take(self, admin: Session, record: Record) -> None:
        """Set it."""
        with _explained("taken"), admin.transaction():
            for role, _ in record["before"]:
                admin.execute(_altered(record["database"], role, "on"))

    def give_back(self, admin: Session, record: Record) -> None:
        """Set it to what it was, or not at all. A role that is gone has nothing to get back."""
        gone = _unknown(admin, [role for role, _ in record["before"] if role is not None])
        with _explained("given back"), admin.transaction():
            for role, value in record["before"]:
                if role not in gone:
                    admin.execute(_altered(record["database"], role, value))


def _altered(database: str, role: str | None, value: str | None) -> sql.Composed:
    if role is None:
        subject = sql.SQL("DATABASE {}").format(sql.Identifier(database))
    else:
        subject = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), sql.Identifier(database))
    change = sql.SQL("RESET " + _SETTING) if value is None else sql.SQL("SET " + _SETTING + " = {}").format(value)
    return sql.SQL("ALTER {} {}").format(subject, change)


# --- rights to write ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grant:
    """One right to write, as the catalogue has it: of a role (None: PUBLIC), from a role."""

    table: str
    column: str | None
    privilege: str
    grantor: str
    grantee: str | None
    grantable: bool
    by_owner: bool

    def statement(self, schema: str, *, back: bool) -> sql.Composed:
        """The statement that takes it, or gives it back as it was."""
        columns = sql.SQL(" ({})").format(sql.Identifier(self.column)) if self.column else sql.SQL("")
        grantee = sql.SQL("PUBLIC") if self.grantee is None else sql.Identifier(self.grantee)
        pattern = "GRANT {}{} ON {} TO {}" if back else "REVOKE {}{} ON {} FROM {}"
        option = " WITH GRANT OPTION" if back and self.grantable else ""
        place = sql.Identifier(schema, self.table)
        return sql.SQL(pattern + option).format(sql.SQL(self.privilege), columns, place, grantee)


@dataclass(frozen=True)
class Revoke:
    """Named roles lose the right to write to the tables of the schema, and with them whoever has it from them."""

    roles: tuple[str, ...]
    kind = FenceKind.REVOKE
    ends_sessions = False
    is_enforced = True
    outlives_switch = True

    def survey(self, admin: Session) -> Record:
        """The rights of these roles, and of whoever has them from them: in the order in which they can be taken."""
        refuse_unknown_roles(admin, self.roles)
        found = admin.objects(Grant, SQL["grants"].format(), {"schema": admin.database.schema})
        grants = [asdict(one) for one in dependents_first(found, self.roles)]
        return {"kind": self.kind, "roles": list(self.roles), "grants": grants}

    def take(self, admin: Session, record: Record) -> None:
        """Take them, and see that nothing is left. A superuser keeps every right: then nothing is taken."""
        schema = admin.database.schema
        with _explained("taken"), admin.transaction():
            _execute_as_grantors(admin, [Grant(**one) for one in record["grants"]], back=False)
            left = admin.rows(SQL["writers"].format(), {"roles": list(self.roles), "schema": schema})
            if left:
                who = "; ".join(f"{role} ({why})" for role, why in left)
                raise FenceError(
                    f"without their own rights these roles may still write to the schema {schema}: {who}. Nothing was taken."
                    " Name the role whose rights they use, too, or use another fence."
                )

    def give_back(self, admin: Session, record: Record) -> None:
        """Grant all of them again, from the same roles and with the same options; what is there stays."""
        tables = {
            row[0]
            for row in admin.rows("SELECT tablename FROM pg_tables WHERE schemaname = %s", [admin.database.schema])
        }
        tables |= {
            row[0] for row in admin.rows("SELECT viewname FROM pg_views WHERE schemaname = %s", [admin.database.schema])
        }
        grants = [Grant(**one) for one in reversed(record["grants"]) if one["table"] in tables]
        gone = _unknown(admin, [name for one in grants for name in (one.grantor, one.grantee) if name is not None])
        with _explained("given back"), admin.transaction():
            _execute_as_grantors(
                admin, [one for one in grants if one.grantor not in gone and one.grantee not in gone], back=True
            )


def dependents_first(grants: Sequence[Grant], roles: Sequence[str]) -> list[Grant]:
    """The rights of these roles, each after those that others have from it."""
    chosen: list[Grant] = []
    pending = [one for one in grants if one.grantee in roles]
    while pending:
        chosen = [one for one in chosen if one not in pending] + pending
        holders = {(one.table, one.column, one.privilege, one.grantee) for one in pending if one.grantable}
        pending = [
            one
            for one in grants
            if not one.by_owner
            and (one.table, one.column, one.privilege, one.grantor) in holders
            and one not in pending
        ]
    return chosen[::-1]


def _execute_as_grantors(admin: Session, grants: Sequence[Grant], *, back: bool) -> None:
    """A right is given and taken by the role that gave it: of the owner's the server does that by itself."""
    for grant in grants:
        if not grant.by_owner:
            admin.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(grant.grantor)))
        admin.execute(grant.statement(admin.database.schema, back=back))
        if not grant.by_owner:
            admin.execute("RESET ROLE")


# --- commands, and nothing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hook:
    """A command of the operator's stops the old application, and starts it again."""

    command: tuple[str, ...]
    seconds: float
    kind = FenceKind.HOOK
    ends_sessions = False
    is_enforced = False
    outlives_switch = True

    def survey(self, admin: Session) -> Record:
        """The command itself."""
        return {"kind": self.kind, "command": list(self.command)}

    def take(self, admin: Session, record: Record) -> None:
        """Call it with `take`."""
        self._call("take")

    def give_back(self, admin: Session, record: Record) -> None:
        """Call it with `give-back`."""
        self._call("give-back")

    def _call(self, word: str) -> None:
        try:
            hooks.call(self.command, word, self.seconds)
        except CutOverError as error:
            raise FenceError(str(error)) from error


@dataclass(frozen=True)
class Stopped:
    """The operator has stopped the old application: nothing is done, and it is watched that nothing is written."""

    kind = FenceKind.STOPPED
    ends_sessions = False
    is_enforced = False
    outlives_switch = True

    def survey(self, admin: Session) -> Record:
        """Nothing but its kind."""
        return {"kind": self.kind}

    def take(self, admin: Session, record: Record) -> None:
        """Do nothing."""

    def give_back(self, admin: Session, record: Record) -> None:
        """Do nothing."""


# --- errors ------------------------------------------------------------------------------------------------------------


def refuse_unknown_roles(admin: Session, roles: Sequence[str]) -> None:
    """Raise FenceError for a role that the server does not have."""
    if unknown := _unknown(admin, roles):
        raise FenceError(
            f"the server of the legacy database has no role {', '.join(sorted(unknown))}: see [cutover] roles."
        )


def _unknown(admin: Session, roles: Sequence[str]) -> set[str]:
    return {str(row[0]) for row in admin.rows(SQL["missing_roles"].format(), {"roles": sorted(set(roles))})}


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """What the server says about rights as an error of ours, without its details."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise FenceError(
            f"the fence cannot be {what}: {error.diag.message_primary}. Set REMOTEIQ_LEGACY_ADMIN_URL to a connection as a role"
            " that may: a superuser, or the owner of the database and of its tables."
        ) from error
    except psycopg.Error as error:
        raise FenceError(
            f"the fence cannot be {what}: {error.diag.message_primary or type(error).__name__}."
        ) from error
