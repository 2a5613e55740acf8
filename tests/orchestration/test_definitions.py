"""What Dagster is told about each table, and that nothing is needed for telling it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

import assets
from remoteiq_etl.backfill.change_capture.code_fingerprint import code_fingerprint
from remoteiq_etl.definitions import defs
from remoteiq_etl.orchestration.assets.discovery import find_tables
from remoteiq_etl.orchestration.assets.drift import ACCEPTED_DRIFT
from remoteiq_etl.orchestration.assets.tables import table_asset
from remoteiq_etl.orchestration.assets.target import TARGET_CONSTRAINTS, TARGET_SCHEMA
from remoteiq_etl.orchestration.metadata import legacy_tables
from schemas import legacy as legacy_schema

DEFINITIONS: dg.Definitions = defs()
TABLES = find_tables(assets)
TABLE_SPECS = [DEFINITIONS.resolve_assets_def(name).get_asset_spec() for name in sorted(TABLES)]
DOMAINS = {"platform", "access", "inventory", "automation", "monitoring", "backups", "support", "email", "seeds"}


@pytest.mark.parametrize("spec", TABLE_SPECS, ids=lambda spec: spec.key.to_user_string())
class TestEveryTable:
    def test_is_in_the_group_of_its_domain(self, spec: dg.AssetSpec) -> None:
        assert spec.group_name == TABLES[spec.key.path[0]].domain
        assert spec.group_name in DOMAINS

    def test_says_its_grain(self, spec: dg.AssetSpec) -> None:
        assert (spec.description or "").startswith("Grain: one row ")

    def test_says_what_its_module_says(self, spec: dg.AssetSpec) -> None:
        about = TABLES[spec.key.path[0]].about
        assert about
        assert about in (spec.description or "")

    def test_has_an_owner_kinds_and_tags(self, spec: dg.AssetSpec) -> None:
        assert list(spec.owners) == ["team:migration"]
        assert "postgres" in spec.kinds
        assert {"domain", "side", "transform"} <= set(spec.tags)

    def test_shows_its_columns_and_name(self, spec: dg.AssetSpec) -> None:
        table = TABLES[spec.key.path[0]].spec.target
        columns = spec.metadata["dagster/column_schema"].value.columns
        assert [column.name for column in columns] == [column.name for column in table.columns]
        assert spec.metadata["dagster/table_name"].value == f"public.{table.name}"

    def test_lineage_leads_to_columns_that_are_there(self, spec: dg.AssetSpec) -> None:
        lineage = spec.metadata["dagster/column_lineage"].value.deps_by_column
        columns = TABLES[spec.key.path[0]].spec.target.columns
        assert set(lineage) <= {column.name for column in columns}
        for place in (place for places in lineage.values() for place in places):
            assert place.asset_key in {dep.asset_key for dep in spec.deps}
            table = legacy_schema.metadata.tables[f"legacy.{place.asset_key.path[-1]}"]
            assert place.column_name in table.columns

    def test_has_lineage_unless_it_has_no_source(self, spec: dg.AssetSpec) -> None:
        declared = TABLES[spec.key.path[0]].spec
        has_lineage = bool(spec.metadata["dagster/column_lineage"].value.deps_by_column)
        if spec.group_name == "seeds" or spec.key.path[0] == "organization_setting_audits":
            assert not has_lineage, "made by the program, of no legacy column"
            return
        derived = any("legacy" in dep.asset_key.path for dep in spec.deps)
        assert derived == has_lineage
        assert derived != bool(declared.no_source)

    def test_follows_its_parents_and_without_such_the_preparation(self, spec: dg.AssetSpec) -> None:
        """No edge is there for the order alone."""
        upstream = {dep.asset_key for dep in spec.deps}
        parents = {dg.AssetKey(name) for name in TABLES[spec.key.path[0]].spec.dependencies if name in TABLES}
        assert {key for key in upstream if key.path[0] != "legacy"} == (parents or {TARGET_SCHEMA})

    def test_its_code_version_is_the_code_part_of_its_fingerprint(self, spec: dg.AssetSpec) -> None:
        assert spec.code_version == code_fingerprint(TABLES[spec.key.path[0]].spec)

    def test_its_checks_block(self, spec: dg.AssetSpec) -> None:
        declared = TABLES[spec.key.path[0]].spec
        checks = {check.name: check for check in DEFINITIONS.resolve_assets_def(spec.key).check_specs}
        assert "conservation" in checks
        assert ("target_contract" in checks) == bool(declared.sources)
        assert all(check.blocking for check in checks.values())


def test_every_legacy_table_is_an_external_asset() -> None:
    graph = DEFINITIONS.resolve_asset_graph()
    keys = {legacy_tables.key(table.name) for table in legacy_schema.metadata.tables.values()}
    assert keys <= graph.external_asset_keys
    assert {graph.get(key).group_name for key in keys} <= {f"legacy_{domain}" for domain in DOMAINS}


def test_a_legacy_and_a_target_table_are_never_taken_for_one() -> None:
    """The UI links assets whose table names are equal."""
    specs = [spec for spec in DEFINITIONS.resolve_all_asset_specs() if "dagster/table_name" in spec.metadata]
    names = [str(getattr(name, "value", name)) for name in (spec.metadata["dagster/table_name"] for spec in specs)]
    of_targets = [f"public.{table.spec.name}" for table in TABLES.values()]
    assert len(set(names)) == len(set(of_targets)) + len(legacy_schema.metadata.tables)
    assert {name for name in names if names.count(name) > 1} == {
        f"public.{table.spec.name}" for name, table in TABLES.items() if name != table.spec.name
    }, "seeds are written beside the rows of a table that has an asset"


def test_the_constraints_come_last() -> None:
    graph = DEFINITIONS.resolve_asset_graph()
    before = {key for name in TABLES for key in [dg.AssetKey(name)]}
    assert before <= dg.AssetSelection.assets(TARGET_CONSTRAINTS).upstream().resolve(graph)


def test_one_job_for_everything_and_one_per_domain() -> None:
    names = {job.name for job in DEFINITIONS.resolve_all_job_defs() if not job.name.startswith("__")}
    assert names == {
        "resync",
        "backfill",
        "sweep",
        "deletes",
        "doctor",
        "plan",
        "pause",
        "resume",
        "stop",
        "undo_plan",
        "undo_execute",
        "rehearse",
        "application_install",
        "cutover",
        "cutover_back",
        "cleanup",
        "cleanup_state",
        "report",
        "state",
        "prepare",
        "finalize",
        "verify",
        "prune",
        *(f"backfill_{table.domain}" for table in TABLES.values()),
    }


def test_every_job_has_the_executor_of_one_process() -> None:
    assert {job.executor_def.name for job in DEFINITIONS.resolve_all_job_defs()} == {"in_process"}


def test_a_domain_job_prepares_the_target_and_does_not_complete_it() -> None:
    job = DEFINITIONS.resolve_job_def("backfill_support")
    keys = job.asset_layer.selected_asset_keys
    expected = {dg.AssetKey(name) for name, table in TABLES.items() if table.domain == "support"}
    assert keys == {TARGET_SCHEMA, ACCEPTED_DRIFT, *expected}


def test_a_changed_rule_gives_another_code_version() -> None:
    """And Dagster shows the asset, and what follows from it, as made by other code."""
    table = TABLES["permissions"]
    changed = replace(table, spec=replace(table.spec, activity=("label",)))
    versions = [table_asset(one, TABLES, "public").get_asset_spec().code_version for one in (table, changed)]
    assert versions[0] == DEFINITIONS.resolve_assets_def("permissions").get_asset_spec().code_version
    assert versions[0] != versions[1]


def test_a_table_without_source_says_so() -> None:
    spec = DEFINITIONS.resolve_assets_def("automations").get_asset_spec()
    assert "Without a source: the legacy schema has no automations" in (spec.description or "")
    assert spec.tags["transform"] == "none"


def test_secret_columns_are_marked() -> None:
    columns = DEFINITIONS.resolve_assets_def("users").get_asset_spec().metadata["dagster/column_schema"].value.columns
    marked = {column.name for column in columns if "secret" in column.constraints.other}
    assert "password_hash" in marked


def test_definitions_load_without_databases_and_settings(tmp_path: Path) -> None:
    """Not even a wrong setting hinders: it is an error when a run begins."""
    program = "from remoteiq_etl.definitions import defs; defs().get_repository_def()"
    environment = {"REMOTEIQ_LEGACY_URL": "not a URL", "DAGSTER_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
