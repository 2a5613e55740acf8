"""The target as its catalogue has it, as far as a part of a profile can be about it.

Belongs here: reading it. Does not belong here: what a part comes to (see standing).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from psycopg import sql

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)


@dataclass(frozen=True)
class CatalogueColumn:
    """One column: its type, without and with its limits, whether it may be null, and what it is by default where it may not."""

    type: str
    full_type: str
    nullable: bool = True
    default: str | None = None


@dataclass(frozen=True)
class Catalogue:
    """One schema. `columns` by table and name; `kinds`: of each relation (r, p, v, …); `uniques`: the columns of each unique
    index by table, sorted; `casts`: by type the context of the cast from text to it (e, a, i); `triggers`: (table, name);
    `grants`: (role, permission).
    """

    kinds: Mapping[str, str]
    owners: Mapping[str, str]
    columns: Mapping[tuple[str, str], CatalogueColumn]
    labels: frozenset[tuple[str, str]]
    enums: frozenset[str]
    uniques: frozenset[tuple[str, tuple[str, ...]]]
    casts: Mapping[str, str]
    triggers: frozenset[tuple[str, str]]
    permissions: frozenset[str] = frozenset()
    grants: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def read(cls, session: Session, schema: str) -> "Catalogue":
        """The schema as it is now."""
        at = {"schema": schema}
        relations = session.rows(SQL["relations"], at)
        labels = session.rows(SQL["labels"], at)
        return cls(
            kinds={name: kind for name, kind, _ in relations},
            owners={name: owner for name, _, owner in relations},
            columns={
                (table, name): CatalogueColumn(*shape) for table, name, *shape in session.rows(SQL["columns"], at)
            },
            labels=frozenset((enum, label) for enum, label in labels),
            enums=frozenset(enum for enum, _ in labels),
            uniques=frozenset((table, tuple(sorted(names))) for table, names in session.rows(SQL["uniques"], at)),
            casts=dict(session.rows(SQL["casts"], at)),
            triggers=frozenset((table, name) for table, name in session.rows(SQL["triggers"], at)),
        )

    def with_grants(self, session: Session, schema: str) -> "Catalogue":
        """The same, with the permissions and grants that there are."""
        if not {"permissions", "role_permissions"} <= self.kinds.keys():
            return self
        names = {name: sql.Identifier(schema, name) for name in ("permissions", "role_permissions")}
        keys = session.rows(SQL["permissions"].format(**names))
        grants = session.rows(SQL["grants"].format(**names))
        return replace(
            self, permissions=frozenset(key for (key,) in keys), grants=frozenset((role, key) for role, key in grants)
        )
