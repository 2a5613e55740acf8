"""Every legacy column has one disposition, every target column something that fills it, and nothing is named that is not there."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from remoteiq_etl.inverse.inverse import recoveries
from remoteiq_etl.lifecycle.mapping.column_map import ColumnMap, column_map
from remoteiq_etl.lifecycle.mapping.document import markdown
from remoteiq_etl.spec.dispositions import Disposition, DispositionKind, archived, merged, retired
from remoteiq_etl.spec.table import TableSpec
from schemas import legacy, target
from tests.support.migrating import specs

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def found() -> ColumnMap:
    return column_map(specs())


def problems(changed: TableSpec | None = None, *, without: str | None = None) -> list[str]:
    declared: Mapping[str, TableSpec] = {name: spec for name, spec in specs().items() if name != without}
    return list(column_map({**declared, **({changed.name: changed} if changed else {})}).problems)


def changed(table: str, **more: Mapping[str, object]) -> TableSpec:
    """A declaration with these entries beside its own; None takes one away."""
    spec = specs()[table]
    fields = {name: {**getattr(spec, name), **entries} for name, entries in more.items()}
    kept = {name: {key: one for key, one in entries.items() if one is not None} for name, entries in fields.items()}
    return replace(spec, **kept)


def test_nothing_is_wrong_with_the_declarations(found: ColumnMap) -> None:
    assert found.problems == ()


def test_all_columns_of_both_schemas_are_there(found: ColumnMap) -> None:
    columns = {f"{table.name}.{column.name}" for table in legacy.metadata.tables.values() for column in table.columns}
    assert set(found.legacy) == columns
    assert (found.accounted, len(columns)) == (319, 319)
    places = {f"{table.name}.{column.name}" for table in target.metadata.tables.values() for column in table.columns}
    assert places == {place for place, column in found.target.items() if not column.optional}


def test_a_legacy_column_without_a_disposition_is_named() -> None:
    assert problems(
        changed(
            "sessions",
            dispositions={"sessions.last_seen": None},
            lineage={"created_at": None, "last_seen_at": None, "revoked_at": None},
        )
    ) == [
        "sessions.last_seen: expected exactly one disposition, found none. A column without a target of equal name"
        " belongs in `lineage` of the table that it fills, else in `dispositions`, of one table only."
    ]


def test_a_legacy_column_with_two_dispositions_is_named() -> None:
    [twice] = problems(changed("users", dispositions={"users.totp_secret": archived("kept")}))
    assert twice.startswith("users.totp_secret: expected exactly one disposition, found retired, archived.")


@pytest.mark.parametrize("disposition", [retired("stale"), merged("a key", "settings")], ids=lambda one: one.kind)
def test_a_column_that_is_not_carried_fills_nothing(disposition: Disposition) -> None:
    [wrong] = problems(changed("tickets", dispositions={"tickets.title": disposition}))
    assert wrong == f"tickets.title: {disposition.kind}, and yet it fills tickets.subject. Remove one of the two."


def test_a_table_without_its_declaration_leaves_its_columns_unaccounted_for() -> None:
    wrong = problems(without="login_challenges")
    assert "login_challenges: no module of assets/ declares this target table." in wrong
    assert any(
        line.startswith("login_challenges.user_id: expected exactly one disposition, found none") for line in wrong
    )


@pytest.mark.parametrize("column", ["scope", "updated_at"])
def test_a_target_column_that_nothing_explains_is_named(column: str) -> None:
    wrong = problems(changed("roles", rules={column: None}))
    assert [line[:50] for line in wrong] == [f"roles.{column}: expected a rule for this target column"[:50]]


def test_a_nullable_target_column_needs_a_reason_too() -> None:
    wrong = problems(changed("devices", rules={"serial_number": None}))
    assert [line.partition(":")[0] for line in wrong] == ["devices.serial_number"]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (
            {"lineage": {"name": ("devices.client", "devices.cleint")}},
            "name devices.cleint, which is no column of the legacy schema",
        ),
        ({"lineage": {"nmae": ("devices.client",)}}, "name the column nmae, which this target table has not"),
        ({"rules": {"nmae": "unchanged"}}, "name the column nmae, which this target table has not"),
        (
            {"dispositions": {"deivces.client": retired("stale")}},
            "name deivces.client, which is no column of the legacy schema",
        ),
        (
            {"dispositions": {"sessions.jti_": retired("stale")}},
            "name sessions.jti_, which is no column of the legacy schema",
        ),
    ],
)
def test_what_does_not_exist_is_named(more: Mapping[str, Mapping[str, object]], named: str) -> None:
    assert any(named in line for line in problems(changed("clients", **more)))


@pytest.mark.parametrize("kind", [DispositionKind.ARCHIVED, DispositionKind.SUPERSEDED, DispositionKind.MERGED])
def test_a_disposition_names_the_rule_under_which_its_values_are_found(kind: DispositionKind) -> None:
    wrong = problems(changed("sessions", dispositions={"sessions.last_seen": Disposition(kind, "why")}))
    assert any("the rule is not named" in line for line in wrong)


def test_a_disposition_has_a_reason() -> None:
    wrong = problems(changed("user_security", dispositions={"users.totp_secret": retired("")}))
    assert wrong == ["user_security: users.totp_secret is retired without a reason."]


@pytest.mark.parametrize(
    ("place", "kind", "targets"),
    [
        ("users.email", DispositionKind.MAPPED, ("users.email",)),
        ("users.name", DispositionKind.MAPPED, ("users.first_name", "users.last_name")),
        ("users.totp_secret", DispositionKind.RETIRED, ()),
        ("users.phone", DispositionKind.ARCHIVED, ()),
        ("agents.token_hash", DispositionKind.ARCHIVED, ()),
        (
            "sessions.last_seen",
            DispositionKind.SUPERSEDED,
            ("sessions.created_at", "sessions.last_seen_at", "sessions.revoked_at"),
        ),
        ("permissions.id", DispositionKind.MAPPED, ()),
        ("company_profile.id", DispositionKind.MERGED, ()),
        (
            "backup_restores.finished_at",
            DispositionKind.ARCHIVED,
            ("backup_restores.requested_at", "backup_restores.updated_at"),
        ),
    ],
)
def test_dispositions_are_those_of_the_mapping(
    found: ColumnMap, place: str, kind: DispositionKind, targets: tuple[str, ...]
) -> None:
    column = found.legacy[place]
    assert column.disposition is not None
    assert (column.disposition.kind, tuple(sorted(column.targets))) == (kind, targets)


def test_a_key_that_is_not_kept_is_in_the_map(found: ColumnMap) -> None:
    assert found.legacy["permissions.id"].map == "legacy_permissions_map"


def test_an_optional_column_is_filled_by_the_legacy_column_of_its_name(found: ColumnMap) -> None:
    assert found.legacy["users.phone"].optional == ("users.phone",)
    assert found.target["users.phone"].sources == ("users.phone",)
    assert found.target["tickets.client_id"].optional


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("users.organization_id", "the organization of this source"),
        ("clients.id", "derived"),
        ("devices.id", "kept where it is a uuid of version 1 to 5 and free, else derived"),
        ("sessions.user_id", "the row of users that it means"),
        ("agent_software.publisher", "unchanged"),
        ("tickets.status", "by the words of tickets.status"),
        ("clients.contact", "no source: the default {}"),
        ("automations.script", "the legacy schema has no automations; the table stays empty"),
    ],
)
def test_what_a_column_is_tells_its_rule(found: ColumnMap, place: str, rule: str) -> None:
    assert found.target[place].rule == rule


def test_the_document_is_current(found: ColumnMap) -> None:
    assert (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8") == markdown(found, recoveries()), (
        "run `make docs`"
    )


def test_the_document_has_a_row_for_every_column(found: ColumnMap) -> None:
    rows = [
        line
        for line in markdown(found, recoveries()).splitlines()
        if line.startswith("| ") and not line.startswith("| column |")
    ]
    kinds = 1 + len(DispositionKind)
    assert len(rows) == len(found.legacy) + len(found.target) + kinds


def test_the_map_is_made_without_dagster() -> None:
    code = "import sys, remoteiq_etl.lifecycle.mapping.document; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
