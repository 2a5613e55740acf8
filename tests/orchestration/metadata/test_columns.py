"""Columns and their origin, as Dagster shows them."""

import dagster as dg

import assets
from assets.access import roles, user_security
from assets.inventory import agent_software
from remoteiq_etl.lifecycle.drift.needs import legacy_tables
from remoteiq_etl.lifecycle.mapping.column_map import column_map
from remoteiq_etl.orchestration.assets.discovery import find_specs
from remoteiq_etl.orchestration.metadata import columns, lineage
from schemas import target


def column(table: str, name: str) -> dg.TableColumn:
    schema = columns.schema(target.metadata.tables[f"target.{table}"])
    return next(column for column in schema.columns if column.name == name)


def test_types_are_those_of_the_server() -> None:
    types = [column("devices", name).type for name in ("id", "hostname", "status", "created_at")]
    assert types == ["uuid", "text", "device_status", "timestamp with time zone"]


def test_a_key_is_unique_and_not_null() -> None:
    constraints = column("devices", "id").constraints
    assert (constraints.nullable, constraints.unique, constraints.other) == (False, True, ["primary key"])


def test_part_of_a_key_is_not_unique_by_itself() -> None:
    assert not column("user_roles", "user_id").constraints.unique


def test_a_foreign_key_says_where_it_leads() -> None:
    assert "references clients.id" in column("sites", "client_id").constraints.other


def test_what_concerns_several_columns_belongs_to_the_table() -> None:
    assert columns.schema(target.devices).constraints.other == ["unique (site_id, hostname)"]


def test_equal_names_and_declared_origins_are_lineage() -> None:
    found = lineage.of_columns(agent_software.SPEC).deps_by_column
    source = dg.AssetKey(["legacy", "agent_software"])
    assert found["publisher"] == [dg.TableColumnDep(source, "publisher")]
    agents = dg.AssetKey(["legacy", "agents"])
    assert found["created_at"] == [dg.TableColumnDep(source, "updated_at"), dg.TableColumnDep(agents, "created_at")]


def test_the_origin_is_told_in_words_too() -> None:
    schema = columns.schema(target.agent_software, lineage.origins(agent_software.SPEC))
    descriptions = {column.name: column.description for column in schema.columns}
    assert (
        descriptions["created_at"]
        == "from agent_software.updated_at, agents.created_at: updated_at, at the insert only"
    )
    assert descriptions["publisher"] == "from agent_software.publisher: unchanged"
    assert descriptions["uninstall_command"] == "legacy kept none"


def test_a_retired_column_is_no_lineage_of_a_column_of_its_name() -> None:
    behind = lineage.of_columns(user_security.SPEC).deps_by_column["totp_secret"]
    assert [place.column_name for place in behind] == ["two_factor_secret"]


def test_what_becomes_of_a_legacy_column_is_told_in_words() -> None:
    found = column_map(find_specs(assets))
    assert lineage.fates(found, "users")["totp_secret"].startswith("retired. ")
    assert lineage.fates(found, "users")["email"] == "mapped to users.email"
    assert lineage.fates(found, "agents")["token_hash"].startswith("archived to agents.token_hash (optional). ")


def test_what_a_decide_step_reads_is_upstream() -> None:
    assert {"roles", "users", "role_meta"} <= legacy_tables(roles.SPEC)
