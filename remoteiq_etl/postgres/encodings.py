"""Texts of a database that are no UTF-8, and cannot be made such: they are told apart by the server, before it sends them.

A SQL_ASCII database keeps whatever bytes it was given; other encodings have bytes that stand for no character. The server
ends a statement that sends one such text to a session of UTF-8, so one row would stop its table. Belongs here: which texts
those are, and how they are shown instead. Does not belong here: what becomes of their rows (remoteiq_etl.backfill.transform).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

#: Bytes of encodings of one byte that stand for no character. Asked of the server; it knows others of one byte whole.
UNDEFINED = {
    "ISO_8859_6": "a1-a3 a5-ab ae-ba bc-be c0 db-df f3-ff",
    "ISO_8859_7": "ae d2 ff",
    "ISO_8859_8": "a1 bf-de fb-fc ff",
    "LATIN3": "a5 ae be c3 d0 e3 f0",
    "WIN1250": "81 83 88 90 98",
    "WIN1251": "98",
    "WIN1252": "81 8d 8f-90 9d",
    "WIN1253": "81 88 8a 8c-90 98 9a 9c-9f aa d2 ff",
    "WIN1254": "81 8d-90 9d-9e",
    "WIN1255": "81 8a 8c-90 9a 9c-9f ca d9-df fb-fc ff",
    "WIN1257": "81 83 88 8a 8c 90 98 9a 9c 9f a1 a5",
    "WIN1258": "81 8a 8d-90 9a 9d-9e",
    "WIN874": "81-84 86-90 98-9f db-de fc-ff",
}
#: UTF-8 as PostgreSQL itself judges it: no surrogates, nothing longer than need be, nothing above U+10FFFF.
_UTF8 = (
    r"^([\u0001-\u007f]|[\u00c2-\u00df][\u0080-\u00bf]|\u00e0[\u00a0-\u00bf][\u0080-\u00bf]"
    r"|[\u00e1-\u00ec\u00ee\u00ef][\u0080-\u00bf]{2}|\u00ed[\u0080-\u009f][\u0080-\u00bf]"
    r"|\u00f0[\u0090-\u00bf][\u0080-\u00bf]{2}|[\u00f1-\u00f3][\u0080-\u00bf]{3}|\u00f4[\u0080-\u008f][\u0080-\u00bf]{2})*$"
)


@dataclass(frozen=True)
class Unreadable:
    """The texts of a database that cannot be sent: those that match a pattern of bytes, or (`otherwise`) that do not."""

    pattern: str
    otherwise: bool = False

    def condition(self, text: sql.Composable) -> sql.Composed:
        """Whether a text is such a one; NULL is none."""
        # A pattern goes as E'': what a backslash is must not depend on the session.
        return sql.SQL("({} {} {})").format(text, sql.SQL("!~" if self.otherwise else "~"), sql.Literal(self.pattern))

    def names(self, columns: Sequence[tuple[str, sql.Composable]]) -> sql.Composed:
        """The names of those columns (name, text) of a row that hold such a text, as a JSON array; NULL where none does."""
        found = [
            sql.SQL("CASE WHEN {} THEN {} END").format(self.condition(text), sql.Literal(name))
            for name, text in columns
        ]
        return sql.SQL("nullif(array_to_json(array_remove(ARRAY[{}]::text[], NULL))::text, '[]')").format(
            sql.SQL(", ").join(found)
        )


def unreadable_in(encoding: str) -> Unreadable | None:
    """The texts of a database of this encoding that cannot be sent as UTF-8; None where every text can."""
    if encoding == "SQL_ASCII":
        return Unreadable(_UTF8, otherwise=True)
    if encoding in UNDEFINED:
        ranges = "".join("-".join(f"\\u00{byte}" for byte in part.split("-")) for part in UNDEFINED[encoding].split())
        return Unreadable(f"[{ranges}]")
    return None


def shown(text: sql.Composable) -> sql.Composed:
    """A text with each byte beyond ASCII in octal, which every session can read."""
    return sql.SQL("encode(convert_to({}, getdatabaseencoding()), 'escape')").format(text)


def as_json(unreadable: Unreadable | None, value: sql.Composable) -> sql.Composed:
    """A value of any type as JSON; as the JSON of what its text is shown as, where that holds bytes that cannot be sent."""
    plain, text = sql.SQL("to_json({})").format(value), sql.SQL("{}::text").format(value)
    if unreadable is None:
        return plain
    template = sql.SQL("CASE WHEN {} THEN to_json({}) ELSE {} END")
    return template.format(unreadable.condition(text), shown(text), plain)


def readable(unreadable: Unreadable | None, value: sql.Composable, kind: str = "text") -> sql.Composable:
    """A value of this type ("text", "jsonb", "text[]"), or where it holds bytes that cannot be sent, what it is shown as."""
    if unreadable is None:
        return value
    text = value if kind == "text" else sql.SQL("{}::text").format(value)
    instead = {"text": "{}", "jsonb": "to_jsonb({})", "text[]": "ARRAY[{}]"}[kind]
    return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
        unreadable.condition(text), sql.SQL(instead).format(shown(text)), value
    )
