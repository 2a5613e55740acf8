"""The triggers that keep a table of the application's settings and rows of the redesign in step, as statements.

Each side has what the other says of each column, its image. A trigger writes only what differs from it, so that the other one
finds nothing to do: there is no loop. All of them take one advisory lock before they touch a row, so that writers of both sides wait for
each other and do not lock crosswise. A value that one side cannot hold is null there, and does not come back as such.
Belongs here: these statements. Does not belong here: which column is what (`schemas.application.settings`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Boolean

from remoteiq_etl.lifecycle.application.catalogue import Catalogue, CatalogueColumn
from remoteiq_etl.lifecycle.application.standing import type_of
from remoteiq_etl.postgres.statements import statements
from schemas.application.model import PairColumn, PairPart

SQL = statements(__file__)

#: By source the beginning of the names of its statements.
_KINDS = {"organization_settings": "settings", "email_channels": "channels", "dkim_keys": "dkim"}
_INTEGERS = frozenset({"smallint", "integer", "bigint"})


@dataclass(frozen=True)
class PairStatements:
    """The statements about one pair in one target. `organization`: the slug of the one whose settings these are."""

    part: PairPart
    schema: str
    organization: str
    catalogue: Catalogue

    def make(self) -> Sequence[sql.Composable]:
        """Functions and triggers, and then what either side says already: the redesign's, where it says anything."""
        kind = _KINDS[self.part.source]
        functions = [
            self._filled(f"{kind}_to_table"),
            self._filled(f"{kind}_from_table"),
            self._filled("lock_function"),
        ]
        triggers = [self._filled(name) for name in ("lock_source", "lock_table", "on_source", "on_table")]
        return [*functions, *triggers, self._filled(f"{kind}_first"), self._filled(f"{kind}_first_back")]

    def unmake(self) -> Sequence[sql.Composable]:
        """What takes the triggers and functions away; the rows of both sides stay."""
        return [self._filled(name) for name in ("drop_triggers", "drop_table_triggers", "drop_functions")]

    def out_of_step(self) -> sql.Composable:
        """Whether the table says anything that the redesign does not."""
        return self._filled(f"{_KINDS[self.part.source]}_out_of_step")

    def _filled(self, name: str) -> sql.Composable:
        return SQL[name].format(**self._names)

    @property
    def _names(self) -> dict[str, sql.Composable]:
        part, base = self.part, self.part.trigger
        return {
            "table": sql.Identifier(self.schema, part.table.name),
            "source": sql.Identifier(self.schema, part.source),
            "domains": sql.Identifier(self.schema, "dkim_domains"),
            "purposes": sql.Identifier(self.schema, "email_channel_purpose"),
            "owner": self._owner,
            "chosen": SQL["dkim_chosen"].format(
                owner=self._owner,
                source=sql.Identifier(self.schema, part.source),
                domains=sql.Identifier(self.schema, "dkim_domains"),
            ),
            "is_key": self._is_purpose("key"),
            "is_purpose": self._is_purpose("replace(lower(a.name COLLATE \"C\"), ' ', '_')"),
            "enabled_of_a": next(
                (self._image(one, "a") for one in part.columns if one.column == "enabled"), sql.SQL("")
            ),
            "trigger": sql.Identifier(base),
            "lock": sql.Identifier(f"{base}_lock"),
            "to_table": sql.Identifier(self.schema, f"{base}_to"),
            "from_table": sql.Identifier(self.schema, f"{base}_from"),
            "lock_function": sql.Identifier(self.schema, f"{base}_lock"),
            "columns": _listed([sql.Identifier(one.column) for one in part.columns]),
            "own": _listed([sql.Identifier("t", one.column) for one in part.columns]),
            "images_of_new": self._images("NEW"),
            "images_of_a": self._images("a"),
            "says_new": self._says("NEW"),
            "says_old": self._says("OLD"),
            "says_a": self._says("a"),
            "pushes": sql.SQL("\n").join(self._push(one) for one in part.columns),
            "purpose_type": sql.SQL(self._key("purpose").full_type),
            "id_type": sql.SQL(self._key("id").full_type),
            "documents": _listed([sql.Identifier(name) for name in self._documents]),
            "documents_of_a": _listed([sql.Identifier("a", name) for name in self._documents]),
        }

    @property
    def _documents(self) -> list[str]:
        return sorted({one.document for one in self.part.columns})

    @property
    def _owner(self) -> sql.Composable:
        """The organization whose settings these are; null before it is there."""
        query = "(SELECT o.id FROM {organizations} AS o WHERE o.slug = {slug})"
        organizations = sql.Identifier(self.schema, "organizations")
        return sql.SQL(query).format(organizations=organizations, slug=sql.Literal(self.organization))

    def _is_purpose(self, key: str) -> sql.Composable:
        """Whether the table can hold a purpose: one that is an enum type has no other than its labels."""
        live = self._key("purpose")
        if live.type == "text" or live.type.startswith("character"):
            return sql.SQL("true")
        labels = "{key} = ANY (enum_range(NULL::{kind})::text[])"
        return sql.SQL(labels).format(key=sql.SQL(key), kind=sql.SQL(live.full_type))

    def _key(self, column: str) -> CatalogueColumn:
        has_it = column in self.part.table.columns
        return self._live(column) if has_it else CatalogueColumn("text", "text")

    # --- one column -----------------------------------------------------------------------------------------------

    def _images(self, row: str) -> sql.Composable:
        return _listed([self._image(one, row) for one in self.part.columns])

    def _image(self, one: PairColumn, row: str) -> sql.Composable:
        """What a row of the redesign says of a column, in the type of that column; null where it cannot hold it."""
        live, text = self._live(one.column), self._text(one, row)
        if live.type == "boolean":
            value = sql.SQL("(CASE lower({0} COLLATE \"C\") WHEN 'true' THEN true WHEN 'false' THEN false END)").format(
                text
            )
        elif live.type in _INTEGERS:
            digits = sql.Literal(f"^[0-9]{{1,{4 if live.type == 'smallint' else 9}}}$")
            value = sql.SQL("(CASE WHEN {0} ~ {1} THEN {0}::{2} END)").format(text, digits, sql.SQL(live.type))
        else:
            value = sql.SQL("({})::{}").format(text, sql.SQL(live.full_type))
        others = [one.otherwise.replace("{row}", row)] if one.otherwise else []
        others += [] if live.nullable else [live.default or _nothing(live.type)]
        if not others:
            return value
        return sql.SQL("coalesce({}, {})").format(value, _listed([_raw(text) for text in others]))

    @staticmethod
    def _text(one: PairColumn, row: str) -> sql.Composable:
        path = sql.Literal("{" + ",".join(one.path) + "}")
        return sql.SQL("({}.{} #>> {})").format(sql.SQL(row), sql.Identifier(one.document), path)

    def _says(self, row: str) -> sql.Composable:
        """Whether a row of the redesign has a value for any of the columns."""
        if not self.part.columns:
            return sql.SQL("true")
        found = [sql.SQL("{} IS NOT NULL").format(self._text(one, row)) for one in self.part.columns]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(found))

    def _push(self, one: PairColumn) -> sql.Composable:
        """Take a column that is not what the redesign says over to it; of a new row nothing is taken out."""
        column, document = sql.Identifier("new", one.column), sql.Identifier("a", one.document)
        declared = self.part.table.columns[one.column].type
        value = sql.SQL(
            "to_jsonb({})" if isinstance(declared, Boolean) or self._is_number(one) else "to_jsonb({}::text)"
        )
        above: sql.Composable = document
        if len(one.path) > 1:
            above = sql.SQL("jsonb_build_object({}, '{{}}'::jsonb) || {}").format(sql.Literal(one.path[0]), document)
        return SQL["push"].format(
            column=column,
            image=self._image(one, "a"),
            document=document,
            above=above,
            path=sql.Literal("{" + ",".join(one.path) + "}"),
            value=value.format(column),
        )

    def _is_number(self, one: PairColumn) -> bool:
        return type_of(self.part.table.columns[one.column]) in _INTEGERS

    def _live(self, column: str) -> CatalogueColumn:
        """The column as it is, or will be."""
        declared = type_of(self.part.table.columns[column])
        return self.catalogue.columns.get((self.part.table.name, column), CatalogueColumn(declared, declared))


def _nothing(type_: str) -> str:
    """What stands for nothing in a column that must not be null and has no default."""
    return {"boolean": "false"}.get(type_, "0" if type_ in _INTEGERS else "''")


def _raw(text: str) -> sql.Composable:
    return sql.SQL(text.replace("{", "{{").replace("}", "}}")).format()


def _listed(parts: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(parts)
