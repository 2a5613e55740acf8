"""Texts of a database that are no UTF-8, and cannot be made such: they are told apart by the server, before it sends them.

A SQL_ASCII database keeps whatever bytes it was given; others have bytes that stand for no character of UTF-8. The server
ends a statement that sends one such text to a session of UTF-8, so one row would stop its table. Belongs here: which texts
those are, and how they are shown instead. Does not belong here: what becomes of their rows (remoteiq_etl.backfill.transform).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

#: What of an encoding has no equivalent in UTF-8: the bytes of a character, as one number. Asked of the server; encodings of one
#: byte that are not named here have none. Characters of four bytes (EUC_TW) are beyond what its patterns can name.
UNDEFINED = {
    "EUC_CN": "a2a1-a2b0 a2e3-a2e4 a2ef-a2f0 a2fd-a2fe a4f4-a4fe a5f7-a5fe a6b9-a6c0 a6d9-a6fe a7c2-a7d0 a7f2-a7fe a8bb-a8c4"
    " a8ea-a9a3 a9f0-affe d7fa-d7fe f8a1-fefe",
    "EUC_JIS_2004": "a4fc-a4fe a8df-a8e6 a8fd-a8fe acf4-acfc add8-adde adf0-adf2 adf4-adf7 adfa-adfc 8fa2a1-8fa2fe"
    " 8fa6a1-8fa7fe 8fa9a1-8fabfe 8fb0a1-8fedfe 8ffef7-8ffefe",
    "EUC_JP": "a2af-a2b9 a2c2-a2c9 a2d1-a2db a2eb-a2f1 a2fa-a2fd a3a1-a3af a3ba-a3c0 a3db-a3e0 a3fb-a3fe a4f4-a4fe a5f7-a5fe"
    " a6b9-a6c0 a6d9-a6fe a7c2-a7d0 a7f2-a7fe a8c1-acfe adbf add7-adde adfd-affe cfd4-cffe f4a7-fefe 8fa1a1-8fa2ae 8fa2b7"
    " 8fa2ba-8fa2c1 8fa2c5-8fa2ea 8fa2f2-8fa6e0 8fa6e6 8fa6e8 8fa6eb 8fa6ed-8fa6f0 8fa6fd-8fa7c1 8fa7cf-8fa7f1 8fa8a1-8fa8fe"
    " 8fa9a3 8fa9a5 8fa9a7 8fa9aa 8fa9ae 8fa9b1-8fa9c0 8fa9d1-8fa9fe 8faab9 8faaf8-8faafe 8fabbc 8fabc4 8fabf8-8faffe"
    " 8fede4-8ff3f2 8ff5a1-8ffefe",
    "EUC_KR": "a2e9-a2fe a5ab-a5af a5ba-a5c0 a5d9-a5e0 a5f9-a5fe a6e5-a6fe a7f0-a7fe a8a5 a8a7 a8b0 aaf4-aafe abf7-abfe"
    " acc2-acd0 acf2-affe c9a1-c9fe fea1-fefe",
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
        ranges = "".join("-".join(f"\\U{code:0>8}" for code in part.split("-")) for part in UNDEFINED[encoding].split())
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
