"""The expected target rows of the edge-case data set, typed as psycopg returns them, and their comparison.

Belongs here: reading `tests/expected`, with identity computed by a few lines of our own. Does not belong here: anything
imported from the program that decides what a row becomes; these lines are the second opinion.

Tags beside those of the data set: `!id [table, legacy table, key …]` a derived id; `!org` the organization's id;
`!sha256 text`; `!base64 text` (or a list of texts) of one byte for each character; `!listing {item, times}`;
`!setting column` of organization_settings; `!all_but [key …]` of the catalogue; `!default` what the column's
default gives at insert; `!any`; `!nonempty`.
"""

import base64
import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import yaml

from remoteiq_etl.fixtures.edge_cases.yaml_tags import DataLoader, construct_parts, read_yaml

DIRECTORY = Path(__file__).parents[1] / "expected"
FACTS = Path(__file__).parents[1] / "facts"
NOT_TABLES = frozenset({"outcomes", "archive", "seeds", "variants"})

PROJECT_NAMESPACE = UUID("0d6e7c1e-9a53-4f0b-8f0e-2b9f3a6f5c11")
SOURCE = "default"

Row = dict[str, Any]


@dataclass(frozen=True)
class Marker:
    """A value that is known by its kind only."""

    name: str
    accepts: Callable[[Any], bool]

    def __repr__(self) -> str:
        return f"!{self.name}"


def _is_recent(value: object) -> bool:
    return isinstance(value, datetime) and abs(datetime.now(UTC) - value) < timedelta(days=1)


ANY = Marker("any", lambda _value: True)
NONEMPTY = Marker("nonempty", lambda value: isinstance(value, str) and bool(value.strip()))
DEFAULT = Marker("default", _is_recent)
"""What now() gave at insert. Every other default is written out in the files."""

OFF = Marker("off", lambda value: isinstance(value, dict) and value.get("enabled") is False)

MARKERS = (ANY, NONEMPTY, DEFAULT)


def identity(*parts: str) -> str:
    """Return the derived id of a target table, a legacy table and a key, as text."""
    namespace = uuid5(PROJECT_NAMESPACE, SOURCE)
    name = json.dumps(list(parts), ensure_ascii=False, separators=(",", ":"))
    return str(UUID(bytes=uuid5(namespace, name).bytes, version=4))


def expected_tables() -> list[str]:
    return sorted(path.stem for path in DIRECTORY.glob("*.yaml") if path.stem not in NOT_TABLES)


@cache
def expected_rows(table: str) -> list[Row]:
    """Return the rows of one target table, every column typed as psycopg returns it, or a Marker."""
    return _typed_rows({table: raw_rows(table)})[table]


def raw_rows(table: str) -> list[Row]:
    document = _document(table)
    return [{**document.get("defaults", {}), **row} for row in document["rows"]]


def key_of(table: str) -> list[str]:
    """Return the columns by which expected and actual rows are matched: the primary key, or what the file says."""
    key: list[str] = _document(table).get("key") or primary_key("target", table)
    return key


def differences(table: str, actual: Iterable[Mapping[str, Any]], *, seeded: bool = True) -> list[str]:
    """Return what differs, one line for each missing or surplus row and each cell. Seeds are rows, too."""
    key = key_of(table)
    rows = [*expected_rows(table), *(seed_rows(table) if seeded else [])]
    expected = {_key(row, key): row for row in rows}
    found = {_key(row, key): row for row in actual}
    lines = [f"{table} {k}: missing" for k in expected.keys() - found.keys()]
    lines += [f"{table} {k}: not expected" for k in found.keys() - expected.keys()]
    for k in expected.keys() & found.keys():
        lines += _cells(f"{table} {k}", expected[k], found[k])
    return sorted(lines)


@cache
def outcomes() -> Mapping[str, Any]:
    document: Mapping[str, Any] = read_yaml(DIRECTORY / "outcomes.yaml", ExpectedLoader)
    return document


@cache
def seeds() -> Mapping[str, Any]:
    document: dict[str, Any] = read_yaml(DIRECTORY / "seeds.yaml", ExpectedLoader)
    every = sorted(key for keys in document["permissions"].values() for key in keys)
    roles = {
        name: [key for key in every if key not in given["all_but"]] if isinstance(given, dict) else given
        for name, given in document["system_roles"].items()
    }
    return {**document, "system_roles": roles}


def seed_rows(table: str) -> list[Row]:
    """Return the rows that the seeds add to those of the data set. What a row is called otherwise is the program's choice."""
    rows: list[Row] = {
        "permissions": _seeded_permissions,
        "roles": _seeded_roles,
        "role_permissions": _seeded_grants,
        "checks": lambda: [_seeded(table, name, config=OFF) for name in seeds()[table]],
        "backup_policies": lambda: [
            _seeded(table, name, options=OFF, is_default=False, destination_id=None, target_id=None)
            for name in seeds()[table]
        ],
    }.get(table, list)()
    return _typed_rows({table: rows})[table]


def _seeded_permissions() -> list[Row]:
    there = {row["permission_key"] for row in raw_rows("permissions")}
    return [
        {"permission_key": key, "label": NONEMPTY, "group_key": group, "group_label": NONEMPTY, "created_at": DEFAULT}
        for group, keys in seeds()["permissions"].items()
        for key in keys
        if key not in there
    ]


def _seeded_roles() -> list[Row]:
    return [
        {"id": identity("roles", "seed", name.casefold()), "organization_id": None, "scope": "system", "name": name}
        for name in seeds()["system_roles_made"]
    ]


def _seeded_grants() -> list[Row]:
    return [
        {"role_id": identity("roles", "seed", name.casefold()), "permission_key": key, "granted_by": None}
        for name in seeds()["system_roles_made"]
        for key in seeds()["system_roles"][name]
    ]


def _seeded(table: str, name: str, **more: Any) -> Row:
    organization = identity("organizations", "derived", "default")
    return {"id": identity(table, "seed", name.casefold()), "organization_id": organization, "name": name, **more}


@cache
def archive() -> Mapping[str, Any]:
    document: Mapping[str, Any] = read_yaml(DIRECTORY / "archive.yaml", ExpectedLoader)
    return document


@dataclass(frozen=True)
class Variant:
    """A change of the data set for a rule that excludes one which the data set itself needs."""

    name: str
    changes: tuple[str, ...]
    rows: Mapping[str, list[Row]]
    absent: Mapping[str, list[Row]]

    def differences(self, table: str, actual: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return what differs in the rows and columns that the variant names; it says nothing about others."""
        key = primary_key("target", table)
        found = {_key(row, key): row for row in actual}
        wanted = {_key(row, key): row for row in self.rows.get(table, [])}
        lines = [f"{table} {k}: missing" for k in wanted.keys() - found.keys()]
        lines += [f"{table} {k}: not expected" for k in map(_keyed(key), self.absent.get(table, [])) if k in found]
        for k in wanted.keys() & found.keys():
            lines += _cells(f"{table} {k}", wanted[k], found[k])
        return sorted(lines)


@cache
def variants() -> list[Variant]:
    """Return the variants, rows and keys typed as psycopg returns them."""
    document: Mapping[str, Mapping[str, Any]] = read_yaml(DIRECTORY / "variants.yaml", ExpectedLoader)
    return [
        Variant(name, tuple(v["changes"]), _typed_rows(v.get("rows", {})), _typed_rows(v.get("absent", {})))
        for name, v in document.items()
    ]


@cache
def facts(name: str) -> list[dict[str, str]]:
    with (FACTS / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def column_types(side: str, table: str) -> dict[str, str]:
    return {fact["column_name"]: fact["type"] for fact in facts(f"{side}-columns") if fact["table_name"] == table}


def primary_key(side: str, table: str) -> list[str]:
    for fact in facts(f"{side}-constraints"):
        if fact["table_name"] == table and fact["kind"] == "primary key":
            return [column.strip() for column in fact["definition"].split("(")[1].rstrip(")").split(",")]
    raise LookupError(f"{side} table {table} has no primary key in the facts")


class ExpectedLoader(DataLoader):
    """The data set's YAML with the tags of expectations."""


def _typed_rows(tables: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    return {
        table: [{c: _typed(v, column_types("target", table)[c]) for c, v in row.items()} for row in rows]
        for table, rows in tables.items()
    }


def _keyed(key: list[str]) -> Callable[[Row], tuple[Any, ...]]:
    return lambda row: _key(row, key)


def _key(row: Mapping[str, Any], key: list[str]) -> tuple[Any, ...]:
    return tuple(row[column] for column in key)


def _cells(where: str, expected: Row, found: Mapping[str, Any]) -> list[str]:
    return [
        f"{where}.{column}: expected {_short(want)}, found {_short(found.get(column))}"
        for column, want in expected.items()
        if not _equal(want, found.get(column))
    ]


def _equal(want: object, found: object) -> bool:
    """Python takes True for 1, also inside JSON; a column does not."""
    if isinstance(want, Marker):
        return want.accepts(found)
    if isinstance(want, dict | list | bool):
        return json.dumps(want, sort_keys=True) == json.dumps(found, sort_keys=True, default=repr)
    return want == found and not isinstance(found, bool)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"


def _typed(value: Any, column_type: str) -> Any:
    if value is None or isinstance(value, Marker):
        return value
    convert = _CONVERSIONS.get(column_type)
    return convert(value) if convert else value


def _inet(value: str) -> object:
    return ip_interface(value) if "/" in value else ip_address(value)


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value)


_CONVERSIONS: Mapping[str, Callable[[str], Any]] = {
    "uuid": UUID,
    "timestamp with time zone": _time,
    "inet": _inet,
}


@cache
def _document(table: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = read_yaml(DIRECTORY / f"{table}.yaml", ExpectedLoader)
    return document


def _texts(node: yaml.Node) -> list[str]:
    """The elements as they are written, so that a number keeps its digits."""
    return [element.value for element in node.value]


def _setting(loader: ExpectedLoader, node: yaml.ScalarNode) -> object:
    return raw_rows("organization_settings")[0][loader.construct_scalar(node)]


def _base64(loader: ExpectedLoader, node: yaml.Node) -> str:
    return base64.b64encode("".join(construct_parts(loader, node)).encode("latin-1")).decode("ascii")


def _listing(loader: ExpectedLoader, node: yaml.MappingNode) -> list[Any]:
    given = loader.construct_mapping(node, deep=True)
    return [given["item"]] * int(given["times"])


def _sha256(loader: ExpectedLoader, node: yaml.ScalarNode) -> str:
    return hashlib.sha256(str(loader.construct_scalar(node)).encode()).hexdigest()


ExpectedLoader.add_constructor("!id", lambda _loader, node: identity(*_texts(node)))
ExpectedLoader.add_constructor("!org", lambda _loader, _node: identity("organizations", "derived", "default"))
ExpectedLoader.add_constructor("!setting", _setting)
ExpectedLoader.add_constructor("!all_but", lambda _loader, node: {"all_but": _texts(node)})
ExpectedLoader.add_constructor("!base64", _base64)
ExpectedLoader.add_constructor("!listing", _listing)
ExpectedLoader.add_constructor("!sha256", _sha256)
for _marker in MARKERS:
    ExpectedLoader.add_constructor(f"!{_marker.name}", lambda _loader, _node, marker=_marker: marker)
