"""How rows that the target has already are recognised: what mapping.md calls adoption."""

import pytest

from assets.automation import agent_task_results, agent_task_runs, agent_tasks, automation_runs, automations
from assets.backups import (
    backup_destinations,
    backup_job_artifacts,
    backup_job_logs,
    backup_job_manifests,
    backup_jobs,
    backup_policies,
    backup_restores,
    backups_config,
    storage_connections,
)
from assets.email import dkim_domains, dkim_keys, email_channels, email_ingest_state, email_messages
from assets.support import contacts, ticket_attachments, ticket_tags, ticket_updates, tickets
from remoteiq_etl.spec.table import TableSpec


@pytest.mark.parametrize(
    ("spec", "columns"),
    [
        (contacts.SPEC, ("organization_id", "email")),
        (email_channels.SPEC, ("organization_id", "name")),
        (email_ingest_state.SPEC, ("channel_id",)),
        (dkim_domains.SPEC, ("organization_id", "domain")),
        (dkim_keys.SPEC, ("dkim_domain_id", "selector")),
        (backup_destinations.SPEC, ("organization_id", "name")),
        (backup_policies.SPEC, ("organization_id", "name")),
        (backups_config.SPEC, ("id",)),
    ],
    ids=lambda value: value.name if isinstance(value, TableSpec) else "",
)
def test_rows_are_adopted_by_natural_key(spec: TableSpec, columns: tuple[str, ...]) -> None:
    """A row that is there under the same natural key is adopted."""
    assert spec.adopt is not None
    assert spec.adopt.columns == columns


@pytest.mark.parametrize(
    "module",
    [
        *(tickets, ticket_tags, email_messages, agent_tasks, agent_task_runs, agent_task_results),
        *(backup_jobs, backup_job_logs, backup_job_manifests, backup_job_artifacts, backup_restores),
    ],
    ids=lambda module: module.SPEC.name,
)
def test_tickets_and_everything_else_are_never_adopted(module: object) -> None:
    """Equal numbers are different tickets; what has no natural key is never adopted."""
    assert module.SPEC.adopt is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "module",
    [automations, automation_runs, ticket_updates, ticket_attachments, storage_connections],
    ids=lambda module: module.SPEC.name,
)
def test_a_table_without_source_says_why(module: object) -> None:
    """A table that legacy knows nothing of stays empty, and says so."""
    spec: TableSpec = module.SPEC  # type: ignore[attr-defined]
    assert "the table stays empty" in (spec.no_source or "")
    assert spec.sources == ()
