"""The dimensions of the matrix: what each of their levels does to the databases of a cell, and cells at random.

Belongs here: the statements that make surroundings hostile. Does not belong here: what must come of it (see outcome).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice

from hypothesis import strategies as st

from tests.support.limits import Case, cases
from tests.support.migrating import with_dependencies

#: What is migrated: a chain of people and one of backups, each with children.
TABLES = tuple(sorted(with_dependencies({"permissions", "sessions", "personal_access_tokens", "backup_job_logs"})))
_LEGACY = ("permissions", "users", "sessions", "personal_tokens", "backup_jobs", "backup_job_logs")

SETTINGS = ("plain", "hostile")
ENCODINGS = ("UTF8", "LATIN1", "WIN1252", "SQL_ASCII", "EUC_JP")
#: Bytes that a database of this encoding holds and that are no UTF-8.
NO_TEXT: Mapping[str, str] = {"WIN1252": r"caf\x81", "SQL_ASCII": r"caf\xe9", "EUC_JP": r"caf\xf4\xa7"}

#: Row security: what is hidden from whom.
HIDDEN: Mapping[str, tuple[str, str]] = {
    "nothing": ("", ""),
    "of the reader": (
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY half ON users USING (id::text < '8')",
        "",
    ),
    "from others": (
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY;"
        " CREATE POLICY half ON users USING (id::text < '8')",
        "",
    ),
    "of the writer": (
        "",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY half ON users USING (status = 'active')",
    ),
}

_FUNCTION = "CREATE FUNCTION hostile() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
_TRIGGER = "CREATE TRIGGER hostile {when} ON {table} FOR EACH ROW EXECUTE FUNCTION hostile()"
_THIRD = "get_byte(uuid_send(NEW.{key}), 15) % 3 = 0"


def _trigger(table: str, body: str, when: str = "BEFORE INSERT OR UPDATE") -> str:
    return (_FUNCTION + _TRIGGER).format(table=table, body=body, when=when)


#: Triggers and rules of the target.
TRIGGERS: Mapping[str, str] = {
    "none": "",
    "keeps users out": _trigger("users", f"IF {_THIRD.format(key='id')} THEN RETURN NULL; END IF; RETURN NEW;"),
    "refuses jobs": _trigger("backup_jobs", f"IF {_THIRD.format(key='id')} THEN RAISE 'no %', NEW; END IF; RETURN NEW;"),
    "changes names": _trigger("users", "NEW.last_name := upper(NEW.last_name) || '!'; RETURN NEW;"),
    "changes tokens later": _trigger(
        "personal_access_tokens", "IF NEW.description <> 'theirs' THEN UPDATE personal_access_tokens SET description = 'theirs'"
        " WHERE id = NEW.id; END IF; RETURN NULL;", "AFTER INSERT OR UPDATE"
    ),
    "swallows logs": "CREATE RULE hostile AS ON INSERT TO backup_job_logs DO INSTEAD NOTHING",
    "takes sessions away": _trigger(
        "sessions", f"IF {_THIRD.format(key='id')} THEN DELETE FROM sessions WHERE id = NEW.id; END IF; RETURN NULL;", "AFTER INSERT"
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """What happens between two runs, in the legacy database and in the target."""

    legacy: str = ""
    target: str = ""


#: DDL between two runs; rows change beside it.
CHANGES: Mapping[str, Change] = {
    "rows alone": Change("UPDATE users SET name = name || ' x', updated_at = now(); UPDATE backup_job_logs SET log_text = 'more'"),
    "a column anew": Change(
        "ALTER TABLE permissions DROP COLUMN label, ADD COLUMN label text NOT NULL DEFAULT 'Anew';"
        " UPDATE backup_jobs SET note = 'changed'"
    ),
    "columns that change their names": Change(
        "ALTER TABLE permissions RENAME COLUMN label TO other; ALTER TABLE permissions RENAME COLUMN group_label TO label;"
        " ALTER TABLE permissions RENAME COLUMN other TO group_label"
    ),
    "a child with old rows": Change("ALTER TABLE older INHERIT permissions"),
    "a column that is needed goes": Change("ALTER TABLE backup_jobs DROP COLUMN status"),
    "a table goes": Change("DROP TABLE personal_tokens"),
    "another type": Change("ALTER TABLE backup_jobs ALTER COLUMN size_bytes TYPE text USING size_bytes::text || ' bytes'"),
    "a policy comes": Change(HIDDEN["of the reader"][0].replace("half", "late")),
    "a narrower target": Change(
        "UPDATE users SET name = 'Somebody Verylong', updated_at = now()", "ALTER TABLE users ALTER COLUMN last_name TYPE varchar(4)"
    ),
    "a stricter target": Change(
        "UPDATE backup_jobs SET note = 'refused' WHERE id::text < 'c0000012-0000-4000-8000-000000000004'",
        "ALTER TABLE backup_jobs ADD CONSTRAINT theirs CHECK (note <> 'refused') NOT VALID",
    ),
}  # fmt: skip

VALUES = [case for case in cases() if case.table.name in _LEGACY]


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix. `values`: rows that the legacy database has beside those of the template."""

    settings: str = "plain"
    encoding: str = "UTF8"
    hidden: str = "nothing"
    trigger: str = "none"
    change: str = "rows alone"
    values: tuple[Case, ...] = ()

    def __repr__(self) -> str:
        shown = [f"{case.table.name}.{case.column.name} = {str(case.value)[:40]!r}" for case in self.values]
        levels = ("settings", "encoding", "hidden", "trigger", "change")
        return f"Cell({', '.join(f'{name}={getattr(self, name)!r}' for name in levels)}, values={shown})"


VALUE_LISTS = st.lists(st.sampled_from(VALUES), min_size=4, max_size=12, unique_by=id).map(tuple)
#: Mostly nothing is hidden: what a policy hides is refused, and then little else is tried.
CELLS = st.builds(
    Cell,
    st.sampled_from(SETTINGS),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["nothing"] * 4 + sorted(HIDDEN)),
    st.sampled_from(sorted(TRIGGERS)),
    st.sampled_from(sorted(CHANGES)),
    VALUE_LISTS,
)


def sample(count: int) -> list[Cell]:
    """So many cells without values, in which each dimension goes through its levels in turn."""
    dimensions = (SETTINGS, ENCODINGS, ("nothing", *HIDDEN, "nothing"), TRIGGERS, CHANGES)
    return [Cell(*levels) for levels in islice(zip(*(cycle(levels) for levels in dimensions), strict=False), count)]
