"""Before images: target rows as they were before we changed or removed them, so that an undo can put them back.

Secrets are left out of an image; with a sealing key they are sealed beside it, without one the image names them as
withheld. Belongs here: what an image shows, and sealing the rest. Does not belong here: which rows get an image (see merge,
replace), how sealing works (see sealing).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Column
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import cast_type
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.sensitive.sealing import Place, Sealer
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)

TABLE = "before_images"
#: Images whose secrets are read and sealed at a time: a message may have a megabyte.
SEALED_AT_A_TIME = 100


def place_of(image_id: int, table: str, new_key: str, column: str) -> Place:
    """The place that a sealed value of a before image is bound to."""
    return (TABLE, str(image_id), table, new_key, column)


def outside(spec: TableSpec) -> list[str]:
    """The columns that say nothing about whether somebody edited a row: activity, and when it was last written."""
    return [*spec.activity, "updated_at"]


def picked_hash(
    state_schema: str, row: sql.Composable, columns: sql.Composable, without: Sequence[str]
) -> sql.Composed:
    """The hash of a row over these columns (text[]) but some; the same for the same values, whatever order they stand in."""
    picked = sql.SQL("{}(to_jsonb({}), {}, {}::text[])").format(
        sql.Identifier(state_schema, "picked"), row, columns, sql.Literal(list(without))
    )
    return row_hash([picked])


def value_hash(value: sql.Composable) -> sql.Composed:
    """The hash of one value (jsonb), by which a value that no image shows is recognised."""
    return row_hash([sql.SQL("({})::text").format(value)])


@dataclass(frozen=True)
class Image:
    """The image of rows (t) of one target table, over these columns. `outside`: those that no comparison looks at."""

    columns: Sequence[Column[Any]]
    state_schema: str
    outside: Sequence[str]

    @classmethod
    def of(cls, spec: TableSpec, state_schema: str, names: Sequence[str] | None = None) -> "Image":
        """The image of a table's rows, over these columns (default: all)."""
        columns = [spec.target.columns[name] for name in names] if names is not None else list(spec.target.columns)
        return cls(columns, state_schema, outside(spec))

    @property
    def statement(self) -> dict[str, sql.Composable]:
        """What every statement that writes images is made of."""
        kept = ("row_hash", "hidden_hashes", "legacy_table", "legacy_key", "written_hash", "last_written")
        return {
            "image": self.shown,
            "hidden": self.hidden,
            "kept": sql.SQL(", ").join(map(sql.Identifier, kept)),
            "keeping": sql.SQL("{}, {}").format(self.row_hash, self._hidden_hashes),
        }

    @property
    def row_hash(self) -> sql.Composable:
        """The hash of the row over the image's columns."""
        names = sql.SQL("{}::text[]").format(sql.Literal([column.name for column in self.columns]))
        return picked_hash(self.state_schema, sql.Identifier("t"), names, self.outside)

    @property
    def _hidden_hashes(self) -> sql.Composable:
        """By column, the hash of each value that the image (i.image) lacks or holds without its secret parts."""
        hashed = sql.SQL("(SELECT jsonb_object_agg(h.name, encode({}, 'hex')) FROM unnest({}) AS h (name))")
        value = value_hash(sql.SQL("to_jsonb(t) -> h.name"))
        return hashed.format(value, self.hidden)

    @property
    def shown(self) -> sql.Composable:
        """The image: every column but the secret ones that have a value, JSON without its secrets."""
        items = [sql.SQL("{}, {}").format(sql.Literal(column.name), self._shown(column)) for column in self._public]
        return sql.SQL(" || ").join([*_objects(items), *map(_null, self._secret)])

    @property
    def hidden(self) -> sql.Composable:
        """The names of the columns whose value the image (i.image) lacks, or holds without its secret parts; as text[]."""
        secret = [_named_if(sql.SQL("t.{} IS NOT NULL").format(_name(column)), column) for column in self._secret]
        partly = [_named_if(_differs(column), column) for column in self._public if isinstance(column.type, pg.JSON)]
        names = sql.SQL(", ").join([*secret, *partly])
        return sql.SQL("array_remove(ARRAY[{}]::text[], NULL)").format(names)

    @property
    def _secret(self) -> list[Column[Any]]:
        return [column for column in self.columns if is_secret(column)]

    @property
    def _public(self) -> list[Column[Any]]:
        return [column for column in self.columns if not is_secret(column)]

    def _shown(self, column: Column[Any]) -> sql.Composable:
        if isinstance(column.type, pg.JSON):
            redacted = sql.Identifier(self.state_schema, "redacted")
            return sql.SQL("{}(t.{}::jsonb)").format(redacted, _name(column))
        return sql.SQL("t.{}").format(_name(column))


@dataclass(frozen=True)
class ImageWriter:
    """Writes the images of one target table, and seals what they hide when there is a key."""

    spec: TableSpec
    target: sql.Identifier
    state_schema: str
    sealer: Sealer | None

    @property
    def before_images(self) -> sql.Identifier:
        """The table of the images, quoted."""
        return sql.Identifier(self.state_schema, TABLE)

    def write(self, session: Session, statement: sql.Composable, parameters: dict[str, Any]) -> list[int]:
        """Run a statement that writes images and returns their ids, and whether they hide something. Returns the ids.

        Needs the transaction of the change, before the change: the hidden values are read from the rows. After it,
        `remember_left` is due, unless the rows were deleted.
        """
        images = session.rows(statement, parameters)
        hiding = [image for image, hides in images if hides]
        if self.sealer is not None:
            for at in range(0, len(hiding), SEALED_AT_A_TIME):
                self._seal(session, self.sealer, hiding[at : at + SEALED_AT_A_TIME])
        return [image for image, _ in images]

    def remember_left(self, session: Session, ids: Sequence[int]) -> None:
        """Remember what the rows of these images are after the change: who finds them otherwise, finds them edited."""
        if not ids:
            return
        schema, row = self.state_schema, sql.Identifier("t")
        columns = sql.SQL("{}(b.image, b.withheld, b.sealed)").format(sql.Identifier(schema, "image_columns"))
        statement = SQL["left_images"].format(
            before_images=self.before_images,
            target=self.target,
            key_join=text_join(self.spec, "b"),
            state=picked_hash(schema, row, columns, outside(self.spec)),
            activity=activity_hash(self.spec, schema, row),
        )
        session.execute(statement, {"ids": list(ids)})

    def _seal(self, session: Session, sealer: Sealer, ids: list[int]) -> None:
        names = {"before_images": self.before_images, "target": self.target}
        found = session.rows(SQL["hidden_values"].format(**names, key_join=text_join(self.spec, "b")), {"ids": ids})
        sealed = [
            {"id": image, "sealed": _sealed(sealer, self.spec.name, image, key, values)} for image, key, values in found
        ]
        statement = SQL["seal_images"].format(**names, key_id=sql.Literal(sealer.key_id))
        session.execute(statement, {"rows": json_text.dumps(sealed)})


def activity_hash(spec: TableSpec, state_schema: str, row: sql.Composable) -> sql.Composable:
    """The hash of a row over what stands outside the comparison."""
    names = sql.SQL("{}::text[]").format(sql.Literal(outside(spec)))
    return picked_hash(state_schema, row, names, ())


def _sealed(sealer: Sealer, table: str, image: int, key: str, values: dict[str, str]) -> dict[str, str]:
    return {name: sealer.seal(text, place_of(image, table, key, name)) for name, text in values.items()}


def text_join(spec: TableSpec, keyed: str, row: str = "t") -> sql.Composable:
    """The condition under which `new_key`, a text column of `keyed`, names a target row.

    It compares in the column's type, so that an index serves.
    """
    columns = [spec.target.columns[name] for name in spec.primary_key]
    texts = (
        [sql.SQL("{}.new_key")]
        if len(columns) == 1
        else [sql.SQL(f"({{}}.new_key::jsonb ->> {number})") for number in range(len(columns))]
    )
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}::{}").format(
            sql.Identifier(row, column.name), text.format(sql.Identifier(keyed)), sql.SQL(cast_type(column))
        )
        for column, text in zip(columns, texts, strict=True)
    )


def _objects(items: Sequence[sql.Composable]) -> Iterator[sql.Composable]:
    """JSON objects of these pairs. jsonb_build_object takes at most 100 arguments."""
    for at in range(0, max(len(items), 1), 50):
        yield sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(items[at : at + 50]))


def _null(column: Column[Any]) -> sql.Composable:
    """A secret column that is null hides nothing."""
    null = sql.SQL("CASE WHEN t.{} IS NULL THEN jsonb_build_object({}, NULL) ELSE '{{}}' END")
    return null.format(_name(column), sql.Literal(column.name))


def _differs(column: Column[Any]) -> sql.Composable:
    whole = sql.SQL("coalesce(to_jsonb(t.{}), 'null')").format(_name(column))
    return sql.SQL("i.image -> {} <> {}").format(sql.Literal(column.name), whole)


def _named_if(condition: sql.Composable, column: Column[Any]) -> sql.Composable:
    return sql.SQL("CASE WHEN {} THEN {} END").format(condition, sql.Literal(column.name))


def _name(column: Column[Any]) -> sql.Identifier:
    return sql.Identifier(column.name)
