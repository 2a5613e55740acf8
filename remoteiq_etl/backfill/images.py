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

from remoteiq_etl.backfill import jsons
from remoteiq_etl.backfill.database import Session, load_sql
from remoteiq_etl.backfill.redact import is_secret
from remoteiq_etl.backfill.sealing import Place, Sealer
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.staging import cast_type

TABLE = "before_images"
#: Images whose secrets are read and sealed at a time: a message may have a megabyte.
SEALED_AT_A_TIME = 100


def place_of(image_id: int, table: str, new_key: str, column: str) -> Place:
    """The place that a sealed value of a before image is bound to."""
    return (TABLE, str(image_id), table, new_key, column)


@dataclass(frozen=True)
class Image:
    """The image of rows (t) of one target table, over these columns."""

    columns: Sequence[Column[Any]]
    state_schema: str

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
    before_images: sql.Identifier
    sealer: Sealer | None

    def write(self, session: Session, statement: sql.Composable, parameters: dict[str, Any]) -> None:
        """Run a statement that writes images and returns the ids of those that hide something.

        Needs the transaction of the change, before the change: the hidden values are read from the rows.
        """
        ids = [row[0] for row in session.rows(statement, parameters)]
        if self.sealer is not None:
            for at in range(0, len(ids), SEALED_AT_A_TIME):
                self._seal(session, self.sealer, ids[at : at + SEALED_AT_A_TIME])

    def _seal(self, session: Session, sealer: Sealer, ids: list[int]) -> None:
        names = {"before_images": self.before_images, "target": self.target}
        found = session.rows(
            load_sql("hidden_values").format(**names, key_join=text_join(self.spec, "b")), {"ids": ids}
        )
        sealed = [
            {"id": image, "sealed": _sealed(sealer, self.spec.name, image, key, values)} for image, key, values in found
        ]
        statement = load_sql("seal_images").format(**names, key_id=sql.Literal(sealer.key_id))
        session.execute(statement, {"rows": jsons.dumps(sealed)})


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
